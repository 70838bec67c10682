/** Write-back: dirty pages by age, by amount, by shortage of RAM; what a failing disk does to those who write. */
import { describe, expect, test, vi } from 'vitest';
import { BLKDISCARD, BLKFLSBUF, BLKGETSIZE64, BLKSSZGET } from '../../../assembly/abi/disk.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { checkRam } from '../../helpers/ram.ts';
import { cat, codeOf, onMachine } from './kit.ts';
import { pattern } from './kernel.ts';
import { seeded } from '../../helpers/random.ts';
import { attach, RamDisk } from './ramdisk.ts';

const MIB = 1 << 20;
const PAGE = 4096;

function vmstat(machine: Machine, name: string): number {
  const line = new RegExp(`^${name} (\\d+)$`, 'm').exec(cat(machine.init, '/proc/vmstat'));
  if (line === null) throw new Error(`/proc/vmstat has no ${name}`);
  return Number(line[1]);
}

test('a machine of 8 MiB writes 256 MiB through its node and reads them back', () =>
  onMachine(
    (machine) => {
      const { fs } = machine;
      const disk = new RamDisk(256 * MIB);
      attach(machine, 0, disk);
      const piece = pattern(MIB + 12_345);
      const fd = fs.openSync('/dev/vbd0', 'r+');
      const pieces = function* () {
        for (let off = 0, i = 0; off < 256 * MIB; off += piece.length, i++) {
          piece[0] = i;
          yield { off, n: Math.min(piece.length, 256 * MIB - off) };
        }
      };
      for (const { off, n } of pieces()) expect(fs.writeSync(fd, piece, 0, n, off)).toBe(n);
      const most = vmstat(machine, 'nr_dirty_threshold');
      expect(vmstat(machine, 'nr_dirty')).toBeLessThanOrEqual(most);
      fs.fsyncSync(fd);
      expect(vmstat(machine, 'nr_dirty')).toBe(0);
      const back = new Uint8Array(piece.length);
      for (const { off, n } of pieces()) {
        expect(fs.readSync(fd, back, 0, n, off)).toBe(n);
        expect(Buffer.compare(back.subarray(0, n), piece.subarray(0, n))).toBe(0);
        expect(Buffer.compare(disk.bytes.subarray(off, off + n), piece.subarray(0, n))).toBe(0);
      }
      fs.closeSync(fd);
      checkRam(machine.cpu);
      // in long requests, both ways
      expect(disk.writes).toBeLessThan(4000);
      expect(disk.reads).toBeLessThan(6000);
    },
    { ram: 8 * MIB },
  )());

test(
  'one write that is larger than RAM',
  onMachine(
    (machine) => {
      const { fs } = machine;
      const disk = new RamDisk(24 * MIB);
      attach(machine, 0, disk);
      const bytes = pattern(24 * MIB);
      fs.writeFileSync('/dev/vbd0', bytes);
      expect(Buffer.compare(disk.bytes, bytes)).toBe(0);
      expect(Buffer.compare(fs.readFileSync('/dev/vbd0'), bytes)).toBe(0);
    },
    { ram: 8 * MIB },
  ),
);

test(
  'dirty pages are written when they are old',
  onMachine(
    (machine) => {
      const { fs } = machine;
      const disk = new RamDisk(MIB);
      attach(machine, 0, disk);
      const fd = fs.openSync('/dev/vbd0', 'r+');
      fs.writeSync(fd, pattern(PAGE), 0, PAGE, 0);
      machine.advanceClock(20_000);
      expect(disk.writes).toBe(0);
      expect(vmstat(machine, 'nr_dirty')).toBe(1);
      machine.advanceClock(20_000);
      expect(disk.writes).toBe(1);
      expect(vmstat(machine, 'nr_dirty')).toBe(0);
      fs.writeSync(fd, pattern(PAGE), 0, 10, 0);
      // by machine_tick as well, where the clock is the host's
      machine.advanceClock(3000);
      machine.init.fs.writeFileSync('/proc/sys/vm/dirty_expire_centisecs', '100');
      machine.cpu.exports.machine_tick();
      expect(disk.writes).toBe(2);
      fs.closeSync(fd);
    },
    { seed: 1 },
  ),
);

