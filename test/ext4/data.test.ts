/**
 * A file's data by random calls (write, truncate, fallocate in its modes, lseek, write-back, memory taken away)
 * against an array of bytes; then what debugfs reads from the image, and what e2fsck says.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../assembly/abi/flags.ts';
import { ENXIO } from '../../assembly/abi/errno.ts';
import { seeded } from '../helpers/random.ts';
import { Files, image } from './byhand.ts';

const SHAPES: [string, string[], boolean][] = [
  ['4k extents', ['-t', 'ext4', '-b', '4096', '-O', '^has_journal'], true],
  ['1k extents', ['-t', 'ext4', '-b', '1024', '-O', '^has_journal'], true],
  ['2k block map', ['-t', 'ext2', '-b', '2048'], false],
  ['4k inline data', ['-t', 'ext4', '-b', '4096', '-I', '256', '-O', '^has_journal,inline_data'], true],
];
const MAX = 3 << 20;
const FRAMES = 64;
const BUFFER = FRAMES * 4096;

describe.each(SHAPES)('%s', (name, options, extents) => {
  test.each([1, 2])('random calls, seed %i', (seed) => {
    const files = new Files(image(`data-${name.replaceAll(' ', '-')}-${seed}.img`, options, '32M'));
    const { call, em } = files;
    const vp = call.ext4_get(em, 12, 0);
    expect(vp).toBeGreaterThan(0);
    const buffer = call.ext4_buffer(FRAMES) >>> 0;
    const u8 = files.machine.cpu.u8;
    const model = new Uint8Array(MAX);
    let size = 0;
    const random = seeded(seed * 104_729 + name.length);
    const check = (label: string): void => {
      expect(call.ext4_size(vp), label).toBe(size);
      for (let at = 0; at < size; ) {
        const n = call.ext4_pread(vp, buffer, Math.min(BUFFER, size - at), at);
        expect(n, `${label}: read at ${at}`).toBeGreaterThan(0);
        const got = Buffer.from(u8.subarray(buffer, buffer + n));
        const want = model.subarray(at, at + n);
        if (Buffer.compare(got, want) !== 0) {
          const i = got.findIndex((b, k) => b !== want[k]);
          expect.fail(`${label}: byte ${at + i} is ${got[i]} and should be ${want[i]}`);
        }
        at += n;
      }
    };
    for (let step = 0; step < 600; step++) {
      const kind = random(16);
      const off = random(4) ? random(Math.min(MAX, size + 20_000)) : random(MAX);
      const len = Math.min(MAX - off, 1 + (random(5) ? random(9000) : random(BUFFER)));
      const label = `seed ${seed} step ${step} kind ${kind} off ${off} len ${len} size ${size}`;
      if (kind < 6) {
        for (let i = 0; i < len; i++) u8[buffer + i] = 1 + ((step * 31 + i * 7) % 251);
        expect(call.ext4_pwrite(vp, buffer, len, off), label).toBe(len);
        model.set(u8.subarray(buffer, buffer + len), off);
        size = Math.max(size, off + len);
      } else if (kind === 6) {
        expect(call.ext4_truncate(em, vp, off), label).toBe(0);
        if (off < size) model.fill(0, off, size);
        size = off;
      } else if (kind < 10) {
        const mode = [FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_KEEP_SIZE][
          kind - 7
        ];
        const result = call.ext4_fallocate(vp, mode, off, len);
        if (!extents && kind > 7) continue;
        expect(result, label).toBe(0);
        if (kind < 9) model.fill(0, off, off + len);
        if (kind === 8) size = Math.max(size, off + len);
      } else if (kind < 13) expect(call.ext4_writeback(vp), label).toBe(0);
      else if (kind === 13) call.ext4_dropclean();
      else if (size > 0) {
        const from = random(size);
        const data = call.ext4_lseek(vp, SEEK_DATA, from);
        const hole = call.ext4_lseek(vp, SEEK_HOLE, from);
        expect(data === -ENXIO || data >= from, label).toBe(true);
        expect(hole >= from && hole <= size, label).toBe(true);
        const end = data === -ENXIO ? size : data;
        if (model.subarray(from, end).some((b) => b !== 0))
          expect.fail(`${label}: data in a hole [${from}, ${end})`);
      }
      if (step % 40 === 0) check(label);
    }
    check('at the end');
    expect(call.ext4_writeback(vp)).toBe(0);
    expect(call.ext4_reserved(em)).toBe(0);
    call.ext4_dropclean();
    check('from the disk');
    call.ext4_unbuffer(buffer, FRAMES);
    expect(call.ext4_put(em, vp)).toBe(0);
    files.close();
    execFileSync('debugfs', ['-R', `dump file ${files.file}.out`, files.file], { stdio: 'pipe' });
    expect(Buffer.compare(readFileSync(`${files.file}.out`), model.subarray(0, size))).toBe(0);
  });
});
