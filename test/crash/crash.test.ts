/** The quick form of `make crash`. */
import { readFileSync } from 'node:fs';
import { describe as suite, expect, test } from 'vitest';
import type { Bug } from '../model/bugs.ts';
import { buildVariant, plant, sourceOf } from '../model/variant.ts';
import { JOURNAL_BUGS } from '../ext4/journal-bugs.ts';
import { kernelFile } from '../unit/kernel/kit.ts';
import { describe, describeTotals, newTotals, runCampaign } from './campaign.ts';
import { Explorer } from './explore.ts';
import { OPERATIONS, SYNCS } from './operations.ts';
import { PLANTS } from './plants.ts';
import type { Workload } from './record.ts';
import { FORMATS } from './volume.ts';

const kernel = {
  module: new WebAssembly.Module(readFileSync(kernelFile('up-debug'))),
  flavour: 'up-debug',
} as const;

const QUICK = { exhaustive: 4, samples: 6, torn: 1, seed: 1 };

/** Each operation once, with the format and the way to sync it taken in turn; and as many pairs. */
const workloads = OPERATIONS.flatMap(({ name }, i): Workload[] => [
  { format: FORMATS[i % FORMATS.length].name, operations: [name], sync: SYNCS[i % 4] },
  {
    format: FORMATS[(i + 2) % FORMATS.length].name,
    operations: [name, OPERATIONS[(i * 7 + 3) % OPERATIONS.length].name],
    sync: SYNCS[(i + 1) % SYNCS.length],
  },
]);

suite('after a loss of power', () => {
  const explorer = new Explorer(kernel, 150);
  const totals = newTotals();

  test.each(FORMATS.map(({ name }) => name))('what was promised is there: %s', (format) => {
    const mine = workloads.filter((workload) => workload.format === format);
    const violation = runCampaign(explorer, mine, QUICK, totals);
    if (violation === undefined) explorer.end();
    expect(violation ? describe(violation) : '').toBe('');
  });

  test('and that was looked into often enough', () => {
    console.log(describeTotals(totals));
    expect(totals.byOperation.size).toBe(OPERATIONS.length);
    expect(totals.contents.size).toBeGreaterThan(1000);
    expect(totals.sampled).toBeGreaterThan(3);
    expect(totals.mended).toBeGreaterThan(3);
  });
});

suite('it bites', () => {
  test('without barriers, on a disk with a write cache', () => {
    const explorer = new Explorer(kernel);
    const cases = OPERATIONS.slice(0, 12).map(
      ({ name }): Workload => ({ format: '1k', operations: [name], sync: 'fsync', options: 'nobarrier' }),
    );
    expect(runCampaign(explorer, cases, QUICK, newTotals())).toBeDefined();
  });

  test('with revoke records forgotten', () => {
    const bug = JOURNAL_BUGS.find(({ name }) => name === 'revoke-forgotten') as Bug;
    const module = new WebAssembly.Module(readFileSync(buildVariant(bug, 'up-debug')));
    const explorer = new Explorer({ module, flavour: 'up-debug' });
    const found = ['directory-to-file', 'map-to-file', 'attributes-to-file'].map((name) => {
      const cases = FORMATS.map(
        ({ name: format }): Workload => ({ format, operations: [name], sync: 'none' }),
      );
      return cases.filter((one) => runCampaign(explorer, [one], QUICK, newTotals()) !== undefined);
    });
    expect(found.map(({ length }) => length)).toEqual([FORMATS.length, FORMATS.length, FORMATS.length]);
  });

  test('each bug to plant has its place in the sources; `make crash PLANT=…` finds it', () => {
    const bugs = PLANTS.flatMap(({ bug }) => bug ?? []);
    expect(bugs.length).toBeGreaterThanOrEqual(2);
    for (const bug of bugs) expect(plant(sourceOf(bug), bug)).not.toBe(sourceOf(bug));
  });
});
