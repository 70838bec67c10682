/**
 * Extent trees and block maps against a naive map, by random steps: blocks made, written and unwritten ones,
 * converted, freed, in files that get as fragmented as can be. After each round e2fsck looks at the image.
 */
import { describe, expect, test } from 'vitest';
import { seeded } from '../helpers/random.ts';
import { AS_UNWRITTEN, CONVERT, CREATE, Files, HOLE, image, UNWRITTEN } from './byhand.ts';

/** What a block is: 0 a hole, else its place, negative if unwritten. */
function compare(files: Files, vp: number, model: Float64Array, step: string): void {
  let at = 0;
  let mapped = 0;
  while (at < model.length) {
    expect(files.call.ext4_map(files.em, vp, at, model.length - at, 0), `${step} map ${at}`).toBe(0);
    const len = files.call.ext4_len();
    const flags = files.call.ext4_flags();
    const pblk = files.call.ext4_pblk();
    for (let i = 0; i < len; i++) {
      const have = flags & HOLE ? 0 : flags & UNWRITTEN ? -(pblk + i) : pblk + i;
      if (have !== model[at + i]) expect(have, `${step}: block ${at + i}`).toBe(model[at + i]);
      if (have !== 0) mapped++;
    }
    at += len;
  }
  expect(new Set([...model].filter((b) => b !== 0).map(Math.abs)).size).toBe(mapped);
}

const SHAPES: [string, string[], string, boolean][] = [
  ['1k blocks with checksums', ['-t', 'ext4', '-b', '1024', '-O', '^has_journal'], '64M', true],
  ['4k blocks', ['-t', 'ext4', '-b', '4096', '-O', '^has_journal,^metadata_csum,uninit_bg'], '64M', true],
  [
    '2k blocks, meta_bg',
    ['-t', 'ext4', '-b', '2048', '-O', '^has_journal,^resize_inode,meta_bg'],
    '96M',
    true,
  ],
  ['block maps of ext2', ['-t', 'ext2', '-b', '1024'], '64M', false],
];

describe.each(SHAPES)('%s', (name, options, size, extents) => {
  test.each([1, 3])('random steps agree with a naive map, seed %i', (seed) => {
    const files = new Files(image(`${name.replaceAll(' ', '-')}-${seed}.img`, options, size));
    const { call, em } = files;
    const BLOCKS = 6000;
    const blockBytes = Number(options[options.indexOf('-b') + 1]);
    const before = call.ext4_free(em);
    const vp = call.ext4_get(em, 12, BLOCKS * blockBytes);
    expect(vp).toBeGreaterThan(0);
    const model = new Float64Array(BLOCKS);
    const random = seeded(seed * 7919);
    let deepest = 0;
    for (let step = 0; step < 1500; step++) {
      const kind = random(10);
      const at = random(BLOCKS);
      const len = Math.min(BLOCKS - at, random(8) ? 1 + random(12) : 1 + random(700));
      const label = `seed ${seed} step ${step} kind ${kind} at ${at} len ${len}`;
      if (kind < 7) {
        // a piece at a time, holes only, or with what is unwritten
        const flags = kind < 4 ? CREATE : extents ? CREATE | (kind < 6 ? AS_UNWRITTEN : CONVERT) : CREATE;
        for (let i = at; i < at + len; ) {
          expect(call.ext4_map(em, vp, i, at + len - i, flags), label).toBe(0);
          const n = call.ext4_len();
          const pblk = call.ext4_pblk();
          const unwritten = (call.ext4_flags() & UNWRITTEN) !== 0;
          for (let k = 0; k < n; k++) model[i + k] = unwritten ? -(pblk + k) : pblk + k;
          i += n;
        }
      } else {
        expect(call.ext4_remove(em, vp, at, at + len), label).toBe(0);
        model.fill(0, at, at + len);
      }
      deepest = Math.max(deepest, extents ? call.ext4_depth(vp) : 0);
      if (step % 250 === 0) compare(files, vp, model, label);
    }
    compare(files, vp, model, 'at the end');
    if (extents) expect(deepest).toBeGreaterThan(0);
    if (seed === 3) {
      // all of it goes: what it took is free again
      expect(call.ext4_remove(em, vp, 0, BLOCKS)).toBe(0);
      expect(call.ext4_blocks(vp)).toBe(0);
      expect(call.ext4_free(em)).toBe(before);
    }
    expect(call.ext4_put(em, vp)).toBe(0);
    files.close();
  });
});

test('a file of 30,000 extents: three levels, removed from the middle outwards', () => {
  const files = new Files(image('deep.img', ['-t', 'ext4', '-b', '1024', '-O', '^has_journal'], '64M'));
  const { call, em } = files;
  const EXTENTS = 30_000;
  const vp = call.ext4_get(em, 12, 2 * EXTENTS * 1024);
  const before = call.ext4_free(em);
  // from both ends to the middle, every other block
  for (let i = 0; i < EXTENTS; i++) {
    const at = i % 2 ? 2 * EXTENTS - 2 - (i - 1) : i;
    if (call.ext4_map(em, vp, at, 1, CREATE) !== 0)
      expect(call.ext4_map(em, vp, at, 1, CREATE), `at ${at}`).toBe(0);
  }
  expect(call.ext4_depth(vp)).toBe(3);
  for (let width = 100; width <= 2 * EXTENTS; width += 5000) {
    const from = Math.max(0, EXTENTS - width);
    expect(call.ext4_remove(em, vp, from, Math.min(2 * EXTENTS, EXTENTS + width))).toBe(0);
  }
  expect(call.ext4_remove(em, vp, 0, 2 * EXTENTS)).toBe(0);
  expect(call.ext4_depth(vp)).toBe(0);
  expect(call.ext4_free(em)).toBe(before);
  expect(call.ext4_put(em, vp)).toBe(0);
  files.close();
});
