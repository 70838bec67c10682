/** No room: files, names, inodes and attributes until there is none, and e2fsck is content all the same. */
import { expect, test } from 'vitest';
import { FaultDisk } from '../../host/devices/fault.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import { ask, bytesOf, diskMachine, mkfs, MOUNTPOINT as M, NODE, onImage } from './image.ts';

/** Do it until it fails; the code it failed with. */
function until(call: (i: number) => void): string {
  for (let i = 0; ; i++) {
    const code = codeOf(() => call(i));
    if (code !== 'none') return code;
  }
}

test.each([
  ['ext2', ['-t', 'ext2', '-b', '1024']],
  ['ext4', ['-t', 'ext4', '-b', '1024', '-J', 'size=1']],
  ['ext4, 4 KiB', ['-t', 'ext4', '-b', '4096', '-O', '^has_journal']],
  ['ext4, inline_data', ['-t', 'ext4', '-b', '1024', '-J', 'size=1', '-O', 'inline_data']],
])('%s: full of blocks, of inodes, of names', (_name, args) => {
  onImage(mkfs([...args, '-N', '256'], { sizeBytes: 4 << 20 }), (machine) => {
    const { fs } = machine;
    const root = machine.process();
    expect(until((i) => fs.mkdirSync(`${M}/d${i}`))).toBe('ENOSPC');
    fs.rmdirSync(`${M}/d0`);
    fs.rmdirSync(`${M}/d1`);
    const all = fs.openSync(`${M}/all`, 'w');
    expect(until(() => fs.writeSync(all, Buffer.alloc(16_384, 1)))).toBe('ENOSPC');
    expect(until(() => fs.writeSync(all, Buffer.alloc(100, 1)))).toBe('ENOSPC');
    expect(until((i) => fs.linkSync(`${M}/all`, `${M}/d2/${i}-${'n'.repeat(100)}`))).toBe('ENOSPC');
    expect(codeOf(() => root.setxattr(`${M}/all`, 'user.x', Buffer.alloc(800)))).toBe('ENOSPC');
    expect(codeOf(() => fs.symlinkSync('s'.repeat(200), `${M}/s`))).toBe('ENOSPC');
    fs.closeSync(all);
    fs.rmSync(`${M}/d2`, { recursive: true });
    fs.renameSync(`${M}/all`, `${M}/moved`);
    fs.truncateSync(`${M}/moved`, 0);
    fs.symlinkSync('s'.repeat(200), `${M}/s`);
  });
});

/** Mount and change something of everything. */
function work(machine: ReturnType<typeof diskMachine>): void {
  const root = machine.process();
  const { fs } = root;
  const tried = (call: () => void) => {
    expect(['none', 'EIO', 'EROFS', 'ENOENT', 'ENOTDIR', 'EUCLEAN']).toContain(codeOf(call));
  };
  const mounted = codeOf(() => root.mount(NODE, M, 'ext4'));
  if (mounted !== 'none') {
    expect(['EIO', 'EROFS', 'EUCLEAN', 'EINVAL']).toContain(mounted);
    return;
  }
  tried(() => fs.mkdirSync(`${M}/d`));
  for (let i = 0; i < 30; i++)
    tried(() => fs.writeFileSync(`${M}/d/${'n'.repeat(40)}${i}`, `${i}`.repeat(i * 20)));
  tried(() => root.setxattr(`${M}/d`, 'user.x', Buffer.alloc(300)));
  tried(() => fs.renameSync(`${M}/d`, `${M}/e`));
  tried(() => root.sync());
  tried(() => fs.symlinkSync('x'.repeat(100), `${M}/s`));
  for (let i = 0; i < 30; i += 2) tried(() => fs.unlinkSync(`${M}/e/${'n'.repeat(40)}${i}`));
  tried(() => fs.truncateSync(`${M}/e/${'n'.repeat(40)}29`, 5));
  tried(() => root.umount(M));
}

test.each([
  ['ext4', ['-t', 'ext4', '-b', '1024']],
  ['ext2', ['-t', 'ext2', '-b', '4096']],
] as const)('%s: each request fails once, or for good', (_name, args) => {
  const image = mkfs(args);
  for (const lasting of [false, true]) {
    let n = 1;
    for (let fired = true; fired && n < 2000; n += 7) {
      const inner = MemoryDisk.of(image);
      const disk = new FaultDisk(inner, {
        faults: [{ kind: 'error', nth: n, times: lasting ? Infinity : 1 }],
      });
      const machine = diskMachine({ disks: [disk] });
      work(machine);
      codeOf(() => machine.shutdown());
      fired = disk.happened > 0;
      if (lasting || !fired) continue;
      // what is left is whole once it has been replayed
      const { status, output } = ask('e2fsck', ['-fy'], bytesOf(inner));
      if (status !== null && status > 1) expect.fail(`request ${n}: e2fsck ${status}\n${output}`);
    }
    expect(n).toBeGreaterThan(30);
  }
});
