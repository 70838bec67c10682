/**
 * The package as a user gets it: packed, installed in an empty directory elsewhere, and used as
 * README.md says.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as project from './consumer.ts';
import { makeBase, makeProject, pack, root } from './consumer.ts';

const base = makeBase();
const consumer = join(base, 'consumer');
const modules = join(consumer, 'node_modules');
const LIMIT_BYTES = 10_000_000;
let tarball = '';

beforeAll(() => {
  tarball = pack(base);
  makeProject(consumer, tarball);
}, 120_000);

afterAll(() => fs.rmSync(base, { recursive: true }));

/** Run a program of the consumer's to its end. */
const run = (...args: string[]) => project.run(consumer, ...args);

/** The library example of README.md, and what its comments say it prints. */
function readmeExample(): { source: string; output: string } {
  const readme = fs.readFileSync(join(root, 'README.md'), 'utf8');
  const source = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (source === undefined) throw new Error('README.md has no example in TypeScript');
  const printed = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, output]) => `${output}\n`);
  return { source, output: printed.join('') };
}

test('publint and arethetypeswrong have nothing to say', () => {
  const bin = (name: string) => join(root, 'node_modules/.bin', name);
  const lint = spawnSync(bin('publint'), ['run', tarball, '--strict'], { encoding: 'utf8' });
  expect(lint.stdout).toContain('All good!');
  expect(lint.status).toBe(0);
  // The package is ESM, which `require` loads in every supported release line of Node; and all of
  // those resolve by "exports", which the way of Node 10 does not know.
  const options = ['--no-color', '--ignore-rules', 'cjs-resolves-to-esm', '--profile', 'node16'];
  const types = spawnSync(bin('attw'), [tarball, ...options], { encoding: 'utf8' });
  expect(types.status, types.stdout).toBe(0);
}, 120_000);

test('it holds what it should, runs nothing when installed, and is small', () => {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    expect(file).toMatch(
      /^package\/(build\/(dist|kernel)\/|docs\/[^/]+\.(md|svg)$|test\/bench\/native\.c$|README\.md$|LICENSE$|package\.json$)/,
    );
    expect(file).not.toMatch(/(?<!\.d)\.ts$|\.test\.|plain\.|\.js\.map$/);
  }
  let bytes = 0;
  let blocks = 0;
  for (const entry of fs.readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { size } = fs.statSync(join(entry.parentPath, entry.name));
    bytes += size;
    blocks += Math.ceil(size / 4096) * 4096;
    if (entry.name === 'package.json') {
      const { scripts = {} } = JSON.parse(fs.readFileSync(join(entry.parentPath, entry.name), 'utf8')) as {
        scripts?: Record<string, string>;
      };
      const hooks = ['preinstall', 'install', 'postinstall'].filter((hook) => hook in scripts);
      // Directories inside a package may have a package.json that npm never looks at.
      if (isPackage(entry.parentPath)) expect(hooks, entry.parentPath).toEqual([]);
    }
  }
  console.log(`  installed: ${bytes} bytes, ${blocks} in blocks of 4 KiB`);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
});

test('links in what there is to read lead somewhere', () => {
  const at = join(modules, 'damselfly');
  const pages = ['README.md', ...fs.readdirSync(join(at, 'docs')).map((name) => `docs/${name}`)];
  const broken: string[] = [];
  let links = 0;
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    const text = fs.readFileSync(join(at, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)\s]*)\)/g)) {
      links++;
      const [file, anchor] = target.split('#');
      const path = file === '' ? join(at, page) : join(at, dirname(page), file);
      const found = fs.existsSync(path) && (anchor === undefined || anchorsOf(path).includes(anchor));
      if (!found) broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(10);
});

