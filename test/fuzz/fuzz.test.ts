import { describe, expect, it } from 'vitest';
import { moduleBytes } from '../tidy/modules.ts';
import { describeFailure, runSession } from './campaign.ts';
import type { ExportName } from './call.ts';
import { LEFT_OUT, REFUSED, undocumented } from './expected.ts';
import { FLAVOURS, planOf } from './plan.ts';
import { Session } from './session.ts';
import { describeTally, Tally } from './tally.ts';

// The quick form of `make fuzz`.
const CALLS = 12_500;
const SEEDS = [2004, 2005, 2006, 2007, 2008, 2009, 2010, 2011];

describe('the fuzzer', () => {
  it('calls every export but those with a reason', () => {
    const { fuzzed } = new Session(planOf(1), new Tally());
    const left = Object.keys(LEFT_OUT);
    const module = new WebAssembly.Module(moduleBytes('up-debug'));
    // wasi_* are a gate's alone: test/wasi calls them as nobody means to
    const names = WebAssembly.Module.exports(module)
      .filter(({ name, kind }) => kind === 'function' && !name.startsWith('wasi_'))
      .map(({ name }) => name);
    expect([...fuzzed, ...left].sort()).toEqual(names.sort());
    expect(Object.values(LEFT_OUT).every((reason) => reason.length > 20)).toBe(true);
  });

  it.each(FLAVOURS)('%s: random calls neither break the kernel nor leave anything behind', (flavour) => {
    const tally = new Tally();
    for (const plan of SEEDS.map(planOf).filter((one) => one.flavour === flavour)) {
      const failure = runSession(plan, CALLS, tally);
      expect(failure ? describeFailure(failure, 20_000) : '').toBe('');
    }
    console.log(describeTally(tally));
    expect(tally.succeeded).toBeGreaterThan(0.3 * tally.made);
    expect(undocumented(tally.calls)).toEqual([]);
    const silent = (Object.keys(tally.calls) as ExportName[]).filter(
      (name) => !REFUSED.has(name) && !tally.calls[name]?.succeeded,
    );
    expect(silent).toEqual([]);
  });
});
