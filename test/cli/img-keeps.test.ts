/** `img put` and `img get`: what of a file is kept, and what is said of what is not. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { damselfly, isRoot } from './command.ts';
import { create, fsck } from './images.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-keeps-'));
afterAll(() => fs.rmSync(base, { recursive: true }));
const at = (name: string) => join(base, name);

function img(...args: string[]) {
  const ended = damselfly(['img', ...args], base);
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  return ended;
}

const attributes = (file: string) =>
  execFileSync('getfattr', ['-d', '-m', '-', '-e', 'hex', '--absolute-names', file], { encoding: 'latin1' })
    .split('\n')
    .slice(1)
    .sort();

test('names of attributes are bytes', () => {
  const image = create(at('names.img'));
  fs.mkdirSync(at('names'));
  fs.writeFileSync(at('names/f'), 'text');
  execFileSync('setfattr', ['-n', 'user.größe', '-v', 'groß', at('names/f')]);
  execFileSync('python3', [
    '-c',
    'import os, sys; os.setxattr(sys.argv[1], b"user.\\xff\\xfe", b"odd")',
    at('names/f'),
  ]);
  expect(img('put', image, 'names', '/names')).toMatchObject({ status: 0, stderr: '' });
  expect(img('get', image, '/names', 'names-out').status).toBe(0);
  expect(attributes(at('names-out/f'))).toEqual(attributes(at('names/f')));
  expect(fsck(image)).toMatchObject({ status: 0 });
});

test('attributes that have no room are named, and the file and its links are kept', () => {
  const image = create(at('many.img'), '--block-size', '1024', '--inode-size', '128');
  fs.mkdirSync(at('many'));
  fs.writeFileSync(at('many/f'), 'text');
  for (let i = 0; i < 16; i++)
    execFileSync('setfattr', ['-n', `user.a${i}`, '-v', 'v'.repeat(60), at('many/f')]);
  fs.linkSync(at('many/f'), at('many/g'));
  fs.writeFileSync(at('many/h'), 'behind it');
  const put = img('put', image, 'many', '/many');
  expect(put.stderr).toMatch(
    /not kept: attribute user\.a\d+ of many\/f to .*:\/many\/f: the attributes of a file have no room for it\n/,
  );
  expect(put.stderr).not.toContain('is full');
  expect(put.status).toBe(1);
  expect(img('cat', image, '/many/f', '/many/g', '/many/h').stdout).toBe('texttextbehind it');
  expect(img('stat', image, '-c', '%h', '/many/g').stdout).toBe('2\n');
  expect(fsck(image)).toMatchObject({ status: 0 });
});

test("device numbers are Linux's", ({ skip }) => {
  skip(!isRoot, 'only root makes device nodes');
  const image = create(at('devices.img'));
  fs.mkdirSync(at('devices'));
  execFileSync('mknod', [at('devices/b'), 'b', '511', '1048575']);
  execFileSync('mknod', [at('devices/c'), 'c', '4', '255']);
  expect(img('put', image, 'devices', '/devices').status).toBe(0);
  const listed = img('ls', image, '-l', '/devices').stdout;
  expect(listed).toContain(' 511, 1048575 ');
  expect(listed).toMatch(/ 4, +255 /);
  expect(img('stat', image, '-c', '%t %T', '/devices/b').stdout).toBe('1ff fffff\n');
  expect(img('get', image, '/devices', 'devices-out').status).toBe(0);
  expect(fs.statSync(at('devices-out/b')).rdev).toBe(fs.statSync(at('devices/b')).rdev);
});

test('large holes are not read, and stay holes', () => {
  const image = create(at('holes.img'));
  const fd = fs.openSync(at('hole'), 'w');
  fs.writeSync(fd, 'begin', 0);
  fs.writeSync(fd, 'middle', 3 * 2 ** 30 + 5);
  fs.ftruncateSync(fd, 6 * 2 ** 30);
  fs.closeSync(fd);
  const put = img('put', image, 'hole', '/hole');
  expect(put).toMatchObject({ status: 0, stderr: '' });
  expect(put.stdout).toContain('1 name, 8 KiB');
  expect(img('stat', image, '-c', '%s', '/hole').stdout).toBe(`${6 * 2 ** 30}\n`);
  expect(img('get', image, '/hole', 'hole-out').status).toBe(0);
  const out = fs.openSync(at('hole-out'), 'r');
  const bytes = Buffer.alloc(6);
  fs.readSync(out, bytes, 0, 6, 3 * 2 ** 30 + 5);
  fs.closeSync(out);
  expect(bytes.toString()).toBe('middle');
  expect(fs.statSync(at('hole-out')).blocks).toBeLessThan(1000);
});

test.each(['directory', 'file'])('the tour takes any tree: a %s', (kind) => {
  const tree = at(`tour-${kind}`);
  fs.mkdirSync(tree);
  if (kind === 'file') fs.writeFileSync(`${tree}/only`, 'a file');
  const { status, stdout } = damselfly(['boot', '--import', `${tree}:/src`, '--tour']);
  expect(stdout).toContain('steps, all as expected');
  expect(status).toBe(0);
});

test('a full image boots', () => {
  const image = create(at('full.img'));
  const boot = (...args: string[]) => damselfly(['boot', '--disk', image, ...args]);
  const fill =
    'mount -t ext4 /dev/vbd0 /mnt; mkdir /mnt/bin /mnt/dev /mnt/etc /mnt/tmp /mnt/proc; cat /dev/zero >/mnt/zeros';
  boot('-c', fill);
  const line = 'cat /zeros | head -c 5 | wc -c; echo x > /tmp/x && cat /tmp/x';
  for (let time = 0; time < 2; time++) {
    const ended = boot('--root', 'ext4:/dev/vbd0', '-c', line);
    expect(ended.stderr).toMatch(/^damselfly: the root is full: .*\/bin .*in RAM.*\n$/);
    expect(ended.stdout).toBe('5\nx\n');
    expect(ended.status).toBe(0);
  }
  const bare = create(at('bare.img'));
  damselfly(['boot', '--disk', bare, '-c', 'mount -t ext4 /dev/vbd0 /mnt; cat /dev/zero >/mnt/zeros']);
  const ended = damselfly(['boot', '--disk', bare, '--root', 'ext4:/dev/vbd0', '-c', 'ls']);
  expect(ended.stderr).toContain('damselfly: the root is full: ');
  expect(ended.status).toBe(0);
  for (const each of [image, bare]) expect(fsck(each)).toMatchObject({ status: 0 });
});
