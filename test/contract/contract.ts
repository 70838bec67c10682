import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeResult, errno } from '../oracle/errno.ts';
import type { Feature, PosixTarget } from '../oracle/target.ts';
import { behaviours } from './behaviours.ts';
import { callNames } from './documented.ts';
import { Scene } from './scene.ts';
import { casesOf, cellId, cells } from './table.ts';
import type { Cell, Who } from './types.ts';

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
    const used = new Set<string>();
    beforeAll(() => {
      target = makeTarget();
    });
    afterAll(() => target.dispose());

    /** Run in a fresh scene; ends it whatever happens. */
    const play = (who: Who, run: (scene: Scene) => void): void => {
      const scene = new Scene(target, who, `/s${serial++}`);
      try {
        run(scene);
      } finally {
        scene.end();
      }
    };
    const declare = (id: string, item: { needs?: readonly Feature[] }, who: Who, run: (s: Scene) => void) => {
      if (id in known) {
        used.add(id);
        it.skip(`${id} [known difference: ${known[id]}]`);
        return;
      }
      it(id, (context) => {
        const needs: Feature[] = [...(item.needs ?? [])];
        if (who === 'user') needs.push('credentials');
        const lack = needs.find((feature) => target.missing.has(feature));
        if (lack) context.skip(`${lack}: ${target.missing.get(lack)}`);
        play(who, run);
      });
    };

    for (const call of callNames) {
      describe(call, () => {
        for (const cell of cells.filter((c) => c.call === call)) declareCell(cell, declare);
      });
    }
    for (const group of new Set(behaviours.map((b) => b.group))) {
      describe(group, () => {
        for (const item of behaviours.filter((b) => b.group === group))
          for (const who of item.who) declare(`${group} ${who}: ${item.title}`, item, who, item.run);
      });
    }
    it('every known difference names a cell or a behaviour', () => {
      expect(Object.keys(known).filter((id) => !used.has(id))).toEqual([]);
    });
  });
}

type Declare = (id: string, item: { needs?: readonly Feature[] }, who: Who, run: (s: Scene) => void) => void;

function declareCell(cell: Cell, declare: Declare): void {
  for (const { who, passes } of casesOf(cell)) {
    declare(cellId(cell, who), cell, who, (scene) => {
      const result = cell.run(scene);
      if (passes)
        expect(typeof result === 'number' ? result : 0, describeResult(result)).toBeGreaterThanOrEqual(0);
      else expect(describeResult(result)).toBe(describeResult(-errno(cell.errno)));
    });
  }
}
