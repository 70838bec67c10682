/** The WASI suite: every case, and the variants that run it. */
import type { Case } from './cases/case.ts';
import { files } from './cases/files.ts';
import { hostile } from './cases/hostile.ts';
import { names } from './cases/names.ts';
import { suspend } from './cases/suspend.ts';
import { world } from './cases/world.ts';
import type { Variant } from './scene.ts';
import { canSuspend } from '../../host/wasi/guest.ts';
import { type GateKind, gateKind } from '../../host/wasi/modules.ts';

export const ALL_CASES: readonly Case[] = [...files, ...names, ...world, ...hostile, ...suspend];

/** Those that this engine can run. */
export const CASES: readonly Case[] = canSuspend
  ? ALL_CASES
  : ALL_CASES.filter((each) => !suspend.includes(each));

export const GATES: readonly GateKind[] = ['multi-memory', 'js'];

/** A gate with each pair of memories. */
export function variantsOf(gate: GateKind): Variant[] {
  return (['up-debug', 'smp-debug'] as const).flatMap((flavour) =>
    [false, true].map((shared): Variant => ({ gate, flavour, shared })),
  );
}

/** What this engine can run. */
export const VARIANTS: readonly Variant[] = GATES.filter(
  (gate) => gate === 'js' || gateKind === gate,
).flatMap(variantsOf);

export function titleOf({ gate, flavour, shared }: Variant): string {
  return `${gate} gate, ${flavour} kernel, ${shared ? 'shared' : 'unshared'} guest memory`;
}
