import { expect } from 'vitest';
import { describeResult, errno } from '../oracle/errno.ts';
import type { Feature, PosixTarget } from '../oracle/target.ts';
import { behaviours } from './behaviours.ts';
import { Scene } from './scene.ts';
import { casesOf, cellId, cells } from './table.ts';
import type { Cell, Who } from './types.ts';

/** One test of the contract, wherever it is run. */
export interface Case {
  /** Of the call, or of the group of behaviours. */
  group: string;
  id: string;
  who: Who;
  needs: readonly Feature[];
  /** Throws when the contract is broken. */
  run(scene: Scene): void;
}

/** The contract: a case per cell of the table, for each who, and per behaviour. */
export function contractCases(): Case[] {
  return [...cells.flatMap(cellCases), ...behaviours.flatMap(behaviourCases)];
}

function needsOf(who: Who, needs: readonly Feature[] = []): Feature[] {
  return who === 'user' ? [...needs, 'credentials'] : [...needs];
}

function cellCases(cell: Cell): Case[] {
  return casesOf(cell).map(({ who, passes }) => ({
    group: cell.call,
    id: cellId(cell, who),
    who,
    needs: needsOf(who, cell.needs),
    run: (scene) => {
      const result = cell.run(scene);
      if (passes)
        expect(typeof result === 'number' ? result : 0, describeResult(result)).toBeGreaterThanOrEqual(0);
      else expect(describeResult(result)).toBe(describeResult(-errno(cell.errno)));
    },
  }));
}

function behaviourCases(item: (typeof behaviours)[number]): Case[] {
  const { group, title, run } = item;
  return item.who.map((who) => ({
    group,
    id: `${group} ${who}: ${title}`,
    who,
    needs: needsOf(who, item.needs),
    run,
  }));
}

/** Why a target cannot run a case, if it cannot. */
export function lacking(target: Pick<PosixTarget, 'missing'>, { needs }: Case): string | undefined {
  const lack = needs.find((feature) => target.missing.has(feature));
  return lack && `${lack}: ${target.missing.get(lack)}`;
}

/** Run a case in a fresh scene; ends it whatever happens. */
export function play(target: PosixTarget, { who, run }: Case, directory: string): void {
  const scene = new Scene(target, who, directory);
  try {
    run(scene);
  } finally {
    scene.end();
  }
}