test(
  'the host ticks while there are disks, and time is its own',
  onMachine(async (machine) => {
    const { fs } = machine;
    const disk = new RamDisk(MIB);
    attach(machine, 0, disk);
    fs.writeFileSync('/proc/sys/vm/dirty_expire_centisecs', '0');
    const fd = fs.openSync('/dev/vbd0', 'r+');
    fs.writeSync(fd, pattern(PAGE), 0, PAGE, 0);
    expect(disk.writes).toBe(0);
    await vi.waitFor(() => expect(disk.writes).toBe(1), { timeout: 20_000 });
    fs.closeSync(fd);
  }),
);

test(
  'only sectors that were written are',
  onMachine((machine) => {
    const { fs } = machine;
    const disk = new RamDisk(MIB);
    attach(machine, 0, disk);
    const fd = fs.openSync('/dev/vbd0', 'r+');
    fs.writeSync(fd, pattern(10), 0, 10, 100);
    fs.writeSync(fd, pattern(600), 0, 600, 2000);
    // beneath the cache: neighbours are not written over
    disk.bytes.fill(0xee, 512, 1536);
    fs.fsyncSync(fd);
    expect(disk.writes).toBe(2);
    expect(disk.bytes[600]).toBe(0xee);
    fs.closeSync(fd);
  }),
);

test(
  'writers are held to vm.dirty_ratio, and entry to vm.dirty_background_ratio',
  onMachine((machine) => {
    const { fs } = machine;
    const disk = new RamDisk(16 * MIB);
    attach(machine, 0, disk);
    fs.writeFileSync('/proc/sys/vm/dirty_background_ratio', '5');
    fs.writeFileSync('/proc/sys/vm/dirty_ratio', '10');
    expect(codeOf(() => fs.writeFileSync('/proc/sys/vm/dirty_ratio', '51'))).toBe('EINVAL');
    const fd = fs.openSync('/dev/vbd0', 'r+');
    fs.writeSync(fd, pattern(12 * MIB), 0, 12 * MIB, 0);
    expect(vmstat(machine, 'nr_dirty')).toBeLessThan(((16 * MIB) / PAGE) * 0.1 + 1);
    fs.closeSync(fd);
  }),
);

test(
  'ioctls',
  onMachine((machine) => {
    const disk = new RamDisk(MIB, 4096);
    attach(machine, 0, disk);
    const { init } = machine;
    const { fs } = init;
    const fd = fs.openSync('/dev/vbd0', 'r+');
    const word = new Uint8Array(8);
    init.ioctl(fd, BLKGETSIZE64, word);
    expect(new DataView(word.buffer).getBigUint64(0, true)).toBe(BigInt(MIB));
    init.ioctl(fd, BLKSSZGET, word);
    expect(new DataView(word.buffer).getUint32(0, true)).toBe(4096);
    fs.writeSync(fd, pattern(MIB), 0, MIB, 0);
    init.ioctl(fd, BLKFLSBUF);
    expect(Buffer.compare(disk.bytes, pattern(MIB))).toBe(0);
    const range = new Uint8Array(16);
    const view = new DataView(range.buffer);
    view.setBigUint64(0, 8192n, true);
    view.setBigUint64(8, 4096n, true);
    init.ioctl(fd, BLKDISCARD, range);
    expect(disk.bytes.subarray(8192, 12288).every((byte) => byte === 0)).toBe(true);
    const back = new Uint8Array(PAGE);
    fs.readSync(fd, back, 0, PAGE, 8192);
    expect(back.every((byte) => byte === 0)).toBe(true);
    view.setBigUint64(8, 100n, true);
    expect(codeOf(() => init.ioctl(fd, BLKDISCARD, range))).toBe('EINVAL');
    view.setBigUint64(0, 2n ** 63n, true);
    expect(codeOf(() => init.ioctl(fd, BLKDISCARD, range))).toBe('EINVAL');
    fs.closeSync(fd);
  }),
);