/** Headings of a page, as links name them. */
function anchorsOf(path: string): string[] {
  const headings = fs.readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isPackage(directory: string): boolean {
  const above = dirname(directory);
  return above.endsWith('node_modules') || dirname(above).endsWith('node_modules');
}

test("README's example runs, prints what it says, and ends by itself", () => {
  const { source, output } = readmeExample();
  fs.writeFileSync(join(consumer, 'example.mjs'), source);
  expect(output).not.toBe('');
  expect(run('example.mjs')).toEqual({ status: 0, stdout: output, stderr: '' });
});

test("README's example type-checks under nodenext, declarations of libraries included", () => {
  fs.writeFileSync(join(consumer, 'example.mts'), readmeExample().source);
  const check = () => project.typeCheck(consumer, ['example.mts']);
  expect(check()).toEqual({ status: 0, stdout: '' });
  // It is no accident that this passes.
  fs.appendFileSync(
    join(consumer, 'example.mts'),
    '\nexport const wrong: number = machine.fs.readFileSync("/etc/motd");\n',
  );
  expect(check().stdout).toContain('TS2322');
}, 60_000);

test('the entry for mounts has types, and says what is wrong', async () => {
  const source = `import { bootSync } from 'damselfly';
    import { type MachineMount, mountMachine } from 'damselfly/mount';
    const machine = bootSync({ ram: 4 << 20 });
    const mounted: Promise<MachineMount> = mountMachine(machine, '/', { path: '/nowhere' });
    await mounted.catch((error: Error) => console.log(error.message));`;
  fs.writeFileSync(join(consumer, 'mounts.mts'), source);
  expect(project.typeCheck(consumer, ['mounts.mts'])).toEqual({ status: 0, stdout: '' });
  fs.writeFileSync(
    join(consumer, 'mounts.mjs'),
    source.replace('type MachineMount, ', '').replace(/: (Promise<MachineMount>|Error)/g, ''),
  );
  const says = process.platform === 'linux' ? /ENOENT.*nowhere/ : /Linux/;
  expect(run('mounts.mjs').stdout).toMatch(says);
}, 60_000);

test('require gives the same module', ({ skip }) => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major === 20 ? minor < 19 : major === 22 ? minor < 12 : major < 22)
    skip(`Node ${process.versions.node} cannot require ESM`);
  fs.writeFileSync(
    join(consumer, 'required.cjs'),
    `const { bootSync } = require('damselfly');
     const machine = bootSync({ files: { '/file': 'text' } });
     console.log(machine.fs.readFileSync('/file', 'utf8'));`,
  );
  expect(run('required.cjs')).toMatchObject({ status: 0, stdout: 'text\n' });
});

test('the command works where it is installed', () => {
  const command = join(modules, '.bin/damselfly');
  const { version } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(run(command, '--version').stdout).toContain(`damselfly ${version} `);
  fs.mkdirSync(join(consumer, 'in'));
  fs.writeFileSync(join(consumer, 'in/file'), 'there and back');
  expect(run(command, 'boot', '--import', 'in:/x', '--export', '/x:out')).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(fs.readFileSync(join(consumer, 'out/file'), 'utf8')).toBe('there and back');
});

test('importing the library loads nothing of the command, its packages included', () => {
  const { source, output } = readmeExample();
  fs.writeFileSync(join(consumer, 'alone.mjs'), source);
  const gone = [
    'commander',
    'cli-progress',
    'tinybench',
    'damselfly/build/dist/host/cli',
    'damselfly/build/dist/host/bench',
    'damselfly/build/dist/host/hostfiles',
    'damselfly/build/dist/host/testing',
  ];
  for (const name of gone) fs.renameSync(join(modules, name), join(modules, `${name}-gone`));
  try {
    expect(run('alone.mjs')).toEqual({ status: 0, stdout: output, stderr: '' });
    // They are gone indeed.
    expect(run(join(modules, '.bin/damselfly'), '--version').status).not.toBe(0);
  } finally {
    for (const name of gone) fs.renameSync(join(modules, `${name}-gone`), join(modules, name));
  }
});

test('machines for tests need no vitest, which is not installed', () => {
  expect(fs.existsSync(join(modules, 'vitest'))).toBe(false);
  fs.writeFileSync(
    join(consumer, 'testing.mjs'),
    `import { testMachine } from 'damselfly/testing';
     const machine = testMachine({ files: { '/file': 'text' } });
     console.log(machine.fs.readFileSync('/file', 'utf8'));
     await machine.close();`,
  );
  expect(run('testing.mjs')).toEqual({ status: 0, stdout: 'text\n', stderr: '' });
});
