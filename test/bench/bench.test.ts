import { describe, expect, it } from 'vitest';
import { Meter, statisticsOf } from '../../host/bench/measure.ts';
import { OPERATIONS } from '../../host/bench/ops.ts';
import { benchName, Xorshift32 } from '../../host/bench/random.ts';
import { toJson, toText } from '../../host/bench/report.ts';
import { median } from '../../host/bench/median.ts';
import { runBench } from '../../host/bench/run.ts';
import { type BenchResult, type BenchRow, CONTESTANTS } from '../../host/bench/types.ts';
import { judge } from './budgets.ts';

function row(op: string, values: Partial<BenchRow>): BenchRow {
  const none = () => Object.fromEntries(CONTESTANTS.map((name) => [name, null]));
  return { op, unit: 'ns', ...none(), spread: none(), ratio: none(), ...values } as BenchRow;
}

function result(rows: BenchRow[]): BenchResult {
  const machine = { platform: 'Linux', cpu: 'x', cpus: 1, memoryBytes: 2 ** 30 };
  return {
    node: 'v20.0.0',
    quick: true,
    seed: 1,
    machine,
    rows,
    disk: null,
    wasi: null,
    smp: [],
    scaling: null,
  };
}

describe('the generator', () => {
  it('is xorshift 13-17-5', () => {
    const random = new Xorshift32(1);
    expect([random.next(), random.next(), random.next()]).toEqual([270369, 67634689, 2647435461]);
  });

  it('draws every number below a bound about as often', () => {
    const random = new Xorshift32(20040813);
    const seen = new Uint32Array(10);
    for (let i = 0; i < 100_000; i++) seen[random.below(10)]++;
    expect(Math.min(...seen)).toBeGreaterThan(9_500);
    expect(Math.max(...seen)).toBeLessThan(10_500);
  });

  it('shuffles into a permutation', () => {
    const list = Array.from({ length: 1000 }, (_, i) => i);
    const shuffled = new Xorshift32(7).shuffle([...list]);
    expect(shuffled).not.toEqual(list);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list);
  });

  it('refuses the state it would never leave', () => {
    expect(() => new Xorshift32(0)).toThrow(RangeError);
    expect(() => new Xorshift32(2 ** 32)).toThrow(RangeError);
  });

  it('names entries by eight hexadecimal digits', () => {
    expect(benchName(0)).toBe('f00000000');
    expect(benchName(999_999)).toBe('f000f423f');
  });
});

describe('measuring', () => {
  it('takes the median of samples timed elsewhere, in their unit', async () => {
    expect(await statisticsOf('x', [5, 1, 9, 3, 4])).toMatchObject({ median: 4, samples: 5 });
  });

  it('grows a batch until it lasts about a millisecond', async () => {
    const counts: number[] = [];
    const meter = new Meter((count) => {
      counts.push(count);
      return { perOp: 10, costMs: (count * 10) / 1e6 };
    });
    await meter.warmUp(20);
    const slice = await meter.slice('x', 5);
    expect(slice.median).toBe(10);
    expect(counts.at(-1)).toBe(100_000);
  });

  it('keeps to single operations where one takes longer', async () => {
    const meter = new Meter((count) => ({ perOp: 20e6, costMs: 20 * count }));
    expect((await meter.slice('x', 10)).samples).toBe(3);
  });

  it('finds medians of odd and even lists', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe('the result', () => {
  it('is one line of JSON with a column for each contestant', () => {
    const text = toJson(result([row('stat', { damselflyUp: 123.456789, memfs: 2000 })]));
    expect(text).not.toContain('\n');
    const parsed = JSON.parse(text) as BenchResult;
    expect(parsed.rows[0]).toMatchObject({
      op: 'stat',
      unit: 'ns',
      damselflyUp: 123.46,
      memfs: 2000,
      zenfs: null,
    });
    for (const name of CONTESTANTS) expect(parsed.rows[0]).toHaveProperty(name);
  });

  it('is a table with ratios', () => {
    const values = { damselflyUp: 200, memfs: 2000, ratio: { ...row('', {}).ratio, memfs: 10.25 } };
    expect(toText(result([row('stat', values)]))).toMatch(/stat +200 +- +2,000 \(10\.3×\)/);
  });

  it('refuses unknown groups and seeds before anything starts', async () => {
    await expect(runBench({ only: ['none' as 'core'] })).rejects.toThrow(RangeError);
    await expect(runBench({ seed: 0 })).rejects.toThrow(RangeError);
  });

  it('has every operation once', () => {
    const names = OPERATIONS.map(({ op }) => op);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the budgets', () => {
  const ratio = (memfs: number) => ({ ...row('', {}).ratio, memfs });

  it('compare ratios with peers', () => {
    const verdict = (memfs: number) =>
      judge(result([row('stat', { ratio: ratio(memfs) })])).find(({ what }) =>
        what.startsWith('`stat`: memfs'),
      );
    expect(verdict(10)?.met).toBe(true);
    expect(verdict(9.9)?.met).toBe(false);
  });

  it('compare rows with each other', () => {
    const verdict = (random: number) =>
      judge(
        result([row('lookup_1k', { damselflyUp: 50 }), row('lookup_1m_random', { damselflyUp: random })]),
      ).find(({ what }) => what.startsWith('`lookup_1m_random` over'));
    expect(verdict(300)?.met).toBe(true);
    expect(verdict(301)?.met).toBe(false);
  });

  it('say so when a run did not measure something', () => {
    for (const { measured, met } of judge(result([]))) {
      expect(measured).toBeNull();
      expect(met).toBeNull();
    }
  });
});
