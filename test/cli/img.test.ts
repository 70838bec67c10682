/** `damselfly img`: what it does with images, and what it says when it does not. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { damselfly, isRoot, MAIN } from './command.ts';
import { create, fsck, partitioned } from './images.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-img-'));
afterAll(() => fs.rmSync(base, { recursive: true }));
const at = (name: string) => join(base, name);

const empty = at('empty.img');
const disk = at('disk.img');
beforeAll(() => {
  create(empty);
  partitioned(disk, empty);
  fs.writeFileSync(at('none.img'), '');
  fs.writeFileSync(at('small.img'), Buffer.alloc(700));
  fs.mkdirSync(at('tree/inner'), { recursive: true });
  fs.writeFileSync(at('tree/inner/file'), 'text');
});

function copy(name: string): string {
  fs.copyFileSync(empty, at(name));
  return at(name);
}

function img(...args: string[]) {
  const ended = damselfly(['img', ...args], base);
  // A mistake of the user's is no reason for a stack trace.
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
  return ended;
}

test.for(['ls', 'cat', 'tree', 'find', 'rm', 'tar', 'untar', 'check', 'tune', 'get', 'put'])(
  '%s of a disk with partitions names them',
  (command) => {
    const more: Record<string, string[]> = { tune: ['--label', 'x'], get: ['/', 'out'], put: ['tree', '/'] };
    const { status, stdout, stderr } = img(command, 'disk.img', ...(more[command] ?? []));
    expect(stderr).toBe(
      'damselfly: disk.img is a disk with partitions: name one of them, as disk.img#1\n' +
        'disk.img#1  16 MiB\ndisk.img#2  1 MiB\n',
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  },
);

test('info lists partitions, and a partition is as an image', () => {
  expect(img('info', 'disk.img')).toMatchObject({
    status: 0,
    stdout: 'disk.img#1  16 MiB\ndisk.img#2  1 MiB\n',
  });
  expect(img('ls', 'disk.img#1')).toMatchObject({ status: 0, stdout: 'lost+found\n' });
  expect(img('check', 'disk.img#1').status).toBe(0);
  const none = img('ls', 'disk.img#3');
  expect(none.stderr).toContain('has no partition 3:\ndisk.img#1  16 MiB');
  expect(none.status).toBe(1);
  expect(img('ls', 'disk.img#16').status).toBe(2);
  expect(img('ls', 'empty.img#1').stderr).toContain('has no partition 1 and no other');
});

test('tune changes the label and the UUID, of a partition too', () => {
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  const image = copy('tuned.img');
  expect(img('tune', image, '--label', 'data', '--uuid', uuid).status).toBe(0);
  const { stdout } = img('info', image);
  expect(stdout).toContain('volume name:   data\n');
  expect(stdout).toContain(uuid);
  expect(fsck(image)).toMatchObject({ status: 0 });
  const whole = partitioned(at('tuned-disk.img'), empty);
  expect(img('tune', `${whole}#1`, '--label', 'part', '--uuid', 'random').status).toBe(0);
  expect(img('check', `${whole}#1`).stdout).toContain('clean');
  expect(img('info', `${whole}#1`).stdout).toContain('volume name:   part\n');
  expect(img('tune', image)).toMatchObject({ status: 2 });
  const long = img('tune', image, '--label', 'seventeen letters');
  expect(long.stderr).toContain(`cannot tune ${image}: a label has at most 16 bytes`);
  expect(long.status).toBe(2);
});

test('put and get make no directories on the way, unless told', () => {
  const image = copy('parents.img');
  const refused = img('put', image, 'tree', '/no/such/dir');
  expect(refused.stderr).toBe(
    `damselfly: there is no directory ${image}:/no/such (--parents makes what is missing)\n`,
  );
  expect(refused.status).toBe(1);
  expect(img('put', image, 'tree', '/dir/').stderr).toContain(`no directory ${image}:/dir`);
  expect(img('ls', image).stdout).toBe('lost+found\n');
  expect(img('put', image, 'tree', '/a/b', '--parents').status).toBe(0);
  expect(img('put', image, 'tree', '/a/').status).toBe(0);
  expect(img('cat', image, '/a/b/inner/file', '/a/tree/inner/file').stdout).toBe('texttext');
  expect(img('get', image, '/a', 'x/y').stderr).toContain(`no directory ${at('x')}`);
  expect(img('get', image, '/a/b', 'x/y', '-p').status).toBe(0);
  expect(fs.readFileSync(at('x/y/inner/file'), 'utf8')).toBe('text');
});

test('what cannot be written says why', () => {
  const named = img('put', 'empty.img:ro', 'tree', '/');
  expect(named.stderr).toContain(':ro is for boot --disk');
  expect(named.status).toBe(2);
  const featured = copy('featured.img');
  // ro_compat verity, which is only read; the superblock's checksum is not kept here.
  const file = create(at('plain.img'), '--features', '^metadata_csum');
  const fd = fs.openSync(file, 'r+');
  const word = Buffer.alloc(4);
  fs.readSync(fd, word, 0, 4, 1024 + 0x64);
  word.writeUInt32LE(word.readUInt32LE() | 0x8000);
  fs.writeSync(fd, word, 0, 4, 1024 + 0x64);
  fs.closeSync(fd);
  fs.renameSync(file, featured);
  const refused = img('put', featured, 'tree', '/');
  expect(refused.stderr).toBe(`damselfly: ${featured} cannot be written: read-only, for it has verity\n`);
  expect(refused.status).toBe(1);
  expect(img('ls', featured).status).toBe(0);
});

test('a file that may not be written is named', () => {
  const image = copy('readonly.img');
  fs.chmodSync(image, 0o444);
  // root may write every file, unless it gives that up
  const args = ['img', 'put', image, 'tree', '/'];
  const bound = ['--bounding-set', '-dac_override', '--', process.execPath, MAIN, ...args];
  const refused = isRoot
    ? spawnSync('setpriv', bound, { cwd: base, encoding: 'utf8' })
    : img(...args.slice(1));
  expect(refused.stderr).toContain(`${image} cannot be written: EACCES`);
  expect(refused.status).toBe(1);
});

test('an image that was cut off says how much there is', () => {
  const image = copy('cut.img');
  fs.truncateSync(image, 10 << 20);
  const said = `the image has ${10 << 20} bytes, and the file system on it ${16 << 20}: its end is missing`;
  expect(img('ls', image)).toMatchObject({
    status: 1,
    stderr: `damselfly: cannot mount ${image}: ${said}\n`,
  });
  expect(img('check', image).stdout).toContain(said);
  expect(img('info', image).stderr).toContain(said);
});

test('sizes: T, --fit with --size, and what is wrong', () => {
  expect(img('create', 'fit.img', '--fit', 'tree', '--size', '100M').stdout).toContain('100 MiB');
  expect(img('create', 'fitted.img', '--fit', 'tree', '--size', '10M').stdout).toContain('64 MiB');
  expect(img('create', 'huge.img', '--size', '1T').stdout).toContain('ext4, 1 TiB');
  fs.rmSync(at('huge.img'));
  const there = img('create', 'fit.img', '--size', '10M');
  expect(there.stderr).toBe('damselfly: cannot make fit.img: it is there already\n');
  expect(there.status).toBe(1);
});

test.for<[string[], number, string]>([
  [['create', 'x.img', '--size', '3q'], 2, '(damselfly img create --help tells more)'],
  [['create', 'x.img'], 2, 'say how large'],
  [['create', 'x.img', '--size', '0'], 2, '--size is at least 40 KiB'],
  [['create', 'x.img', '--size', '1K'], 2, '--size is at least 40 KiB, and 1 KiB hold no file system'],
  [['create', 'x.img', '--size', '1M', '--uuid', 'x'], 2, 'Invalid UUID'],
  [['tune', 'empty.img', '--uuid', 'x'], 2, 'Invalid UUID'],
  [['tune', 'empty.img', '--label', 'x'.repeat(17)], 2, 'at most 16 bytes'],
  [['ls', 'none.img'], 1, 'cannot open none.img: it is empty'],
  [['check', 'none.img'], 1, 'cannot open none.img: it is empty'],
  [['ls', 'small.img'], 1, 'cannot mount small.img: the image has 512 bytes in whole sectors: too small'],
  [['info', 'x.img', '--foo'], 2, '(damselfly img info --help tells more)'],
  [['put', 'x.img'], 2, '(damselfly img put --help tells more)'],
  [['ls', '-la', 'x.img'], 2, 'the image comes before -la'],
  [['fly'], 2, "unknown command 'fly'"],
  [['ls', 'nothing.img'], 1, 'cannot open nothing.img: there is no such file'],
  [['put', 'empty.img', 'nothing', '/'], 1, 'cannot read nothing'],
  [['create', 'x.img', '--fit', 'nothing'], 1, 'cannot read nothing'],
  [['get', 'empty.img', '/nothing', '.'], 1, 'cannot read /nothing in empty.img'],
  [['info', 'tree/inner/file'], 1, 'cannot open tree/inner/file'],
])('%j', ([args, status, message]) => {
  const ended = img(...args);
  expect(ended.stderr).toContain(message);
  expect(ended.status).toBe(status);
});

test('an ext2 that was not unmounted is told', () => {
  const image = create(at('ext2.img'), '--type', 'ext2');
  expect(img('put', image, 'tree', '/tree').stderr).toBe('');
  const bytes = fs.readFileSync(image);
  bytes.writeUInt16LE(0, 1024 + 58);
  fs.writeFileSync(image, bytes);
  const put = img('put', image, 'tree', '/again');
  expect(put.stderr).toContain('was not unmounted, and has no journal');
  expect(put.status).toBe(0);
});

test('help of the commands of the machine', () => {
  expect(img('ls', '--help').stdout).toContain("damselfly boot -c 'ls --help'");
  expect(img('--help').stdout).toContain('tune [options] <image>');
});
