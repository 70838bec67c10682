/** One directory at one size: what each name costs to make, look up, list and remove. */
import { kernelLookups } from './ops.ts';
import type { Stage } from './fixture.ts';
import { benchName } from './random.ts';
import type { ScalingPoint } from './types.ts';

const LOOKUPS = 100_000;

/** @throws Error when the directory would take over `limitMs` to make */
export function scale(stage: Stage, names: number, limitMs: number): ScalingPoint {
  const { fs, subject, random } = stage;
  const dir = `${subject.root}scale${names}`;
  const perName = (count: number, work: () => void): number => {
    const start = performance.now();
    work();
    return ((performance.now() - start) * 1e6) / count;
  };
  const create = perName(names, () => stage.makeNames(dir, names, limitMs));
  let lookup: number;
  if (subject.kernel) {
    const { lookups, drawing } = kernelLookups(stage, dir, names, 0);
    lookups(LOOKUPS);
    lookup = perName(LOOKUPS, () => lookups(LOOKUPS)) - perName(LOOKUPS, () => drawing(LOOKUPS));
  } else {
    const some = Array.from({ length: LOOKUPS }, () => `${dir}/${benchName(random.below(names))}`);
    lookup = perName(LOOKUPS, () => {
      for (const name of some) fs.accessSync(name);
    });
  }
  let listed: string[] = [];
  const list = perName(names, () => {
    listed = fs.readdirSync(dir);
  });
  if (listed.length !== names) throw new Error(`${listed.length} of ${names} names listed`);
  const remove = perName(names, () => {
    for (let i = 0; i < names; i++) fs.unlinkSync(`${dir}/${benchName(i)}`);
  });
  fs.rmdirSync(dir);
  return { names, create, lookup, list, remove };
}