describe('a disk that fails', () => {
  test(
    'fsync tells every open file once',
    onMachine((machine) => {
      const { fs } = machine;
      const disk = new RamDisk(MIB);
      attach(machine, 0, disk);
      const a = fs.openSync('/dev/vbd0', 'r+');
      const b = fs.openSync('/dev/vbd0', 'r+');
      const c = fs.openSync('/dev/vbd0', 'r+');
      fs.writeSync(a, pattern(3 * PAGE), 0, 3 * PAGE, 0);
      let broken = true;
      disk.fails = (_, op) => broken && op === 'write';
      expect(codeOf(() => fs.fsyncSync(a))).toBe('EIO');
      broken = false;
      // the data is still there, and is written now
      expect(codeOf(() => fs.fsyncSync(a))).toBe('none');
      expect(Buffer.compare(disk.bytes.subarray(0, 3 * PAGE), pattern(3 * PAGE))).toBe(0);
      expect(codeOf(() => fs.fsyncSync(b))).toBe('EIO');
      expect(codeOf(() => fs.fsyncSync(b))).toBe('none');
      expect(codeOf(() => fs.fdatasyncSync(c))).toBe('EIO');
      const late = fs.openSync('/dev/vbd0', 'r+');
      expect(codeOf(() => fs.fsyncSync(late))).toBe('none');
      for (const fd of [a, b, c, late]) fs.closeSync(fd);
    }),
  );

  test(
    'for good: writers hear of it, the machine goes on',
    onMachine((machine) => {
      const { fs } = machine;
      const disk = new RamDisk(32 * MIB);
      attach(machine, 0, disk);
      disk.fails = (_, op) => op === 'write';
      const fd = fs.openSync('/dev/vbd0', 'r+');
      expect(
        codeOf(() => {
          for (let off = 0; off < 32 * MIB; off += MIB) fs.writeSync(fd, pattern(MIB), 0, MIB, off);
        }),
      ).toBe('EIO');
      fs.writeFileSync('/tmp.txt', 'still here');
      expect(fs.readFileSync('/tmp.txt', 'utf8')).toBe('still here');
      expect(codeOf(() => fs.closeSync(fd))).toBe('EIO');
      expect(vmstat(machine, 'nr_dirty')).toBe(0);
    }),
  );

  /** Reads and writes here and there; says which errors came. */
  function workload(machine: Machine): string[] {
    const { fs } = machine;
    const random = seeded(99);
    const codes: string[] = [];
    const note = (call: () => void) => codes.push(codeOf(call));
    let fd = -1;
    note(() => {
      fd = fs.openSync('/dev/vbd0', 'r+');
    });
    if (fd < 0) return codes;
    const buffer = pattern(40_000);
    for (let i = 0; i < 12; i++) {
      const [off, len] = [random(900_000), 1 + random(40_000)];
      if (random(2)) note(() => fs.readSync(fd, buffer, 0, len, off));
      else note(() => fs.writeSync(fd, buffer, 0, len, off));
      if (random(4) === 0) note(() => fs.fsyncSync(fd));
    }
    note(() => fs.fsyncSync(fd));
    note(() => fs.closeSync(fd));
    return codes;
  }

  test('each allocation fails once', async () => {
    let total = Number.POSITIVE_INFINITY;
    for (let nth = 0; nth <= total; nth += 1 + (nth >> 5)) {
      await onMachine((machine) => {
        // the first run has none that fails, and counts them
        machine.cpu.exports.fault_arm(nth === 0 ? 0x7fffffff : nth);
        const slot = codeOf(() => attach(machine, 0, new RamDisk(MIB)));
        const codes = [slot, ...(slot === 'none' ? workload(machine) : [])];
        const tried = machine.cpu.exports.fault_arm(0);
        if (nth === 0) total = tried;
        // ENOENT: the disk came, and there was no room in /dev for its node
        for (const code of codes) expect(['none', 'ENOMEM', 'ENFILE', 'ENOENT']).toContain(code);
        if (nth === 0) expect(new Set(codes)).toEqual(new Set(['none']));
        checkRam(machine.cpu);
      })();
    }
    expect(total).toBeGreaterThan(100);
  });

  test.each([
    ['once', false],
    ['for good', true],
  ])('each request fails %s', async (_, forGood) => {
    for (let nth = 1; ; nth++) {
      let failed = 0;
      let codes: string[] = [];
      const run = onMachine((machine) => {
        const disk = new RamDisk(MIB);
        disk.fails = (request) => (forGood ? request >= nth : request === nth) && ++failed > 0;
        attach(machine, 0, disk);
        codes = workload(machine);
        checkRam(machine.cpu);
      });
      // shutting down flushes, which may be what fails
      codes.push(
        await run().then(
          () => 'none',
          (error) => error.code ?? error,
        ),
      );
      for (const code of codes) expect(['none', 'EIO']).toContain(code);
      if (failed === 0) {
        expect(nth).toBeGreaterThan(10);
        return;
      }
    }
  });
});
