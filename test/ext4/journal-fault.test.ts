/** Each request of the journal fails once, and for good: what was committed is there after recovery. */
import { describe, expect, test } from 'vitest';
import { EIO } from '../../assembly/abi/errno.ts';
import { FaultDisk } from '../../host/devices/fault.ts';
import { Judge, left, record, recovered } from './journal-crash.ts';
import { BARRIER, CSUM3, Rig } from './journal-rig.ts';

const SMALL = { shift: 10, blocks: 70 };

describe.each([
  ['once', 1],
  ['for good', Infinity],
] as const)('a write or flush fails %s', (_, times) => {
  test.each([false, true])('and the disk is let go of: %s', (close) => {
    let failed = 0;
    for (let nth = 1; ; nth += nth < 30 ? 1 : 7) {
      let disk: FaultDisk | undefined;
      const recorded = record(SMALL, BARRIER | CSUM3, 3, 60, {
        close,
        over: (lower) => {
          disk = new FaultDisk(lower);
          disk.add({ kind: 'error', on: ['write', 'flush'], nth, times });
          return disk;
        },
      });
      if (disk?.happened === 0) break;
      failed++;
      expect(`${nth}: ${recovered(recorded)}`).toBe(`${nth}: `);
    }
    expect(failed).toBeGreaterThan(20);
  });
});

test('a request that fails while the log is replayed is an error, and the next mount replays it', () => {
  const recorded = record(SMALL, BARRIER | CSUM3, 4, 64);
  const rig = new Rig(recorded.shape);
  rig.open(left(recorded));
  expect(rig.call.needs(rig.jn)).toBe(1);
  rig.abandon();
  const judge = new Judge(recorded);
  let failed = 0;
  for (let nth = 1, happened = true; happened; nth++) {
    const lower = left(recorded);
    const disk = new FaultDisk(lower);
    disk.add({ kind: 'error', nth });
    const opened = rig.open(disk);
    const error = opened < 0 ? opened : rig.call.recover(rig.jn);
    happened = disk.happened === 1;
    if (opened >= 0) rig.abandon();
    // the first is attaching's, which looks for partitions and goes without
    expect(error === 0 || error === -EIO).toBe(true);
    if (error < 0) failed++;
    expect(`${nth}: ${judge.verdict(lower, Number.MAX_SAFE_INTEGER)}`).toBe(`${nth}: `);
  }
  expect(failed).toBeGreaterThan(10);
  judge.end();
  rig.shutdown();
});
