/** Mount options that change how data gets to the disk: the same calls under each of them. */
import { describe, expect, test } from 'vitest';
import { mkfs, onImage } from './image.ts';

const pattern = (len: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(len);
  for (let i = 0; i < len; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255;
  return bytes;
};
describe.each(['data=journal', 'data=writeback', 'discard'])('%s', (options) => {
  test.each(['1024', '4096'])(
    'files are made, overwritten, cut, removed and made again, blocks of %s',
    (blockBytes) => {
      const image = onImage(
        mkfs(['-t', 'ext4', '-b', blockBytes], { sizeBytes: 32 << 20 }),
        ({ fs }) => {
          for (let round = 0; round < 3; round++) {
            for (let i = 0; i < 12; i++) {
              const name = `/mnt/f${i}`;
              const bytes = pattern(20_000 * (i + 1) + round * 777, i + round);
              fs.writeFileSync(name, bytes);
              const fd = fs.openSync(name, 'r+');
              fs.writeSync(fd, pattern(5000, round), 0, 5000, 3000);
              pattern(5000, round).copy(bytes, 3000);
              if (i % 3 === 0) fs.fsyncSync(fd);
              if (i % 3 === 1) fs.fdatasyncSync(fd);
              fs.ftruncateSync(fd, bytes.length - 1234);
              fs.closeSync(fd);
              expect(Buffer.compare(fs.readFileSync(name), bytes.subarray(0, bytes.length - 1234))).toBe(0);
            }
            for (let i = round; i < 12; i += 2) fs.unlinkSync(`/mnt/f${i}`);
          }
          for (let i = 0; i < 12; i++)
            if (!fs.existsSync(`/mnt/f${i}`)) fs.writeFileSync(`/mnt/f${i}`, pattern(50_000, i));
        },
        { options },
      );
      onImage(image, ({ fs }) => {
        for (let i = 0; i < 12; i++) expect(fs.readFileSync(`/mnt/f${i}`).length).toBeGreaterThan(0);
        for (let i = 2; i < 12; i += 2)
          expect(Buffer.compare(fs.readFileSync(`/mnt/f${i}`), pattern(50_000, i))).toBe(0);
      });
    },
  );
});
