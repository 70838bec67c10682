import type { Dirent } from 'node:fs';
import { expect } from 'vitest';
import { called, type Fs, same, sameEach, tree } from './oracle.ts';

function plant(fs: Fs, root: string): void {
  fs.mkdirSync(`${root}/src/a/b/c`, { recursive: true });
  fs.mkdirSync(`${root}/src/empty`, { mode: 0o710 });
  for (const [i, at] of ['src', 'src/a', 'src/a/b', 'src/a/b/c'].entries()) {
    fs.writeFileSync(`${root}/${at}/file${i}`, `content ${i}`, { mode: 0o600 + i });
    fs.writeFileSync(`${root}/${at}/.hidden${i}`, '');
  }
  fs.symlinkSync('a/file1', `${root}/src/link`);
  fs.symlinkSync('../a', `${root}/src/a/up`);
  fs.symlinkSync('nowhere', `${root}/src/dangling`);
}

same('mkdir recursive returns the first directory made', async (fs, root) => [
  fs.mkdirSync(`${root}/a/b/c`, { recursive: true }),
  fs.mkdirSync(`${root}/a/b/c`, { recursive: true }),
  fs.mkdirSync(`${root}/a/b/d/e/`, { recursive: true, mode: 0o700 }),
  fs.mkdirSync(`${root}/x`),
  await fs.promises.mkdir(`${root}/y/z`, { recursive: true }),
  await called((cb) => fs.mkdir(`${root}/p/q`, { recursive: true }, cb)),
  await called((cb) => fs.mkdir(`${root}/r`, cb)),
  tree(fs, root),
]);

same('readdir in all its forms', async (fs, root) => {
  plant(fs, root);
  const src = `${root}/src`;
  const byName = (a: Dirent, b: Dirent) =>
    `${a.parentPath}/${a.name}` < `${b.parentPath}/${b.name}` ? -1 : 1;
  return [
    fs.readdirSync(src),
    fs.readdirSync(src, { withFileTypes: true }).sort(byName),
    fs.readdirSync(`${src}/a/b`, { recursive: true }),
    fs.readdirSync(src, { recursive: true, withFileTypes: true }).sort(byName),
    await fs.promises.readdir(src),
    (await fs.promises.readdir(src, { withFileTypes: true })).sort(byName),
    (await called((cb) => fs.readdir(`${src}/empty`, cb))).flat(),
    fs.readdirSync(src, { encoding: 'buffer' }).map(String),
  ];
});

same('a directory that takes several batches', (fs, root) => {
  for (let i = 0; i < 1000; i++) fs.writeFileSync(`${root}/file-${i}`, '');
  for (let i = 0; i < 1000; i += 3) fs.unlinkSync(`${root}/file-${i}`);
  const names = fs.readdirSync(root);
  return [names.length, new Set(names).size, names.sort()];
});

same('Dir', async (fs, root) => {
  plant(fs, root);
  const results: unknown[] = [];
  const dir = fs.opendirSync(`${root}/src`, { bufferSize: 2 });
  const names: string[] = [];
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) names.push(entry.name);
  results.push(dir.path, names.sort(), dir.readSync());
  dir.closeSync();
  for (const work of [() => dir.readSync(), () => dir.closeSync()]) {
    try {
      work();
    } catch (error) {
      results.push(error);
    }
  }
  const found: string[] = [];
  for await (const entry of await fs.promises.opendir(`${root}/src`))
    found.push(`${entry.name} ${entry.isDirectory()}`);
  results.push(found.sort());
  const deep: string[] = [];
  for await (const entry of await fs.promises.opendir(`${root}/src`, { recursive: true }))
    deep.push(`${entry.parentPath}/${entry.name}`);
  results.push(deep.sort());
  const early = await fs.promises.opendir(`${root}/src`);
  for await (const _ of early) break;
  results.push(
    await called((cb) => fs.opendir(`${root}/none`, cb)).then(([error]) =>
      (error as Error).message.slice(0, 6),
    ),
  );
  return results;
});

