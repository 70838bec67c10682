/** The quick form of `make fuzz-images`. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernelFile } from '../unit/kernel/kit.ts';
import { makeSources } from './sources.ts';
import { Tally } from './tally.ts';
import { visitImage } from './visit.ts';

const IMAGES = 500;
const FIRST = 1;
/** All structures that there are. */
const KINDS = 12;

test('damaged metadata: an error or what is right, no panic, no leak, no endless call', {
  timeout: 300_000,
}, () => {
  const module = new WebAssembly.Module(readFileSync(kernelFile('up-debug')));
  const kernel = { module, flavour: 'up-debug' } as const;
  const sources = makeSources(kernel);
  const tally = new Tally();
  for (let seed = FIRST; seed < FIRST + IMAGES; seed++) {
    const visited = visitImage(kernel, sources, seed);
    tally.add(visited);
    const again = `seed ${seed} (${visited.what}); again: make fuzz-images REPLAY=${seed}`;
    expect(visited.wrong && `${again}\n${visited.wrong}`).toBe('');
  }
  console.log(tally.describe());
  expect(tally.mountedShare).toBeGreaterThan(0.5);
  expect(tally.kinds.size).toBeGreaterThanOrEqual(KINDS);
});
