/** Metadata that was damaged: an error or an answer, and never a panic. */
import * as nodeFs from 'node:fs';
import { expect, test } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { KernelPanic } from '../../host/machine/panic.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { diskMachine, inTemporary, mkfs, MOUNTPOINT as M, NODE } from './image.ts';
import { plant } from './tree.ts';

const ROUNDS = Number(process.env.HOSTILE ?? 25);
const SEED = Number(process.env.SEED ?? 1);

/** A generator of numbers below n, by a seed. */
function random(seed: number): (n: number) => number {
  let state = seed * 2654435761 + 1;
  return (n) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.floor(((state ^ (state >>> 12)) >>> 0) % n);
  };
}

/** Whatever it throws but a panic is an answer. */
function tried(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (error instanceof KernelPanic || !('code' in (error as object))) throw error;
  }
}

/** Look at everything, change a bit of everything. */
function wander(machine: Machine): void {
  const root = machine.process();
  const { fs } = root;
  const todo = [M];
  for (let n = 0; n < 400 && todo.length > 0; n++) {
    const path = todo.pop() as string;
    tried(() => {
      const stat = fs.lstatSync(path);
      if (stat.isDirectory()) todo.push(...fs.readdirSync(path).map((name) => `${path}/${name}`));
      else if (stat.isSymbolicLink()) fs.readlinkSync(path);
      else if (stat.isFile() && stat.size < 1 << 20) {
        const fd = fs.openSync(path, 'r');
        fs.readSync(fd, Buffer.alloc(stat.size + 10));
        fs.closeSync(fd);
      }
    });
    tried(() => root.listxattr(path, false));
    const kind = n % 8;
    if (kind === 0) tried(() => fs.renameSync(path, `${M}/moved${n}`));
    if (kind === 1) tried(() => fs.rmSync(path, { recursive: true }));
    if (kind === 2) tried(() => fs.writeFileSync(path, 'changed'.repeat(n)));
    if (kind === 3) tried(() => root.setxattr(path, 'user.new', Buffer.alloc(n % 200)));
    if (kind === 4) tried(() => fs.mkdirSync(`${path}/dir`));
    if (kind === 5) tried(() => fs.linkSync(path, `${M}/many/link${n}`));
    if (kind === 6) tried(() => fs.truncateSync(path, n * 100));
    if (kind === 7) tried(() => fs.writeFileSync(`${path}/file`, 'made'));
  }
}

test.each([
  ['ext2', ['-t', 'ext2', '-b', '1024']],
  ['ext2, 4 KiB', ['-t', 'ext2', '-b', '4096', '-N', '512']],
  ['ext4', ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^has_journal']],
  ['ext4 with a journal', ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum']],
  ['ext4, inline_data', ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^has_journal,inline_data']],
])('%s', (_name, args) => {
  inTemporary((directory) => {
    plant(nodeFs, directory, 60);
    const image = mkfs(args, { sizeBytes: 4 << 20, from: directory });
    // indexed and attributed by the machine itself
    const disk = MemoryDisk.of(image);
    const first = diskMachine({ disks: [disk] });
    first.process().mount(NODE, M, 'ext4');
    first.fs.writeFileSync(`${M}/many/more`, '');
    for (let i = 0; i < 200; i++) first.fs.linkSync(`${M}/many/more`, `${M}/many/${'l'.repeat(i % 50)}${i}`);
    for (let i = 0; i < 5; i++)
      first.process().setxattr(`${M}/many/more`, `user.attribute${i}`, Buffer.alloc(80));
    first.process().umount(M);
    first.shutdown();
    const good = new Uint8Array(disk.sizeBytes);
    disk.read(0, good, 0, good.length);
    // where something is, and is not a file's content
    const used: number[] = [];
    for (let at = 1024; at < good.length; at += 4)
      if (good[at] !== 0 && !'content of '.includes(String.fromCharCode(good[at]))) used.push(at);
    for (let round = 0; round < ROUNDS; round++) {
      const seed = SEED * 100_000 + round;
      const pick = random(seed);
      const bad = good.slice();
      for (let i = pick(30) + 1; i > 0; i--) {
        const at = used[pick(used.length)] + pick(4);
        bad[at] = pick(3) === 0 ? pick(256) : bad[at] ^ (1 << pick(8));
      }
      const machine = diskMachine({ disks: [MemoryDisk.of(bad)] });
      try {
        tried(() => {
          machine.process().mount(NODE, M, 'ext4', 0, pick(2) === 0 ? 'errors=continue' : '');
          wander(machine);
          machine.process().umount(M);
        });
        machine.shutdown();
      } catch (error) {
        expect.fail(
          `seed ${seed}: ${error instanceof Error ? error.stack : error}\n${error instanceof Error && error.cause instanceof Error ? error.cause.stack : ''}`,
        );
      }
    }
  });
});
