/** `img tar` and `img untar` beside GNU's tar: what one writes the other reads, with nothing lost. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { damselfly, isRoot, MAIN, makeAwkwardTree } from './command.ts';
import { create, fsck } from './images.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-tar-'));
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+rwx', base]);
  fs.rmSync(base, { recursive: true });
});
const at = (name: string) => join(base, name);

function img(...args: string[]) {
  return damselfly(['img', ...args], base);
}

function untar(archive: Buffer, image: string, to: string) {
  return spawnSync(process.execPath, [MAIN, 'img', 'untar', image, to], { input: archive, encoding: 'utf8' });
}

const archived = (image: string, path: string) =>
  execFileSync(process.execPath, [MAIN, 'img', 'tar', image, path], { maxBuffer: 64 << 20 });
const gnu = (...args: string[]) => execFileSync('tar', args, { cwd: base, maxBuffer: 256 << 20 });

/** All that is known of a tree. */
function listing(dir: string): string {
  const found = execFileSync('find', ['.', '-printf', '%p %y %m %U %G %T@ %l %n %D\\0'], {
    cwd: dir,
    encoding: 'latin1',
  });
  const sums = execFileSync('sh', ['-c', 'find . -type f -print0 | sort -z | xargs -0 sha256sum'], {
    cwd: dir,
    encoding: 'latin1',
  });
  const attributes = execFileSync(
    'getfattr',
    ['-R', '-P', '-h', '-d', '-m', '^(user|trusted)', '-e', 'hex', '.'],
    {
      cwd: dir,
      encoding: 'latin1',
    },
  );
  const lines = found
    .replace(/ \d+\0/g, '\0')
    .split('\0')
    .sort()
    .join('\n');
  return `${lines}\n${sums}\n${attributes.split('\n\n').sort().join('\n')}`;
}

test('everything goes in from GNU tar, and out again to it', ({ skip }) => {
  skip(!isRoot, 'only root gives files away');
  const tree = at('tree');
  makeAwkwardTree(tree);
  fs.writeFileSync(`${tree}/ids`, 'large numbers');
  fs.chownSync(`${tree}/ids`, 3_000_000, 4_000_000_000);
  execFileSync('mknod', [`${tree}/wide`, 'c', '511', '1048575']);
  fs.writeFileSync(Buffer.from(`${tree}/${'n'.repeat(150)}\xff`, 'latin1'), 'long and not UTF-8');
  fs.writeFileSync(`${tree}/größe`, 'UTF-8');
  const old = `${tree}/old`;
  fs.writeFileSync(old, 'before 1970');
  execFileSync('touch', ['-d', '@-1234567.25', old]);
  fs.writeFileSync(`${tree}/far`, 'after 2242');
  execFileSync('touch', ['-d', '@9999999999.5', `${tree}/far`]);
  const image = create(at('all.img'));
  const inward = gnu('-c', '--format=posix', '--xattrs', '--xattrs-include=*', '-C', tree, '.');
  expect(untar(inward, image, '/t')).toMatchObject({ status: 0, stderr: '' });
  fs.writeFileSync(at('out.tar'), archived(image, '/t'));
  fs.mkdirSync(at('out'));
  gnu('-x', '-p', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-f', 'out.tar', '-C', 'out');
  expect(listing(at('out/t'))).toBe(listing(tree));
  expect(fsck(image)).toMatchObject({ status: 0 });
});

test.each([
  ['v7', ['--format=v7']],
  ['oldgnu', ['--format=oldgnu']],
  ['gnu, sparse', ['--format=gnu', '--sparse']],
  ['pax, sparse 0.0', ['--format=posix', '--sparse', '--sparse-version=0.0']],
  ['pax, sparse 0.1', ['--format=posix', '--sparse', '--sparse-version=0.1']],
  ['pax, sparse 1.0', ['--format=posix', '--sparse', '--sparse-version=1.0']],
])('archives of GNU tar: %s', (name, options) => {
  const dir = at(`gnu-${name.replace(/\W/g, '-')}`);
  fs.mkdirSync(`${dir}/sub`, { recursive: true });
  fs.writeFileSync(`${dir}/sub/file`, 'text');
  fs.symlinkSync('sub/file', `${dir}/link`);
  const sparse = fs.openSync(`${dir}/sparse`, 'w');
  for (let i = 0; i < 60; i++) fs.writeSync(sparse, `piece ${i}`, i * 65536);
  fs.ftruncateSync(sparse, 5 << 20);
  fs.closeSync(sparse);
  fs.writeFileSync(`${dir}/behind`, 'it');
  const image = create(`${dir}.img`);
  const archive = gnu('-c', ...options, '-C', dir, 'sub', 'link', 'sparse', 'behind');
  expect(untar(archive, image, '/t')).toMatchObject({ status: 0, stderr: '' });
  expect(img('get', image, '/t', `${dir}-out`).status).toBe(0);
  expect(fs.readFileSync(`${dir}-out/sparse`).equals(fs.readFileSync(`${dir}/sparse`))).toBe(true);
  if (options.includes('--sparse')) expect(fs.statSync(`${dir}-out/sparse`).blocks).toBeLessThan(4096);
  expect(fs.readFileSync(`${dir}-out/sub/file`, 'utf8')).toBe('text');
  expect(fs.readFileSync(`${dir}-out/behind`, 'utf8')).toBe('it');
  expect(fs.readlinkSync(`${dir}-out/link`)).toBe('sub/file');
});

test('an archive that ends early, or is none, or has a map that cannot be', () => {
  const image = create(at('bad.img'));
  fs.writeFileSync(at('large'), Buffer.alloc(100_000, 'x'));
  const archive = gnu('-c', 'large');
  for (const bad of [archive.subarray(0, 50_000), archive.subarray(0, 700), Buffer.alloc(10_240, 'no tar')]) {
    const ended = untar(bad, image, '/t');
    expect(ended.stderr).toContain('tar: This does not look like a tar archive');
    expect(ended.status).toBe(2);
  }
  expect(img('ls', image, '/t').stdout).toBe('');
  expect(fsck(image)).toMatchObject({ status: 0 });
});

test('no room for an archive', ({ skip }) => {
  skip(!isRoot, 'only root mounts a small tmpfs');
  const image = create(at('room.img'));
  fs.writeFileSync(at('big'), Buffer.alloc(3 << 20, 'x'));
  expect(img('put', image, 'big', '/big').status).toBe(0);
  fs.mkdirSync(at('small'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', at('small')]);
  try {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', '"$0" "$1" img tar "$2" / >"$3"', process.execPath, MAIN, image, at('small/x.tar')],
      { encoding: 'utf8' },
    );
    expect(stderr).toMatch(/^damselfly: cannot write the output: ENOSPC.*\n$/);
    expect(status).toBe(1);
  } finally {
    execFileSync('umount', [at('small')]);
  }
});
