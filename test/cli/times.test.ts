/** Times on the host to the nanosecond, whichever programs there are to set them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostTimes } from '../../host/hostfiles/times.ts';

let base: string;
const path = process.env.PATH;

beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'damselfly-times-'));
});

afterEach(() => {
  process.env.PATH = path;
  fs.rmSync(base, { recursive: true });
});

/** Programs of these names and no others. */
function allowOnly(...programs: string[]): void {
  const bin = join(base, 'bin');
  fs.mkdirSync(bin);
  for (const name of programs) {
    const real = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    fs.symlinkSync(real, join(bin, name));
  }
  process.env.PATH = bin;
}

const TIMES = [
  { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
  { seconds: 1_234_567_890, nanoseconds: 1 },
  { seconds: -1, nanoseconds: 250_000_001 },
  { seconds: 0, nanoseconds: 0 },
  { seconds: 4_102_444_800, nanoseconds: 999_999_999 },
];

/** Set times of `count` files. Returns how many HostTimes says are inexact, and how many are. */
async function setMany(count: number): Promise<{ told: number; inexact: number }> {
  const times = new HostTimes();
  const wanted = Array.from({ length: count }, (_, i) => {
    const file = Buffer.from(join(base, `it's ${i}\n`));
    if (i % 2 === 0) fs.writeFileSync(file, '');
    else fs.symlinkSync('nowhere', file);
    const [atime, mtime] = [TIMES[i % TIMES.length], TIMES[(i >> 1) % TIMES.length]];
    times.set(file, atime, mtime);
    return { file, atime, mtime };
  });
  const told = await times.settle();
  const ns = ({ seconds, nanoseconds }: (typeof TIMES)[0]) =>
    BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const inexact = wanted.filter(({ file, atime, mtime }) => {
    const stat = fs.lstatSync(file, { bigint: true });
    return stat.atimeNs !== ns(atime) || stat.mtimeNs !== ns(mtime);
  });
  return { told, inexact: inexact.length };
}

test('a few, by touch', async () => {
  allowOnly('sh', 'touch');
  expect(await setMany(25)).toEqual({ told: 0, inexact: 0 });
});

test('many, with all that is here', async () => {
  expect(await setMany(300)).toEqual({ told: 0, inexact: 0 });
});

test('many, without Python', async () => {
  allowOnly('sh', 'touch');
  expect(await setMany(300)).toEqual({ told: 0, inexact: 0 });
});

test('without any of them it says for how many files', async () => {
  allowOnly();
  const { told, inexact } = await setMany(25);
  expect(told).toBe(inexact);
  expect(told).toBeGreaterThan(0);
});
