import type { Subject } from './fixture.ts';
import type { ContestantName, Plan } from './types.ts';
export async function openDamselfly(_name: ContestantName, _flavour: string, _plan: Plan): Promise<Subject> {
  throw new Error('not yet');
}
