/** A synchronous device behind promises. */
import { expect, it } from 'vitest';
import { AsyncDisk } from '../../host/devices/async.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { pattern } from './contract.ts';

it('does what the device does, later', async () => {
  const device = new MemoryDisk({ sizeBytes: 1 << 16, writeCache: true });
  const disk = new AsyncDisk(device);
  expect(disk).toMatchObject({ sizeBytes: 1 << 16, sectorBytes: 512, readOnly: false, writeCache: true });
  expect(disk.discards).toBe(true);
  const into = new Uint8Array(2048);
  await disk.write(512, pattern(1024, 1), 0, 1024, true);
  await disk.writeZeroes(1024, 512);
  await disk.flush();
  await disk.read(512, into, 0, 2048);
  expect(into.subarray(0, 512)).toEqual(pattern(1024, 1).subarray(0, 512));
  expect(into.subarray(512).every((byte) => byte === 0)).toBe(true);
  await disk.discard(0, 4096);
  expect(device.usedBytes).toBe(65536);
});

it('rejects with what the device throws, and never throws itself', async () => {
  const disk = new AsyncDisk(new MemoryDisk({ sizeBytes: 1 << 16, readOnly: true }));
  await expect(disk.write(0, new Uint8Array(512), 0, 512)).rejects.toMatchObject({ code: 'EROFS' });
  await expect(disk.read(1, new Uint8Array(512), 0, 512)).rejects.toMatchObject({ code: 'EINVAL' });
  await disk.close();
  await expect(disk.flush()).rejects.toMatchObject({ code: 'EIO' });
});

it('lets others come between', async () => {
  const order: string[] = [];
  const disk = new AsyncDisk(new MemoryDisk({ sizeBytes: 4096 }), async () => void order.push('turn'));
  const flushed = disk.flush().then(() => order.push('done'));
  order.push('here');
  await flushed;
  expect(order).toEqual(['turn', 'here', 'done']);
});
