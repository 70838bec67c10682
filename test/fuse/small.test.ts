/** A mounted tree with more files than the machine that serves it has memory for. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeImage, Mounts, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();

/** `make fuse-files` for 100,000. */
const FILES = Number(process.env.FILES ?? 10_000);
const RAM = ['--ram', '32m'];
/** Ten directories with a hundredth of the files in each of theirs: a line for each file. */
const NAMES = Array.from(
  { length: FILES },
  (_, i) => `./d${Math.floor(i / 100) % 10}/e${Math.floor(i / 100)}/${i}`,
);

describe.skipIf(skipMounts)('a machine of 32 MiB', () => {
  // Linux remembers all of them, in its own memory
  it(`serves ${FILES} files`, { timeout: 60_000 + FILES * 5 }, async () => {
    const outside = mounts.here();
    const list = path.join(outside, 'list');
    fs.writeFileSync(list, NAMES.map((name) => `${name}\n`).join(''));
    const wanted = [...NAMES].sort().join('\n');
    const image = makeImage(outside, 256 << 20, '-N', String(Math.ceil(FILES * 1.2) + 100));
    const at = await mounts.mountImage(image, ...RAM);
    const took: Record<string, string> = {};
    const timed = (what: string, line: string): string => {
      const begun = performance.now();
      const output = sh(at, line);
      took[what] = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
      return output;
    };
    const found = (output: string) => output.trimEnd().split('\n').sort().join('\n');
    timed('made', `cut -d/ -f2,3 ${list} | sort -u | xargs mkdir -p; xargs touch < ${list}`);
    expect(found(timed('found', "find . -path './d*' -type f"))).toBe(wanted);
    expect(timed('stat', `xargs stat -c '%h %s' < ${list} | sort | uniq -c`).trim()).toBe(`${FILES} 1 0`);
    await mounts.again(...RAM);
    expect(found(timed('found anew', "find . -path './d*' -type f -links 1 -size 0"))).toBe(wanted);
    timed('removed', 'rm -rf d*');
    expect(fs.readdirSync(at)).toEqual(['lost+found']);
    if (process.env.FILES !== undefined) console.log(`${FILES} files:`, took);
  });
});
