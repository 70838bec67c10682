/** Partition tables: MBR with logical partitions, GPT with its copy, and tables that lie. */
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { SectorBytes } from '../../../host/devices/types.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { onMachine } from './kit.ts';
import { pattern } from './kernel.ts';
import { seeded } from '../../helpers/random.ts';
import { attach, RamDisk } from './ramdisk.ts';

const MIB = 1 << 20;

interface Entry {
  type: number;
  start: number;
  count: number;
}

function record(disk: RamDisk, sector: number, entries: Entry[]): void {
  const at = sector * disk.sectorBytes;
  const view = new DataView(disk.bytes.buffer, at, 512);
  entries.forEach(({ type, start, count }, i) => {
    view.setUint8(446 + 16 * i + 4, type);
    view.setUint32(446 + 16 * i + 8, start, true);
    view.setUint32(446 + 16 * i + 12, count, true);
  });
  view.setUint16(510, 0xaa55, true);
}

interface Part {
  first: number;
  last: number;
}

/** A table of 128 entries at its two places. */
function gpt(disk: RamDisk, parts: (Part | undefined)[]): void {
  const { sectorBytes: sector, bytes } = disk;
  const sectors = bytes.length / sector;
  const table = new Uint8Array(128 * 128);
  const entries = new DataView(table.buffer);
  parts.forEach((part, i) => {
    if (part === undefined) return;
    table.fill(0x11 + i, i * 128, i * 128 + 32);
    entries.setBigUint64(i * 128 + 32, BigInt(part.first), true);
    entries.setBigUint64(i * 128 + 40, BigInt(part.last), true);
  });
  const tableSectors = Math.ceil(table.length / sector);
  record(disk, 0, [{ type: 0xee, start: 1, count: sectors - 1 }]);
  for (const [lba, at] of [
    [1, 2],
    [sectors - 1, sectors - 1 - tableSectors],
  ]) {
    bytes.set(table, at * sector);
    const head = new Uint8Array(92);
    const view = new DataView(head.buffer);
    head.set(Buffer.from('EFI PART'));
    view.setUint32(8, 0x10000, true);
    view.setUint32(12, 92, true);
    view.setBigUint64(24, BigInt(lba), true);
    view.setBigUint64(32, BigInt(sectors - lba), true);
    view.setBigUint64(40, BigInt(2 + tableSectors), true);
    view.setBigUint64(48, BigInt(sectors - 2 - tableSectors), true);
    view.setBigUint64(72, BigInt(at), true);
    view.setUint32(80, 128, true);
    view.setUint32(84, 128, true);
    view.setUint32(88, crc32(table), true);
    view.setUint32(16, crc32(head), true);
    bytes.set(head, lba * sector);
  }
}

/** The partitions that are shown, each with its size. */
function shown(machine: Machine): Record<string, number> {
  const { fs } = machine;
  const found: Record<string, number> = {};
  for (const name of fs.readdirSync('/dev')) {
    const part = /^vbd0p(\d+)$/.exec(name);
    if (part) found[part[1]] = fs.readFileSync(`/dev/${name}`).length;
  }
  return found;
}

test(
  'an MBR with primary and logical partitions',
  onMachine((machine) => {
    const disk = new RamDisk(MIB);
    record(disk, 0, [
      { type: 0x83, start: 100, count: 50 },
      { type: 0x05, start: 200, count: 400 },
      { type: 0, start: 1, count: 1 },
      { type: 0x83, start: 700, count: 10 },
    ]);
    record(disk, 200, [
      { type: 0x83, start: 10, count: 20 },
      { type: 0x05, start: 100, count: 100 },
    ]);
    record(disk, 300, [{ type: 0x83, start: 5, count: 30 }]);
    attach(machine, 0, disk);
    expect(shown(machine)).toEqual({ 1: 50 * 512, 4: 10 * 512, 5: 20 * 512, 6: 30 * 512 });
    const bytes = pattern(30 * 512);
    machine.fs.writeFileSync('/dev/vbd0p6', bytes);
    expect(Buffer.compare(disk.bytes.subarray(305 * 512, 335 * 512), bytes)).toBe(0);
    // the whole disk sees it
    expect(Buffer.compare(machine.fs.readFileSync('/dev/vbd0').subarray(305 * 512, 335 * 512), bytes)).toBe(
      0,
    );
  }),
);

