/** Logs that somebody damaged: recovery gives an errno or goes well, by a bounded number of requests. */
import { describe, expect, test } from 'vitest';
import { EINVAL, EIO, ENOMEM, EUCLEAN } from '../../assembly/abi/errno.ts';
import { FaultDisk } from '../../host/devices/fault.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { Draw } from '../../host/devices/random.ts';
import { left, record } from './journal-crash.ts';
import { BARRIER, B64, CSUM3, Rig } from './journal-rig.ts';

const LOG = 70;
const EDGES = [0, 1, 2, 4, 5, 8, 0x10, 0x7fff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0xc03b3998];
const EXPECTED: ReadonlySet<number> = new Set([0, -EUCLEAN, -EIO, -EINVAL, -ENOMEM]);

/** Change a few words, at random or where headers and tags are. */
function damage(bytes: Uint8Array, draw: Draw, superblock: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = 1 + draw.below(3);
  for (let i = 0; i < count; i++) {
    const words = superblock ? 24 : draw.below(2) === 0 ? 16 : bytes.length >> 2;
    const at = 4 * draw.below(words);
    const how = draw.below(3);
    if (how === 0) view.setUint32(at, EDGES[draw.below(EDGES.length)]);
    else if (how === 1) view.setUint32(at, view.getUint32(at) ^ (1 << draw.below(32)));
    else view.setUint32(at, view.getUint32(at) + draw.below(9) - 4);
  }
}

describe.each([
  ['no checksums', BARRIER],
  ['64bit', BARRIER | B64],
  ['v3', BARRIER | CSUM3 | B64],
] as const)('%s', (_, want) => {
  const recorded = record({ shift: 10, blocks: LOG }, want, 4, 64);
  const whole = left(recorded);
  const { shape } = recorded;

  test.each(['log', 'superblock'])('damage in the %s', (where) => {
    const rig = new Rig(shape);
    const draw = new Draw(want);
    const outcomes = new Map<number, number>();
    for (let i = 0; i < 400; i++) {
      const copy = new Uint8Array(whole.sizeBytes);
      whole.read(0, copy, 0, copy.length);
      const inSuper = where === 'superblock';
      const times = inSuper ? 1 : 1 + draw.below(4);
      for (let k = 0; k < times; k++) {
        const at = (shape.runs[0][0] + (inSuper ? 0 : 1 + draw.below(LOG - 1))) << shape.shift;
        damage(copy.subarray(at, at + (1 << shape.shift)), draw, inSuper);
      }
      const disk = new FaultDisk(MemoryDisk.of(copy));
      const opened = rig.open(disk);
      const result = opened < 0 ? opened : rig.call.recover(rig.jn);
      expect(EXPECTED).toContain(result);
      expect(disk.requests).toBeLessThan(8 * LOG + 200);
      outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
      if (opened >= 0) rig.abandon();
    }
    expect(outcomes.get(0)).toBeGreaterThan(where === 'log' ? 20 : 5);
    if (want & CSUM3 || where === 'superblock') expect(outcomes.get(-EUCLEAN)).toBeGreaterThan(20);
    rig.shutdown();
  });
});
