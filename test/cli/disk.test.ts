/** `damselfly boot --disk`: images of the host as disks of the machine. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FileDisk } from '../../host/devices/node/file.ts';
import { damselfly } from './command.ts';

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
});
