import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PosixTarget } from '../oracle/target.ts';
import { type Case, contractCases, lacking, play } from './cases.ts';
import { callNames } from './documented.ts';

/** Differences that are right for a file system, by cell or behaviour, each with its reason. */
export type KnownDifferences = Readonly<Record<string, string>>;

/**
 * The POSIX contract as tests for one kind of target: a test per cell of the table and per
 * behaviour. What the target lacks (its `missing` features) and what is a known difference is
 * skipped with the reason in the test's name.
 */
export function contract(name: string, makeTarget: () => PosixTarget, known: KnownDifferences = {}): void {
  describe(name, () => {
    let target: PosixTarget;
    let serial = 0;
    beforeAll(() => {
      target = makeTarget();
    });
    afterAll(() => target.dispose());
    declareCases(known, (item, skip) => {
      const reason = lacking(target, item);
      if (reason) skip(reason);
      play(target, item, `/s${serial++}`);
    });
  });
}

/** A test per case, by groups; `judge` throws when the case failed. */
export function declareCases(
  known: KnownDifferences,
  judge: (item: Case, skip: (reason: string) => void) => void,
): void {
  const cases = contractCases();
  for (const group of new Set([...callNames, ...cases.map((item) => item.group)])) {
    describe(group, () => {
      for (const item of cases.filter((one) => one.group === group)) {
        if (item.id in known) it.skip(`${item.id} [known difference: ${known[item.id]}]`);
        else it(item.id, ({ skip }) => judge(item, skip));
      }
    });
  }
  it('every known difference names a cell or a behaviour', () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect(Object.keys(known).filter((id) => !ids.has(id))).toEqual([]);
  });
}
