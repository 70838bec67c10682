/** The tracer and the model of latency. */
import { expect, it } from 'vitest';
import { FaultDisk } from '../../host/devices/fault.ts';
import { FLASH_DISK, HARD_DISK, LatencyDisk } from '../../host/devices/latency.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { TracerDisk } from '../../host/devices/tracer.ts';
import { deviceContract, pattern } from './contract.ts';

deviceContract('tracer', { make: (shape) => new TracerDisk(new MemoryDisk(shape)) });
deviceContract('latency', { make: (shape) => new LatencyDisk(new MemoryDisk(shape), FLASH_DISK) });

const bytes = pattern(8192, 1);
const memory = (writeCache = false) => new MemoryDisk({ sizeBytes: 1 << 20, writeCache });

it('counts, measures and tells of each request', () => {
  const lines: string[] = [];
  let now = 0;
  const clock = () => {
    now += 0.001;
    return now;
  };
  const faulty = new FaultDisk(memory(), { faults: [{ kind: 'error', on: 'read' }] });
  const disk = new TracerDisk(faulty, { line: (text) => lines.push(text.replace(/[\d.]+ us/, 'T')), clock });
  disk.write(4096, bytes, 0, 8192, true);
  disk.writev(0, bytes, Uint32Array.of(0, 512, 1024, 512), 2);
  expect(() => disk.read(0, bytes, 0, 512)).toThrow(/EIO/);
  disk.read(0, bytes, 0, 512);
  disk.flush();
  disk.discard(512, 1024);
  disk.writeZeroes(0, 512);
  expect(lines).toEqual([
    '1 write 4096+8192 fua T',
    '2 write 0+1024 T',
    '3 read 0+512 T EIO',
    '4 read 0+512 T',
    '5 flush T',
    '6 discard 512+1024 T',
    '7 zero 0+512 T',
  ]);
  expect(disk.totals.write).toMatchObject({ count: 2, bytes: 9216, errors: 0 });
  expect(disk.totals.read).toMatchObject({ count: 2, bytes: 512, errors: 1 });
  expect(disk.totals.write.histogram.reduce((sum, count) => sum + count)).toBe(2);
  expect(disk.percentile('write', 0.5)).toBeGreaterThan(0.0009);
  expect(disk.percentile('write', 1)).toBeLessThan(0.01);
});

it('tells the time that a disk of that kind would take', () => {
  let total = 0;
  const disk = new LatencyDisk(memory(true), HARD_DISK, (ms) => {
    total += ms;
  });
  disk.read(0, bytes, 0, 4096);
  disk.read(4096, bytes, 0, 4096);
  expect(total).toBeCloseTo((8192 / 200e6) * 1000, 9);
  disk.write(65536, bytes, 0, 512);
  expect(total).toBeCloseTo((8704 / 200e6) * 1000 + 8, 9);
  disk.flush();
  disk.write(66048, bytes, 0, 512, true);
  expect(total).toBeCloseTo((9216 / 200e6) * 1000 + 24, 9);
  expect(disk.busyMs).toBe(total);
});