same('rm', async (fs, root) => {
  const results: unknown[] = [];
  for (const remove of [
    () => fs.rmSync(`${root}/src`, { recursive: true }),
    () => fs.promises.rm(`${root}/src`, { recursive: true }),
    () => called((cb) => fs.rm(`${root}/src`, { recursive: true, force: true }, cb)),
    () => fs.promises.rmdir(`${root}/src`, { recursive: true }),
  ]) {
    plant(fs, root);
    await remove();
    results.push(fs.readdirSync(root));
  }
  fs.writeFileSync(`${root}/file`, '');
  fs.rmSync(`${root}/file`);
  fs.rmSync(`${root}/none`, { force: true });
  return results;
});

sameEach('errors of rm', async (fs, root, attempt) => {
  fs.mkdirSync(`${root}/d`);
  await attempt('later none', () => fs.promises.rm(`${root}/none`));
  await attempt('later dir', () => fs.promises.rm(`${root}/d`));
  await attempt('callback none', () => called((cb) => fs.rm(`${root}/none`, cb)));
  await attempt('callback dir', () => called((cb) => fs.rm(`${root}/d`, cb)));
});

same('cp of a tree', async (fs, root) => {
  plant(fs, root);
  const src = `${root}/src`;
  fs.cpSync(src, `${root}/one`, { recursive: true });
  await fs.promises.cp(src, `${root}/two`, { recursive: true, verbatimSymlinks: true });
  await called((cb) =>
    fs.cp(src, `${root}/deep/three`, { recursive: true, filter: (from) => !from.includes('hidden') }, cb),
  );
  await fs.promises.cp(src, `${root}/four`, { recursive: true, filter: async (from) => !from.endsWith('b') });
  fs.unlinkSync(`${src}/dangling`);
  fs.unlinkSync(`${src}/a/up`);
  fs.cpSync(src, `${root}/five`, { recursive: true, dereference: true });
  return tree(fs, root);
});

same('cp over what is there', async (fs, root) => {
  const file = (name: string, text: string) => fs.writeFileSync(`${root}/${name}`, text);
  file('a', 'A');
  file('b', 'B');
  fs.cpSync(`${root}/a`, `${root}/b`, { force: false });
  const kept = fs.readFileSync(`${root}/b`, 'utf8');
  fs.cpSync(`${root}/a`, `${root}/b`);
  fs.utimesSync(`${root}/a`, 100, 200);
  fs.chmodSync(`${root}/a`, 0o444);
  fs.cpSync(`${root}/a`, `${root}/c`, { preserveTimestamps: true });
  return [
    kept,
    fs.readFileSync(`${root}/b`, 'utf8'),
    fs.statSync(`${root}/c`),
    fs.statSync(`${root}/c`).mtimeMs,
  ];
});

sameEach('errors of cp', async (fs, root, attempt) => {
  plant(fs, root);
  const src = `${root}/src`;
  fs.writeFileSync(`${root}/file`, '');
  for (const cp of [fs.cpSync, fs.promises.cp] as Array<typeof fs.cpSync>) {
    // Node's cpSync says EISDIR with EINVAL's number; its cp has the right one, and so have both of ours.
    if (cp !== fs.cpSync) await attempt('directory', () => cp(`${src}/empty`, `${root}/x`));
    await attempt('none', () => cp(`${root}/none`, `${root}/x`));
    await attempt('same', () => cp(`${root}/file`, `${root}/file`));
    await attempt('file over dir', () => cp(`${root}/file`, src));
    await attempt('dir over file', () => cp(src, `${root}/file`, { recursive: true }));
    await attempt('into itself', () => cp(src, `${src}/a/b/new`, { recursive: true }));
    await attempt('errorOnExist', () =>
      cp(`${root}/file`, `${src}/file0`, { force: false, errorOnExist: true }),
    );
    await attempt('options', () => cp(src, `${root}/x`, 5 as unknown as object));
    await attempt('mode', () => cp(src, `${root}/x`, { mode: 99 }));
    await attempt('pair', () => cp(src, `${root}/x`, { dereference: true, verbatimSymlinks: true }));
    await attempt('filter', () => cp(src, `${root}/x`, { filter: 5 as unknown as () => boolean }));
  }
});

same('mkdtemp', async (fs, root) => {
  const names = [
    fs.mkdtempSync(`${root}/x-`),
    await fs.promises.mkdtemp(`${root}/x-`),
    (await called((cb) => fs.mkdtemp(`${root}/x-`, cb)))[1] as string,
  ];
  expect(new Set(names).size).toBe(3);
  return names.map((name) => [/x-[A-Za-z0-9]{6}$/.test(name), name.length, fs.statSync(name)]);
});
