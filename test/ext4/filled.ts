/** Images with something in them, made by e2fsprogs alone. */
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { expect } from 'vitest';
import { e2fsck, mke2fs, must, newPath } from './tools.ts';

const MIB = 2 ** 20;

/** A tree with what a file system can have, made without mounting it. */
function sourceTree(): string {
  const root = newPath();
  mkdirSync(`${root}/many`, { recursive: true });
  for (let i = 0; i < 300; i++) writeFileSync(`${root}/many/file-with-a-rather-long-name-${i}`, `${i}`);
  for (let i = 0; i < 20; i++) mkdirSync(`${root}/dirs/${i}`, { recursive: true });
  symlinkSync('short', `${root}/short-link`);
  symlinkSync('x'.repeat(100), `${root}/long-link`);
  const big = new Uint8Array(700_000);
  for (let i = 0; i < big.length; i++) big[i] = (i * 31) >> 3;
  writeFileSync(`${root}/big`, big);
  const holes = openSync(`${root}/holes`, 'w');
  for (let i = 0; i < 40; i++) writeSync(holes, big, 0, 4096, i * 16384);
  closeSync(holes);
  must('mkfifo', `${root}/fifo`);
  return root;
}

/** An image of e2fsprogs's making, with indexed directories and extended attributes. */
export function filled(...args: string[]): Uint8Array<ArrayBuffer> {
  const path = mke2fs(16 * MIB, '-d', sourceTree(), ...args);
  const value = newPath();
  writeFileSync(value, 'v'.repeat(400));
  for (const name of ['big', 'many'])
    must('debugfs', '-w', '-R', `ea_set -f ${value} ${name} user.test`, path);
  must('debugfs', '-w', '-R', 'mknod null c 1 3', path);
  // it leaves the index as it made it: 1 is "errors corrected"
  try {
    must('e2fsck', '-fyD', path);
  } catch {}
  expect(e2fsck(path).status).toBe(0);
  return new Uint8Array(readFileSync(path));
}
