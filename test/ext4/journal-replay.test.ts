/** Logs that we leave are replayed by e2fsck, by Linux and by us, to the same end. */
import { readFileSync, mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { B64, BARRIER, CSUM3, content, readBlock, Rig, type Shape, shapeOf } from './journal-rig.ts';
import { canMount, mke2fs, must, newPath, run, save, skipTools } from './tools.ts';

interface Kind {
  readonly name: string;
  readonly args: readonly string[];
  readonly want: number;
  /** Have debugfs set up the journal with checksums of this version first. */
  readonly version?: number;
}

const MIB = 1 << 20;
const ext4 = ['-t', 'ext4', '-J', 'size=4'];
const ext3 = ['-t', 'ext3', '-J', 'size=4'];
const KINDS: readonly Kind[] = [
  { name: '1 KiB, v3, 64bit', args: [...ext4, '-b', '1024'], want: CSUM3 | B64 },
  { name: '4 KiB, v3, 64bit', args: [...ext4, '-b', '4096'], want: CSUM3 | B64 },
  { name: '2 KiB, v3', args: [...ext4, '-b', '2048', '-O', '^64bit'], want: CSUM3 },
  { name: '1 KiB, no checksums, block map', args: [...ext3, '-b', '1024'], want: 0 },
  { name: '4 KiB, no checksums, 64bit', args: [...ext4, '-b', '4096', '-O', '^metadata_csum'], want: B64 },
  { name: '1 KiB, v2', args: [...ext4, '-b', '1024', '-O', '^64bit'], want: 0, version: 2 },
  { name: '4 KiB, v2, 64bit', args: [...ext4, '-b', '4096'], want: B64, version: 2 },
];

function image({ args, version }: Kind): string {
  const path = mke2fs(16 * MIB, ...args);
  if (version !== undefined) {
    const script = newPath();
    must('sh', '-c', `printf 'jo -c -v ${version}\\njc\\n' > ${script}`);
    must('debugfs', '-w', '-f', script, path);
  }
  return path;
}

interface Left {
  readonly disk: MemoryDisk;
  /** What replay must lead to. */
  readonly blocks: Map<number, Uint8Array>;
}

/** Transactions with escapes and revokes; `around`: the log is in its second round. Nothing is checkpointed. */
function leaveLog(shape: Shape, base: MemoryDisk, want: number, around: boolean): Left {
  const rig = new Rig(shape);
  const disk = base.fork();
  rig.start(disk, BARRIER | want);
  const { shift, free } = shape;
  const blocks = new Map<number, Uint8Array>();
  let n = 0;
  const put = (from: number, count: number, forgets: number[] = []) => {
    const puts = Array.from({ length: count }, (_, i): [number, Uint8Array] => [
      free[from + i],
      content(shift, n++, i % 5 === 2),
    ]);
    for (const [block, bytes] of puts) blocks.set(block, bytes);
    rig.step(puts, forgets);
  };
  if (around) {
    const room = rig.count('log') - 40;
    while (rig.count('head') < room) {
      put(400, Math.min(100, rig.count('max') - 1));
      rig.commit();
      expect(rig.call.checkpoint(rig.jn)).toBe(0);
    }
  }
  const tail = rig.count('head');
  put(0, 130);
  put(100, 20);
  rig.commit();
  // forgotten, and a file's data by then
  const freed = [free[3], free[7], free[110]];
  put(50, 10, freed);
  rig.commit();
  for (const block of freed) {
    const bytes = content(shift, n++, true);
    disk.write(block * bytes.length, bytes, 0, bytes.length);
    blocks.set(block, bytes);
  }
  // a revoked block that is metadata again
  put(110, 1);
  put(20, 5, [free[60]]);
  put(60, 1);
  rig.commit();
  put(0, 3);
  // not committed: must not be seen
  rig.commit();
  rig.step([[free[1], content(shift, 99999)]], [free[2]]);
  // the log goes on at its beginning where it ended
  if (around) expect(rig.count('head')).toBeLessThan(tail);
  rig.abandon();
  rig.shutdown();
  return { disk, blocks };
}

function wrong(disk: { read: MemoryDisk['read'] }, shift: number, blocks: Map<number, Uint8Array>): number[] {
  return [...blocks].flatMap(([block, bytes]) =>
    Buffer.compare(readBlock(disk as MemoryDisk, shift, block), bytes) === 0 ? [] : [block],
  );
}

const needsRecovery = (path: string) => must('debugfs', '-w', '-R', 'feature +needs_recovery', path);

describe.skipIf(skipTools).each(KINDS)('$name', (kind) => {
  const path = image(kind);
  const shape = shapeOf(path);
  const base = MemoryDisk.of(readFileSync(path));

  test.each([false, true])('replayed by e2fsck, and by us; second round: %s', (around) => {
    const { disk, blocks } = leaveLog(shape, base, kind.want, around);
    expect(wrong(disk, shape.shift, blocks).length).toBeGreaterThan(50);
    const left = save(disk);
    const features = /^Journal features: +(.*)$/m.exec(must('dumpe2fs', '-h', left))?.[1] ?? '';
    const version = (kind.want & CSUM3) !== 0 ? 3 : kind.version;
    expect(/journal_checksum_v(\d)/.exec(features)?.[1]).toBe(version?.toString());
    expect(features.includes('journal_64bit')).toBe((kind.want & B64) !== 0);
    needsRecovery(left);
    const fixed = run('e2fsck', '-fy', left);
    expect(fixed.output).toMatch(/recovering journal/);
    expect(fixed.status, fixed.output).toBeLessThanOrEqual(1);
    expect(wrong(MemoryDisk.of(readFileSync(left)), shape.shift, blocks)).toEqual([]);
    expect(run('e2fsck', '-fn', left).status).toBe(0);

    const rig = new Rig(shape);
    rig.start(disk, BARRIER | kind.want);
    expect(wrong(disk, shape.shift, blocks)).toEqual([]);
    expect(rig.close()).toBe(0);
    rig.shutdown();
    expect(must('dumpe2fs', '-h', save(disk))).toMatch(/Journal start: +0/);
  });

  test.skipIf(!canMount)('replayed by Linux', () => {
    const { disk, blocks } = leaveLog(shape, base, kind.want, true);
    const left = save(disk);
    needsRecovery(left);
    const at = newPath();
    mkdirSync(at);
    must('mount', '-o', 'loop', left, at);
    must('umount', at);
    expect(wrong(MemoryDisk.of(readFileSync(left)), shape.shift, blocks)).toEqual([]);
    expect(run('e2fsck', '-fn', left).status).toBe(0);
    // and it leaves a journal that we take
    const rig = new Rig(shape);
    expect(rig.open(MemoryDisk.of(readFileSync(left)))).toBe(0);
    expect(rig.call.needs(rig.jn)).toBe(0);
    rig.abandon();
    rig.shutdown();
  });
});
