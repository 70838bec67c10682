/**
 * Programs that take an fs from their user: a bundler, a template engine, two globbers, an
 * archiver, a union of file systems, a wrapper that retries. Each runs on the machine's fs and on
 * the host's, at the same paths, and has to do the same.
 */
import hostFs from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fastGlob from 'fast-glob';
import { glob } from 'glob';
import gracefulFs from 'graceful-fs';
import { Liquid } from 'liquidjs';
import tar from 'tar-fs';
import { Union } from 'unionfs/lib/union.js';
import { describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { hostDirectory, userMachine } from './machine.ts';
import { describeTree } from './trees.ts';

type Fs = typeof hostFs;

const machine = userMachine();
const { fs } = machine;

const PAGES = 40;

/** A small site: sources in several formats, templates, a package behind a link. */
function makeSite(on: Fs, root: string): void {
  const write = (name: string, text: string | Uint8Array) => {
    on.mkdirSync(path.dirname(`${root}/${name}`), { recursive: true });
    on.writeFileSync(`${root}/${name}`, text);
  };
  write(
    'src/index.js',
    `import data from './data.json';
import { greet } from 'greeter';
import icon from './icon.bin';
import text from './text.txt';
export const greeting = greet(data.name);
export const later = () => import('./later.js').then((module) => module.default);
export { icon, text };
`,
  );
  write('src/data.json', '{ "name": "damselfly", "unused": [1, 2, 3] }');
  write('src/later.js', 'export default "loaded later";\n');
  write('src/text.txt', 'größe\n');
  write(
    'src/icon.bin',
    Uint8Array.from({ length: 5000 }, (_, i) => i * 7),
  );
  write('packages/greeter/package.json', '{ "name": "greeter", "exports": { "import": "./lib/main.mjs" } }');
  write(
    'packages/greeter/lib/main.mjs',
    'import { hi } from "./hi.js";\nexport const greet = (n) => hi + n;\n',
  );
  write('packages/greeter/lib/hi.js', 'export const hi = "hi ";\n');
  on.mkdirSync(`${root}/node_modules`);
  on.symlinkSync('../packages/greeter', `${root}/node_modules/greeter`);
  write(
    'views/page.liquid',
    `{% layout 'layouts/main' %}{% block body %}{% for item in items %}{% render 'row', item: item %}{% endfor %}{% endblock %}`,
  );
  write('views/layouts/main.liquid', '<html>{% include "head" %}{% block body %}{% endblock %}</html>');
  write('views/head.liquid', '<title>{{ title | escape }}</title>');
  write('views/row.liquid', '<li>{{ item | upcase }}</li>');
  for (let i = 0; i < PAGES; i++)
    write(`pages/${i % 5}/.hidden-${i % 2}/page ${i}.md`, `# ${i}\n`.repeat(i * 50));
  for (const name of ['README.md', 'Make-file', 'pages/[odd]/{name}.md']) write(name, `${name}\n`);
  on.chmodSync(`${root}/README.md`, 0o640);
}

const root = hostDirectory();
/** What programs make of it. */
const work = hostDirectory();
makeSite(hostFs, root);
makeSite(fs as Fs, root);

/** Run `program` on both and expect the same of it; returns what it gave. */
async function same<T>(program: (on: Fs) => Promise<T>): Promise<T> {
  const mine = await program(fs as Fs);
  expect(mine).toEqual(await program(hostFs));
  return mine;
}

test('webpack: input, output and cache', async () => {
  const bundle = async (on: Fs) => {
    // Set by a plugin, as the cache takes its fs while the compiler is being made.
    const files = {
      apply(compiler: webpack.Compiler) {
        compiler.inputFileSystem = on as NonNullable<typeof compiler.inputFileSystem>;
        compiler.outputFileSystem = on as NonNullable<typeof compiler.outputFileSystem>;
        compiler.intermediateFileSystem = on as NonNullable<typeof compiler.intermediateFileSystem>;
      },
    };
    const compiler = webpack({
      plugins: [files],
      mode: 'production',
      context: root,
      entry: './src/index.js',
      output: { path: `${work}/out`, library: { type: 'commonjs2' }, chunkFormat: 'commonjs', clean: true },
      target: 'node',
      devtool: 'source-map',
      optimization: { minimize: false },
      module: {
        rules: [
          { test: /\.bin$/, type: 'asset/resource' },
          { test: /\.txt$/, type: 'asset/source' },
        ],
      },
      cache: {
        type: 'filesystem',
        cacheDirectory: `${work}/cache`,
        buildDependencies: { defaultWebpack: [] },
      },
    });
    const stats = await new Promise<webpack.Stats>((resolve, reject) =>
      compiler.run((error, result) => (error || !result ? reject(error) : resolve(result))),
    );
    await new Promise((resolve) => compiler.close(resolve));
    const { errors, warnings, hash, modules } = stats.toJson({
      all: false,
      errors: true,
      warnings: true,
      hash: true,
      modules: true,
    });
    return { errors, warnings, hash, modules: modules?.length ?? 0, tree: describeTree(on, `${work}/out`) };
  };
  const built = await same(bundle);
  expect(built.errors).toEqual([]);
  expect(Object.keys(built.tree)).toContain('main.js');
  // Again, from the cache on the machine, over what has been written; then with a source changed.
  expect(fs.existsSync(`${work}/cache/default-production/index.pack`)).toBe(true);
  const again = await bundle(fs as Fs);
  expect(again.modules).toBeLessThan(built.modules);
  expect({ ...again, modules: built.modules }).toEqual(built);
  fs.writeFileSync(`${root}/src/later.js`, 'export default "changed";\n');
  const changed = await bundle(fs as Fs);
  expect(changed.hash).not.toBe(built.hash);
  const module: { exports: { greeting?: string; text?: string } } = { exports: {} };
  const run = new Function(
    'module',
    'exports',
    'require',
    '__filename',
    fs.readFileSync(`${work}/out/main.js`, 'utf8'),
  );
  run(module, module.exports, () => ({}), `${work}/out/main.js`);
  expect(module.exports).toMatchObject({ greeting: 'hi damselfly', text: 'größe\n' });
  fs.writeFileSync(`${root}/src/later.js`, hostFs.readFileSync(`${root}/src/later.js`));
});

test('LiquidJS: layouts, partials, a template that is not there', async () => {
  const render = async (on: Fs) => {
    const engine = new Liquid({
      root: `${root}/views`,
      extname: '.liquid',
      fs: {
        exists: (file) =>
          on.promises.access(file).then(
            () => true,
            () => false,
          ),
        existsSync: on.existsSync,
        readFile: (file) => on.promises.readFile(file, 'utf8'),
        readFileSync: (file) => on.readFileSync(file, 'utf8'),
        resolve: (directory, file, extension) =>
          path.resolve(directory, path.extname(file) ? file : file + extension),
        contains: async (directory, file) =>
          (await on.promises.realpath(file)).startsWith(on.realpathSync(directory)),
        containsSync: (directory, file) => on.realpathSync(file).startsWith(on.realpathSync(directory)),
        dirname: path.dirname,
        sep: '/',
      },
    });
    const scope = { title: '<fs>', items: ['one', 'two'] };
    return [
      await engine.renderFile('page', scope),
      engine.renderFileSync('page', scope),
      await engine
        .renderFile('none', {})
        .catch((error: NodeJS.ErrnoException) => [error.code, error.message]),
    ];
  };
  const [page, sync] = await same(render);
  expect(page).toBe('<html><title>&lt;fs&gt;</title><li>ONE</li><li>TWO</li></html>');
  expect(sync).toBe(page);
});

describe('globs', () => {
  const patterns = [
    '**/*.md',
    'pages/{1,2}/**',
    '*',
    'src/*.js?(on)',
    '**/[[]odd]/*',
    'node_modules/greeter/**/*.mjs',
    '!(src|views)/*',
    'none/**',
  ];

  test('fast-glob: later, at once, as a stream, with stats', async () => {
    for (const pattern of patterns) {
      await same(async (on) => {
        const options = { cwd: root, fs: on, dot: pattern.length % 2 === 0, followSymbolicLinks: true };
        const streamed: string[] = [];
        for await (const entry of fastGlob.stream(pattern, options)) streamed.push(String(entry));
        const entries = await fastGlob(pattern, { ...options, stats: true, onlyFiles: false });
        return [
          (await fastGlob(pattern, options)).sort(),
          fastGlob.sync(pattern, options).sort(),
          streamed.sort(),
          entries.map((entry) => [entry.path, entry.dirent.isFile() && entry.stats?.size]).sort(),
        ];
      });
    }
    expect(await fastGlob('**/*.md', { cwd: root, fs, dot: true })).toHaveLength(PAGES + 2);
  });

  test('glob: later, at once, with types', async () => {
    for (const pattern of patterns) {
      await same(async (on) => {
        const options = { cwd: root, fs: on, dot: true };
        const entries = await glob(pattern, { ...options, withFileTypes: true, stat: true, follow: true });
        return [
          (await glob(pattern, options)).sort(),
          glob.globSync(pattern, { ...options, nodir: true }).sort(),
          entries
            .map((entry) => [entry.relative(), entry.isSymbolicLink(), entry.isFile() && entry.size])
            .sort(),
        ];
      });
    }
  });
});

test('tar-fs: packed on one, unpacked on the other', async () => {
  const when = new Date(1_600_000_000_000);
  const pack = (on: Fs) =>
    tar.pack(root, {
      fs: on,
      sort: true,
      entries: ['src', 'packages', 'node_modules', 'pages', 'views', 'README.md'],
      map: (header: tar.Headers) => ({ ...header, uid: 0, gid: 0, mtime: when }),
    } as tar.PackOptions);
  const packed = await same((on) => buffer(pack(on)));
  expect(packed.length).toBeGreaterThan(100_000);
  const extract = (on: Fs) => tar.extract(`${work}/unpacked`, { fs: on } as tar.ExtractOptions);
  await pipeline(pack(hostFs), extract(fs as Fs));
  await pipeline(pack(fs as Fs), extract(hostFs));
  const unpacked = await same(async (on) => describeTree(on, `${work}/unpacked`));
  expect(unpacked['node_modules/greeter']).toBe('link ../packages/greeter');
  expect(fs.statSync(`${work}/unpacked/README.md`).mtimeMs).toBe(when.getTime());
  fs.rmSync(`${work}/unpacked`, { recursive: true });
});

test('unionfs: the machine over the host, the host over the machine', async () => {
  const top = '/layered';
  fs.mkdirSync(`${top}`);
  fs.writeFileSync(`${top}/only-mine`, 'on the machine');
  fs.writeFileSync(`${root}/README.md`, 'the machine’s own\n');
  const read = async (union: Union) => {
    const files = union as unknown as Fs;
    let streamed = '';
    for await (const chunk of files.createReadStream(`${top}/only-mine`)) streamed += chunk;
    return [
      files.readFileSync(`${root}/README.md`, 'utf8'),
      await files.promises.readFile(`${root}/README.md`, 'utf8'),
      files.existsSync(import.meta.filename),
      files.readdirSync(root).includes('src'),
      streamed,
      await new Promise((resolve) => files.readFile('/none/at-all', (error) => resolve(error?.code))),
    ];
  };
  const over = new Union().use(hostFs).use(fs as never);
  const under = new Union().use(fs as never).use(hostFs);
  expect(await read(over)).toEqual([
    'the machine’s own\n',
    'the machine’s own\n',
    true,
    true,
    'on the machine',
    'ENOENT',
  ]);
  expect(await read(under)).toEqual(['README.md\n', 'README.md\n', true, true, 'on the machine', 'ENOENT']);
  fs.writeFileSync(`${root}/README.md`, 'README.md\n');
});

test('graceful-fs waits for descriptors where open alone fails with EMFILE', async () => {
  const process = machine.process();
  const few = 40;
  process.setrlimit(7, few, few);
  const graceful = gracefulFs.gracefulify({ ...process.fs } as Fs);
  const count = 400;
  fs.mkdirSync('/graceful');
  const write = (on: Fs, name: string) =>
    new Promise<void>((resolve, reject) => {
      on.open(name, 'w', (error, fd) => {
        if (error) reject(error);
        else on.write(fd, name, () => on.close(fd, (closing) => (closing ? reject(closing) : resolve())));
      });
    });
  const names = Array.from({ length: count }, (_, i) => `/graceful/${i}`);
  const plain = await Promise.allSettled(names.map((name) => write(process.fs as Fs, name)));
  const refused = plain.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(count - few);
  await Promise.all(names.map((name) => write(graceful, name)));
  await Promise.all(
    names.map(async (name) => {
      await pipeline(graceful.createReadStream(name), graceful.createWriteStream(`${name}.copy`));
    }),
  );
  const copies = await Promise.all(names.map((name) => graceful.promises.readFile(`${name}.copy`, 'utf8')));
  expect(copies).toEqual(names);
  process.exit();
});
