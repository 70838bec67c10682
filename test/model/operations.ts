import fc, { type Arbitrary } from 'fast-check';
import { atKinds } from './at-kinds.ts';
import { attributeKinds } from './attribute-kinds.ts';
import { dataKinds } from './data-kinds.ts';
import { descriptorKinds } from './descriptor-kinds.ts';
import type { Kind, Operation } from './kinds.ts';
import { nameKinds } from './name-kinds.ts';

/** The operations of the model test. */

const kinds: readonly Kind[] = [
  ...nameKinds,
  ...atKinds,
  ...attributeKinds,
  ...dataKinds,
  ...descriptorKinds,
];

/** Names of all kinds of operations. */
export const kindNames: readonly string[] = kinds.map((item) => item.name);

/** Lists of up to `most` operations. */
export function operations(most: number, without: ReadonlySet<string> = new Set()): Arbitrary<Operation[]> {
  const wanted = kinds.filter((item) => !without.has(item.name));
  const one = fc.oneof(...wanted.map(({ weight, arbitrary }) => ({ weight, arbitrary })));
  // Without bias: fast-check would begin with short lists of small values.
  return fc.noBias(fc.array(one, { minLength: 1, maxLength: most, size: 'max' }));
}
