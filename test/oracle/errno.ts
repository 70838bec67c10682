import * as numbers from '../../assembly/abi/errno.ts';

/** Symbolic names of the error numbers that can reach a program. */
export type ErrnoName = Exclude<keyof typeof numbers, 'ERESTART' | 'ERETRY'>;

const byName: ReadonlyMap<string, number> = new Map(Object.entries(numbers));
const byNumber: ReadonlyMap<number, string> = new Map([...byName].map(([name, value]) => [value, name]));

/** The positive number of an errno's name. */
export function errno(name: ErrnoName): number {
  const value = byName.get(name);
  if (value === undefined) throw new Error(`no errno is called ${name}`);
  return value;
}

/** 'ENOENT' for 2 and for -2; 'errno 77' for a number without a name. */
export function errnoName(value: number): string {
  return byNumber.get(Math.abs(value)) ?? `errno ${Math.abs(value)}`;
}

/** A call's result for a human reader: the errno's name when it is negative. */
export function describeResult(result: unknown): string {
  if (typeof result === 'number') return result < 0 ? errnoName(result) : String(result);
  if (result instanceof Uint8Array) return `${result.length} bytes`;
  return JSON.stringify(result) ?? String(result);
}
