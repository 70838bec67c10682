/**
 * A machine of 32 MiB on a disk far larger than its RAM: a long file and many small ones, written, read again
 * after the caches have turned over many times, and removed. Nothing fails for want of memory.
 *
 * MIB and FILES make it longer: `make small-machine` has 1 GiB and 100,000 files on a disk of 4 GiB.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FileDisk } from '../../host/devices/node/file.ts';
import { check } from '../../host/ext4/check.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { boot, type Machine } from '../../host/index.ts';

const MIB = 2 ** 20;
const LONG_MIB = Number(process.env.MIB ?? 96);
const FILES = Number(process.env.FILES ?? 3000);
const DISK_BYTES = LONG_MIB > 512 ? 4096 * MIB : 512 * MIB;
const PER_DIRECTORY = 1000;
/** The full size takes minutes. */
const TIMEOUT_MS = 20 * 60_000;

let dir: string;
let disk: FileDisk;
let machine: Machine;

beforeAll(async () => {
  dir = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'damselfly-small-'));
  disk = FileDisk.open(join(dir, 'disk.img'), { createBytes: DISK_BYTES });
  mkfs(disk, { type: 'ext4', seed: 1, isZeroed: true });
  machine = await boot({ ram: 32 * MIB, disks: [disk], flavour: LONG_MIB > 512 ? 'up' : 'up-debug' });
  machine.init.mount('/dev/vbd0', '/mnt', 'ext4');
});

afterAll(() => {
  if (machine.cpu.panic === undefined) machine.shutdown();
  disk.close();
  fs.rmSync(dir, { recursive: true });
});

function timed(what: string, work: () => void): void {
  const started = performance.now();
  work();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** A MiB that tells where it belongs. */
function piece(index: number): Uint8Array {
  const bytes = new Uint8Array(MIB);
  new Uint32Array(bytes.buffer).fill(index ^ 0x5eed);
  return bytes;
}

const name = (i: number) => `/mnt/many/${Math.floor(i / PER_DIRECTORY)}/file-${i}`;
const text = (i: number) => `${i} `.repeat(1 + (i % 300));

it(
  `a file of ${LONG_MIB} MiB is written and read`,
  () => {
    timed('write', () => {
      const fd = machine.fs.openSync('/mnt/long', 'w');
      for (let i = 0; i < LONG_MIB; i++)
        expect(machine.fs.writeSync(fd, piece(i), 0, MIB, i * MIB)).toBe(MIB);
      machine.fs.fsyncSync(fd);
      machine.fs.closeSync(fd);
    });
    timed('read', () => {
      const fd = machine.fs.openSync('/mnt/long', 'r');
      const got = new Uint8Array(MIB);
      for (let i = 0; i < LONG_MIB; i++) {
        expect(machine.fs.readSync(fd, got, 0, MIB, i * MIB)).toBe(MIB);
        const words = new Uint32Array(got.buffer);
        expect([words[0], words[1000], words.at(-1)]).toEqual(Array(3).fill(i ^ 0x5eed));
      }
      machine.fs.closeSync(fd);
    });
  },
  TIMEOUT_MS,
);

it(
  `${FILES} small files are written, found and read`,
  () => {
    timed('create', () => {
      for (let i = 0; i < FILES; i++) {
        if (i % PER_DIRECTORY === 0)
          machine.fs.mkdirSync(`/mnt/many/${i / PER_DIRECTORY}`, { recursive: true });
        machine.fs.writeFileSync(name(i), text(i));
      }
      machine.init.sync();
    });
    timed('walk', () => {
      let seen = 0;
      for (const sub of machine.fs.readdirSync('/mnt/many'))
        for (const file of machine.fs.readdirSync(`/mnt/many/${sub}`)) {
          const i = Number(file.slice('file-'.length));
          expect(machine.fs.statSync(name(i)).size).toBe(text(i).length);
          seen++;
        }
      expect(seen).toBe(FILES);
    });
    timed('read', () => {
      for (let i = 0; i < FILES; i++) {
        const at = (i * 7919) % FILES;
        expect(machine.fs.readFileSync(name(at), 'utf8')).toBe(text(at));
      }
    });
  },
  TIMEOUT_MS,
);

it(
  'all of it is removed, and the file system is whole',
  () => {
    timed('remove', () => {
      machine.fs.rmSync('/mnt/many', { recursive: true });
      machine.fs.unlinkSync('/mnt/long');
    });
    machine.init.umount('/mnt');
    expect(check(disk).findings).toEqual([]);
    execFileSync('e2fsck', ['-fn', disk.path], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
  },
  TIMEOUT_MS,
);
