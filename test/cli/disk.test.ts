/** `damselfly boot --disk`: images of the host as disks of the machine. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FileDisk } from '../../host/devices/node/file.ts';
import { damselfly } from './command.ts';
import { create } from './images.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-disk-'));
afterAll(() => fs.rmSync(base, { recursive: true }));

function image(name: string, text: string): string {
  const file = join(base, name);
  fs.writeFileSync(file, text);
  fs.truncateSync(file, 1 << 20);
  return file;
}

test('a disk is written through its node, and let go', () => {
  const file = image('a.img', 'first');
  const other = image('b.img', 'second');
  const line =
    'head -c 5 /dev/vbd0; echo; head -c 6 /dev/vbd1; echo; printf changed >/dev/vbd0; cat /etc/none';
  const ended = damselfly(['boot', '--disk', file, '--disk', `${other}:ro`, '-c', line]);
  expect(ended.stdout).toBe('first\nsecond\n');
  expect(ended.status).toBe(1);
  expect(fs.readFileSync(file, 'utf8').slice(0, 7)).toBe('changed');
  expect(fs.statSync(file).size).toBe(1 << 20);
  const refused = damselfly(['boot', '--disk', `${other}:ro`, '-c', 'printf changed >/dev/vbd0']);
  expect(refused.status).not.toBe(0);
  expect(fs.readFileSync(other, 'utf8').slice(0, 6)).toBe('second');
  expect(fs.readdirSync(base)).toEqual(['a.img', 'b.img']);
});

test('an image that is not there, is none, or is open, is refused', () => {
  const file = image('open.img', 'text');
  fs.writeFileSync(join(base, 'short'), 'short');
  expect(damselfly(['boot', '--disk', `${file}.absent`, '-c', 'true'])).toMatchObject({
    status: 1,
    stdout: '',
  });
  expect(damselfly(['boot', '--disk', join(base, 'short'), '-c', 'true']).stderr).toContain(
    'cannot open the disk',
  );
  expect(damselfly(['boot', '--disk', ':ro'])).toMatchObject({ status: 2 });
  const disk = FileDisk.open(file);
  const ended = damselfly(['boot', '--disk', file, '-c', 'true']);
  disk.close();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(`${file} is open: process ${process.pid}`);
});

test('a machine put aside needs its read-only disks again, and none that can be written', () => {
  const file = image('kept.img', 'kept');
  const saved = join(base, 'saved');
  const refused = damselfly(['boot', '--disk', file, '--save', saved]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('give it as IMG:ro');
  expect(damselfly(['boot', '--disk', `${file}:ro`, '--save', saved]).status).toBe(0);
  const again = damselfly(['boot', '--from', saved, '--disk', `${file}:ro`, '-c', 'head -c 4 /dev/vbd0']);
  expect(again).toMatchObject({ status: 0, stdout: 'kept' });
  expect(damselfly(['boot', '--from', saved, '-c', 'true'])).toMatchObject({
    status: 1,
    stderr:
      `damselfly: cannot go on from ${saved} without /dev/vbd0 (1 MiB), which is not in the snapshot: ` +
      'give the image again: --disk IMG:ro\n',
  });
  const other = image('other.img', 'other');
  const mixed = damselfly(['boot', '--from', saved, '--disk', `${other}:ro`, '-c', 'true']);
  expect(mixed.status).toBe(1);
  expect(mixed.stderr).toMatch(/^damselfly: cannot go on from .* starts with other bytes .*\n$/);
});

test('what looks like a part of an image, or a way to open it, says what to give', () => {
  const file = image('named.img', 'text');
  const part = damselfly(['boot', '--disk', `${file}:ro`, '--disk', `${file}#2`, '-c', 'true']);
  expect(part.stderr).toContain(`give --disk ${file}, and --root ext4:/dev/vbd1p2 to live there`);
  expect(part.status).toBe(2);
  const how = damselfly(['boot', '--disk', `${file}:rw`, '-c', 'true']);
  expect(how.stderr).toContain('there is no :rw, only :ro to read the image and :scratch');
  expect(how.status).toBe(2);
  fs.renameSync(file, `${file}#2`);
  expect(damselfly(['boot', '--disk', `${file}#2`, '-c', 'true']).status).toBe(0);
});

test('one image is one disk, if it is written', () => {
  const file = image('twice.img', 'text');
  fs.linkSync(file, join(base, 'same.img'));
  for (const other of [file, `${file}:ro`, join(base, 'same.img')]) {
    const { status, stderr } = damselfly(['boot', '--disk', file, '--disk', other, '-c', 'true']);
    expect(stderr).toContain('is given twice');
    expect(status).toBe(2);
  }
  const read = damselfly(['boot', '--disk', `${file}:ro`, '--disk', `${file}:scratch`, '-c', 'ls /dev/vbd?']);
  expect(read).toMatchObject({ status: 0, stdout: '/dev/vbd0\n/dev/vbd1\n' });
});

test('a root that can only be read, without /bin and with one', () => {
  const file = create(join(base, 'data.img'));
  const args = ['boot', '--disk', `${file}:ro`, '--root', 'ext4:/dev/vbd0', '-c', 'pwd; ls'];
  const without = damselfly(args);
  expect(without.stderr).toMatch(
    /^damselfly: the root .* has no \/bin and no \/dev, .* with :scratch, .*\n$/,
  );
  expect(without.status).toBe(1);
  damselfly(['img', 'mkdir', file, '/bin', '/dev']);
  expect(damselfly(args)).toMatchObject({ status: 0, stdout: '/\nbin\ndev\nlost+found\n', stderr: '' });
});

test('a device that is not there cannot be mounted', () => {
  const lines = ['mount -t ext4 /dev/vbd9 /mnt', 'mount /dev/vbd9 /mnt', 'mount -t ext4 /dev/vbd9 /nope'];
  const { stderr } = damselfly(['boot', '-c', [...lines, 'mount -t ext4 /dev/null /mnt'].join('; ')]);
  expect(stderr).toBe(
    'mount: /mnt: special device /dev/vbd9 does not exist.\n'.repeat(2) +
      'mount: /nope: mount point does not exist.\nmount: /mnt: /dev/null is not a block device.\n',
  );
});