test(
  'a chain that goes in circles, out of the disk, or on for ever',
  onMachine((machine) => {
    const disk = new RamDisk(MIB);
    record(disk, 0, [{ type: 0x0f, start: 100, count: 1900 }]);
    for (let i = 0; i < 40; i++)
      record(disk, 100 + i * 10, [
        { type: 0x83, start: 1, count: 2 },
        { type: 0x05, start: (i + 1) * 10, count: 10 },
      ]);
    attach(machine, 0, disk);
    expect(Object.keys(shown(machine)).length).toBe(11);
    machine.detachDisk(0);
    record(disk, 110, [
      { type: 0x83, start: 1, count: 2 },
      { type: 0x05, start: 0, count: 10 },
    ]);
    attach(machine, 0, disk);
    expect(Object.keys(shown(machine))).toEqual(['5', '6']);
    machine.detachDisk(0);
    record(disk, 110, [
      { type: 0x83, start: 1, count: 0xffffffff },
      { type: 0x05, start: 0xfffffff0, count: 10 },
    ]);
    attach(machine, 0, disk);
    expect(Object.keys(shown(machine))).toEqual(['5']);
  }),
);

describe.each([512, 4096] as SectorBytes[])('GPT, sectors of %i', (sector) => {
  const parts = [{ first: 40, last: 59 }, undefined, { first: 100, last: 149 }];
  const sizes = { 1: 20 * sector, 3: 50 * sector };

  test(
    'is read, and its copy when the first is damaged',
    onMachine((machine) => {
      const disk = new RamDisk(200 * sector, sector);
      gpt(disk, parts);
      attach(machine, 0, disk);
      expect(shown(machine)).toEqual(sizes);
      for (const at of [sector, sector + 16, sector + 60, 2 * sector + 200]) {
        machine.detachDisk(0);
        disk.bytes[at] ^= 1;
        attach(machine, 0, disk);
        expect(shown(machine)).toEqual(sizes);
        disk.bytes[at] ^= 1;
      }
      machine.detachDisk(0);
      disk.bytes[2 * sector + 33] ^= 1;
      disk.bytes[199 * sector + 17] ^= 1;
      attach(machine, 0, disk);
      expect(shown(machine)).toEqual({});
    }),
  );

  test(
    'what does not fit is left out',
    onMachine((machine) => {
      const disk = new RamDisk(200 * sector, sector);
      gpt(disk, [
        { first: 60, last: 59 },
        { first: 40, last: 500 },
        { first: 0, last: 40 },
        { first: 50, last: 50 },
      ]);
      attach(machine, 0, disk);
      expect(shown(machine)).toEqual({ 4: sector });
    }),
  );
});

test(
  'damaged tables, at random, break nothing',
  onMachine((machine) => {
    const random = seeded(7);
    for (let round = 0; round < 300; round++) {
      const disk = new RamDisk(200 * 512);
      gpt(disk, [
        { first: 40, last: 59 },
        { first: 60, last: 90 },
      ]);
      if (round % 2)
        record(disk, 0, [
          { type: 5, start: random(300), count: random(300) },
          { type: 0x83, start: random(300), count: random(300) },
        ]);
      const where = [0, 512, 1024, 199 * 512, random(200) * 512][random(5)];
      for (let i = random(20); i >= 0; i--) disk.bytes[where + random(512)] = random(256);
      attach(machine, 0, disk);
      for (const size of Object.values(shown(machine))) expect(size).toBeGreaterThan(0);
      machine.detachDisk(0);
    }
  }),
);
