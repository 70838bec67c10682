/** `npm ci` on a mounted tree, from packages that npm packed: no registry is asked. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { itWith, KINDS, lacks, Mounts, scratch, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();

const NPM = 'npm --offline --no-audit --no-fund --no-update-notifier --loglevel=error';
const PACKAGES = {
  // a program, and one of another's
  tool: {
    bin: { tool: './bin/tool.js', 'tool-too': './bin/tool.js' },
    dependencies: { library: '^1.0.0' },
    files: { 'bin/tool.js': "#!/usr/bin/env node\nconsole.log('tool has', require('library'));\n" },
  },
  library: {
    scripts: { install: 'node install.js' },
    files: {
      'index.js': "module.exports = require('./made.json').text;\n",
      'install.js':
        'require("node:fs").writeFileSync("made.json", JSON.stringify({ text: "what install made" }));\n',
    },
  },
  // carries its own, which nests
  bundler: {
    bin: 'main.js',
    dependencies: { inner: '1.0.0' },
    bundleDependencies: ['inner'],
    files: {
      'main.js': "#!/usr/bin/env node\nconsole.log('bundled', require('inner'));\n",
      'node_modules/inner/package.json': JSON.stringify({ name: 'inner', version: '1.0.0' }),
      'node_modules/inner/index.js': "module.exports = 'inner';\n",
    },
  },
  '@scope/many': {
    files: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`lib/${i % 20}/${i}.js`, `// ${i}\n`])),
  },
};

function write(root: string, files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** A project: tarballs of the packages, a workspace, and the lock file that npm makes for them. */
function makeProject(at: string): void {
  const sources = scratch();
  const dependencies: Record<string, string> = {};
  fs.mkdirSync(path.join(at, 'tarballs'));
  for (const [name, { files, ...rest }] of Object.entries(PACKAGES)) {
    write(path.join(sources, name), { 'package.json': { name, version: '1.0.0', ...rest }, ...files });
    dependencies[name] = `file:tarballs/${name.replace('@', '').replace('/', '-')}-1.0.0.tgz`;
  }
  sh(
    at,
    `${NPM} pack --ignore-scripts --pack-destination tarballs ${Object.keys(PACKAGES)
      .map((name) => `${sources}/${name}`)
      .join(' ')}`,
  );
  fs.rmSync(sources, { recursive: true });
  write(at, {
    'package.json': { name: 'project', version: '1.0.0', private: true, dependencies, workspaces: ['own'] },
    'own/package.json': { name: 'own', version: '1.0.0', bin: 'own.js' },
    'own/own.js': "#!/usr/bin/env node\nconsole.log('its own');\n",
  });
  sh(at, `${NPM} install --package-lock-only; rm -rf .npm`);
}

/** What is there, without the times of its making. */
const tree = (at: string): string =>
  sh(
    at,
    `find . ! -path './.npm*' -printf '%P %y %m %n %l\\n' | sort; find . -type f ! -path './.npm*' -print0 | sort -z | xargs -0 sha256sum`,
  );

describe.skipIf(skipMounts).each(KINDS)('%s', (kind) => {
  const project = scratch();
  let installed = '';
  beforeAll(() => {
    if (lacks('npm')) return;
    makeProject(project);
    // beside it all, on the host's own file system
    const host = mounts.beside();
    sh(host, `cp -a ${project}/. .; ${NPM} ci`);
    installed = tree(host);
  });

  itWith(['npm'], 'has what npm ci puts there, and has it again after another', async () => {
    const at = await mounts.mount(kind);
    sh(at, `mkdir project; cp -a ${project}/. project`);
    const inside = path.join(at, 'project');
    for (const time of ['first', 'second']) {
      sh(inside, `${NPM} ci`);
      expect([time, tree(inside)]).toEqual([time, installed]);
    }
    expect(fs.readlinkSync(path.join(inside, 'node_modules/.bin/tool-too'))).toBe('../tool/bin/tool.js');
    expect(fs.readlinkSync(path.join(inside, 'node_modules/own'))).toBe('../own');
    expect(sh(inside, 'cd node_modules/.bin; ./tool; ./tool-too; ./bundler; ./own')).toBe(
      'tool has what install made\ntool has what install made\nbundled inner\nits own\n',
    );
    expect(sh(inside, `${NPM} ls --all --parseable | wc -l`).trim()).toBe('7');
    await mounts.again();
    expect(tree(path.join(at, 'project'))).toBe(installed);
  });
});
