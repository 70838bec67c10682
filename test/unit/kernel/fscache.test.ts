/**
 * A file's cache beside a plain array of bytes: reads, writes, truncations, holes and where data is,
 * while its vnode comes and goes and memory is short.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { PAGE_SIZE } from '../../../assembly/abi/layout.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { checkRam } from '../../helpers/ram.ts';
import { pattern } from './kernel.ts';
import { codeOf, debugMachine } from './kit.ts';

const MOST = 40 * PAGE_SIZE;

/** Bytes, and for each page whether there is one: what SEEK_DATA tells of. */
class Model {
  bytes = new Uint8Array(0);
  readonly pages = new Set<number>();

  resize(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.bytes.subarray(0, size));
    if (size <= this.bytes.length) {
      for (const page of this.pages) if (page * PAGE_SIZE >= size) this.pages.delete(page);
    }
    this.bytes = bytes;
  }

  write(at: number, data: Uint8Array): void {
    if (data.length === 0) return;
    if (at + data.length > this.bytes.length) this.resize(at + data.length);
    this.bytes.set(data, at);
    for (let page = at >>> 12; page <= (at + data.length - 1) >>> 12; page++) this.pages.add(page);
  }

  punch(at: number, length: number): void {
    this.bytes.fill(0, at, Math.min(at + length, this.bytes.length));
    for (let page = Math.ceil(at / PAGE_SIZE); (page + 1) * PAGE_SIZE <= at + length; page++)
      this.pages.delete(page);
  }

  seek(at: number, data: boolean): number | string {
    if (at >= this.bytes.length) return 'ENXIO';
    for (let page = at >>> 12; page * PAGE_SIZE < this.bytes.length; page++)
      if (this.pages.has(page) === data) return Math.max(at, page * PAGE_SIZE);
    return data ? 'ENXIO' : this.bytes.length;
  }
}

// around the edges of pages, and anywhere
const place = fc.oneof(
  fc.nat(MOST),
  fc
    .tuple(fc.nat(39), fc.integer({ min: -2, max: 2 }))
    .map(([page, by]) => Math.max(0, page * PAGE_SIZE + by)),
);
const KINDS = [
  'write',
  'write',
  'write',
  'append',
  'read',
  'truncate',
  'punch',
  'zero',
  'seek',
  'forget',
  'copy',
] as const;
const step = fc.tuple(
  fc.constantFrom(...KINDS),
  place,
  fc.oneof(fc.nat(5 * PAGE_SIZE), fc.constantFrom(0, 1, PAGE_SIZE, 2 * PAGE_SIZE)),
);

function perform(
  machine: Machine,
  fd: number,
  model: Model,
  [what, at, length]: [string, number, number],
): void {
  const { init } = machine;
  const { fs } = init;
  const size = model.bytes.length;
  switch (what) {
    case 'write':
    case 'append': {
      const data = pattern(length, at);
      const to = what === 'append' ? size : at;
      if (what === 'append') fs.appendFileSync('/f', data);
      else expect(fs.writeSync(fd, data, 0, length, to)).toBe(length);
      model.write(to, data);
      break;
    }
    case 'read': {
      const got = Buffer.alloc(length, 0xcc);
      const n = fs.readSync(fd, got, 0, length, at);
      expect(n).toBe(Math.max(0, Math.min(length, size - at)));
      expect(got.subarray(0, n).equals(model.bytes.subarray(at, at + n))).toBe(true);
      break;
    }
    case 'truncate':
      fs.ftruncateSync(fd, at);
      model.resize(at);
      break;
    case 'punch':
      if (length === 0) break;
      init.fallocate(fd, F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE, at, length);
      model.punch(at, length);
      break;
    case 'zero':
      // written zeros, as far as anybody can read
      fs.writeSync(fd, new Uint8Array(length), 0, length, at);
      model.write(at, new Uint8Array(length));
      break;
    case 'seek':
      for (const [whence, data] of [
        [F.SEEK_DATA, true],
        [F.SEEK_HOLE, false],
      ] as const) {
        const wanted = model.seek(at, data);
        if (typeof wanted === 'number')
          expect([what, at, init.lseek(fd, at, whence)]).toEqual([what, at, wanted]);
        else expect(codeOf(() => init.lseek(fd, at, whence))).toBe(wanted);
      }
      break;
    case 'copy':
      fs.copyFileSync('/f', '/g');
      expect(Buffer.compare(fs.readFileSync('/g'), model.bytes)).toBe(0);
      fs.unlinkSync('/g');
      break;
    default:
      machine.reclaim();
  }
}

describe.each(['up-debug', 'smp-debug', 'up'] as const)('%s', (flavour) => {
  test('holds what an array of bytes holds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), fc.boolean(), (steps, closing) => {
        const machine = debugMachine({ flavour, ram: 4 << 20 });
        const { fs } = machine.init;
        const model = new Model();
        machine.reclaim();
        const frames = machine.framesInUse;
        let fd = fs.openSync('/f', 'w+');
        for (const one of steps) {
          // without an open descriptor the vnode goes too, and the pages stay with the inode
          if (closing && one[0] === 'forget') {
            fs.closeSync(fd);
            machine.reclaim();
            fd = fs.openSync('/f', 'r+');
          }
          perform(machine, fd, model, one);
          const { size, blocks } = fs.fstatSync(fd);
          expect([one, size, blocks]).toEqual([
            one,
            model.bytes.length,
            (model.pages.size * PAGE_SIZE) / 512,
          ]);
        }
        expect(Buffer.compare(fs.readFileSync('/f'), model.bytes)).toBe(0);
        checkRam(machine.cpu);
        fs.closeSync(fd);
        fs.unlinkSync('/f');
        machine.reclaim();
        expect(machine.framesInUse).toBe(frames);
        machine.shutdown();
      }),
      { seed: 2004, numRuns: 80 },
    );
  });

  test('a full machine keeps what was written, says how much that was, and gives it all back', () => {
    const machine = debugMachine({ flavour, ram: 4 << 20 });
    const { fs, init } = machine;
    init.mount('none', '/mnt', 'tmpfs', 0, 'size=100%');
    const fd = init.fs.openSync('/mnt/f', 'w+');
    const piece = pattern(100_000, 5);
    let written = 0;
    const code = codeOf(() => {
      for (;;) written += init.fs.writeSync(fd, piece, 0, piece.length, written);
    });
    expect(['ENOSPC', 'ENOMEM']).toContain(code);
    const { size } = fs.statSync('/mnt/f');
    expect(size).toBe(written);
    expect(written).toBeGreaterThan(1 << 20);
    const back = Buffer.alloc(piece.length);
    for (let at = 0; at < size; at += piece.length) {
      const n = init.fs.readSync(fd, back, 0, piece.length, at);
      expect(n).toBe(Math.min(piece.length, size - at));
      if (!back.subarray(0, n).equals(piece.subarray(0, n)))
        throw new Error(`what was written at ${at} is lost`);
    }
    init.fs.ftruncateSync(fd, 10);
    init.fs.writeSync(fd, piece, 0, piece.length, 10);
    expect(init.fs.readFileSync('/mnt/f').subarray(10).equals(piece)).toBe(true);
    init.fs.closeSync(fd);
    init.umount('/mnt');
    machine.shutdown();
  });
});
