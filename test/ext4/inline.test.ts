/** Inline data that others made is read, and moves to a block when it is changed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { debugfs, mkfs, onImage } from './image.ts';

const bytes = (len: number): Buffer =>
  Buffer.from(Array.from({ length: len }, (_, i) => 33 + ((i * 7) % 90)));

test.each(['1024', '4096'])('files within their inodes, blocks of %s', (blockBytes) => {
  const from = mkdtempSync(join(tmpdir(), 'inline-'));
  const sizes = [0, 1, 59, 60, 61, 100, 140];
  for (const size of sizes) writeFileSync(join(from, `f${size}`), bytes(size));
  const image = mkfs(['-t', 'ext4', '-b', blockBytes, '-I', '256', '-O', 'inline_data'], { from });
  rmSync(from, { recursive: true });
  expect(debugfs(image, 'stat f100')).toMatch(/Size of inline data/);
  const after = onImage(image, ({ fs }) => {
    for (const size of sizes)
      expect(fs.readFileSync(`/mnt/f${size}`).toString(), `f${size}`).toBe(bytes(size).toString());
    // a file without blocks would be taken for a hole; the last has one
    const blocks = sizes.map((size) => fs.statSync(`/mnt/f${size}`).blocks);
    expect(blocks).toEqual([0, 1, 1, 1, 1, 1, Number(blockBytes) / 512]);
    fs.appendFileSync('/mnt/f100', 'more');
    fs.truncateSync('/mnt/f140', 70);
    fs.truncateSync('/mnt/f60', 5000);
    fs.unlinkSync('/mnt/f61');
    fs.writeFileSync('/mnt/f59', 'anew');
    expect(fs.readFileSync('/mnt/f100').toString()).toBe(`${bytes(100)}more`);
  });
  onImage(after, ({ fs }) => {
    expect(fs.readFileSync('/mnt/f100').toString()).toBe(`${bytes(100)}more`);
    expect(fs.readFileSync('/mnt/f140').toString()).toBe(bytes(140).subarray(0, 70).toString());
    expect(fs.readFileSync('/mnt/f60').subarray(0, 60).toString()).toBe(bytes(60).toString());
    expect(fs.statSync('/mnt/f60').size).toBe(5000);
    expect(fs.readFileSync('/mnt/f59').toString()).toBe('anew');
    expect(fs.existsSync('/mnt/f61')).toBe(false);
  });
});
