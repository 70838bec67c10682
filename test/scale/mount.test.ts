/**
 * What a mount asks of the disk: requests and bytes that do not grow with the file system, but for its group
 * descriptors; and none of them waits for the disk's cache, which is what takes long on a real one.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MS_RDONLY } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { TracerDisk } from '../../host/devices/tracer.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { bootSync } from '../../host/machine/boot.ts';
import { kernelFile } from '../unit/kernel/kit.ts';

const GIB = 2 ** 30;
const module = new WebAssembly.Module(readFileSync(kernelFile('up-debug')));

interface Asked {
  requests: number;
  bytes: number;
  /** Lines of the tracer that wait for the cache: flushes, and writes with FUA. */
  waits: string[];
}

function asked(disk: BlockDevice, flags: number): Asked {
  const lines: string[] = [];
  const traced = new TracerDisk(disk, { line: (text) => lines.push(text) });
  const machine = bootSync({ module, flavour: 'up-debug', ram: 64 << 20, disks: [traced] });
  machine.fs.mkdirSync('/mnt', { recursive: true });
  const root = machine.process();
  const before = traced.totals.read.bytes + traced.totals.write.bytes;
  lines.length = 0;
  root.mount('/dev/vbd0', '/mnt', 'ext4', flags);
  const result = {
    requests: lines.length,
    bytes: traced.totals.read.bytes + traced.totals.write.bytes - before,
    waits: lines.filter((line) => / flush| fua/.test(line)),
  };
  root.umount('/mnt');
  machine.shutdown();
  return result;
}

describe.each([
  ['read-only', MS_RDONLY],
  ['read-write', 0],
])('a mount %s', (_, flags) => {
  test('asks as much of 64 GiB as of 4 GiB, but for the descriptors', () => {
    const [small, large] = [4, 64].map((gib) => {
      const disk = new MemoryDisk({ sizeBytes: gib * GIB });
      mkfs(disk, { type: 'ext4', seed: 1, isZeroed: true });
      return asked(disk, flags);
    });
    // 64 bytes for each group of 128 MiB; a read takes a few neighbours along
    const descriptors = (gib: number) => Math.ceil((gib * GIB) / 2 ** 27 / 64);
    expect(large.requests - small.requests).toBeLessThanOrEqual(descriptors(64) - descriptors(4));
    expect(large.bytes - small.bytes).toBeLessThanOrEqual((descriptors(64) - descriptors(4) + 1) * 4096);
    expect(small.requests).toBeLessThanOrEqual(flags === 0 ? 8 : 4);
    expect(small.waits).toEqual([]);
  });
});
