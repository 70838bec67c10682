/** Files without a name: on the disk's list when a commit finds them, and on none when they are gone by then. */
import { expect, test } from 'vitest';
import { FaultDisk } from '../../host/devices/fault.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import { bytesOf, checkClean, diskMachine, logOf, mkfs, MOUNTPOINT as M, NODE, onImage } from './image.ts';

function onDisk(run: (machine: Machine, disk: MemoryDisk) => void): void {
  const disk = MemoryDisk.of(mkfs(['-t', 'ext4']));
  const machine = diskMachine({ disks: [disk] });
  machine.process().mount(NODE, M, 'ext4');
  run(machine, disk);
  machine.process().umount(M);
  machine.shutdown();
  checkClean(bytesOf(disk));
}

/** A commit, which no file of the test asks for. */
function commit({ fs }: Machine): void {
  const fd = fs.openSync(`${M}/other`, 'w');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** What a crash leaves is mounted, and then sound. Returns how many orphans the mount has ended. */
function afterCrash(image: Uint8Array): number {
  let ended = 0;
  onImage(image, (machine) => {
    const line = logOf(machine).find((text) => text.includes('orphans ended'));
    ended = Number(/orphans ended: (\d+)/.exec(line ?? '')?.[1] ?? 0);
  });
  return ended;
}

test('files that are open are on it, and whoever is closed first leaves it', () => {
  onDisk((machine, disk) => {
    const { fs } = machine;
    const fds = ['a', 'b', 'c', 'd'].map((name) => {
      const fd = fs.openSync(`${M}/${name}`, 'w+');
      fs.writeSync(fd, name.repeat(10_000));
      fs.fsyncSync(fd);
      fs.unlinkSync(`${M}/${name}`);
      return fd;
    });
    // two go before any commit has seen them, from the middle and from the end
    fs.closeSync(fds[1]);
    fs.closeSync(fds[3]);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(2);
    expect(fs.readSync(fds[0], Buffer.alloc(10_000), 0, 10_000, 0)).toBe(10_000);
    fs.writeSync(fds[0], 'more');
    fs.fsyncSync(fds[0]);
    expect(afterCrash(bytesOf(disk))).toBe(2);
    fs.closeSync(fds[0]);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(1);
    fs.closeSync(fds[2]);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(0);
  });
});

test('a file that nobody has is on none', () => {
  onDisk((machine, disk) => {
    const { fs } = machine;
    for (let i = 0; i < 20; i++) fs.writeFileSync(`${M}/${i}`, 'x'.repeat(5000));
    fs.mkdirSync(`${M}/dir`);
    machine.process().sync();
    for (let i = 0; i < 20; i++) fs.unlinkSync(`${M}/${i}`);
    fs.rmdirSync(`${M}/dir`);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(0);
  });
});

test('a directory without a name, and a file that gets one again', () => {
  onDisk((machine, disk) => {
    const { fs } = machine;
    fs.mkdirSync(`${M}/dir`);
    const dir = fs.openSync(`${M}/dir`, 'r');
    fs.rmdirSync(`${M}/dir`);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(1);
    fs.closeSync(dir);
    // over an open file, by a rename
    fs.writeFileSync(`${M}/over`, 'old');
    const over = fs.openSync(`${M}/over`, 'r');
    fs.writeFileSync(`${M}/from`, 'new');
    fs.renameSync(`${M}/from`, `${M}/over`);
    commit(machine);
    expect(afterCrash(bytesOf(disk))).toBe(1);
    fs.closeSync(over);
  });
});

test('what cannot be freed is left to the next mount', () => {
  // more pieces than an inode has room for: where they are is in a block of its own
  const made = onImage(mkfs(['-t', 'ext4', '-b', '1024'], { sizeBytes: 16 << 20 }), ({ fs }) => {
    const fd = fs.openSync(`${M}/pieces`, 'w');
    for (let i = 0; i < 40; i++) fs.writeSync(fd, 'x', 2048 * i);
    fs.closeSync(fd);
  });
  const disk = MemoryDisk.of(made);
  const faults = new FaultDisk(disk);
  const machine = diskMachine({ disks: [faults] });
  const root = machine.process();
  root.mount(NODE, M, 'ext4', 0, 'errors=continue');
  const { fs } = machine;
  fs.writeFileSync(`${M}/near`, '');
  root.sync();
  expect(fs.statSync(`${M}/pieces`).size).toBe(2048 * 39 + 1);
  faults.add({ kind: 'error', on: 'read', times: Number.POSITIVE_INFINITY });
  expect(codeOf(() => fs.unlinkSync(`${M}/pieces`))).toBe('none');
  faults.clear();
  expect(codeOf(() => fs.statSync(`${M}/pieces`))).toBe('ENOENT');
  commit(machine);
  const left = bytesOf(disk);
  expect(afterCrash(left)).toBe(1);
  root.umount(M);
  machine.shutdown();
  expect(afterCrash(bytesOf(disk))).toBe(1);
});

test('a clock that begins in 1970', () => {
  onImage(
    mkfs(['-t', 'ext4']),
    ({ fs }) => {
      for (let i = 0; i < 5; i++) fs.writeFileSync(`${M}/${i}`, 'x');
      for (let i = 0; i < 3; i++) fs.unlinkSync(`${M}/${i}`);
    },
    { clock: 'virtual' },
  );
});
