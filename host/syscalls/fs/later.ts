/**
 * From one function to Node's two later forms. An operation throws what is wrong with its
 * arguments at once, and returns its result or a promise of it. `promised` makes everything a
 * promise; `calledBack` throws bad arguments and calls back with the rest, on a later turn.
 */
import { defer } from '#platform';
import { invalidArgType, isArgumentError } from './errors.ts';
import { turn } from './steps.ts';

export type Operation = (...args: never[]) => unknown;
type Arguments = unknown[];
type Callback = (error: unknown, ...values: unknown[]) => void;

/** Operations between two turns of the event loop: a program that polls in a loop must not starve timers. */
const OPERATIONS_PER_TURN = 256;
let operations = 0;

export function named<F extends (...args: never[]) => unknown>(name: string, fn: F): F {
  Object.defineProperty(fn, 'name', { value: name, configurable: true });
  return fn;
}

export function promised(name: string, operation: Operation): (...args: Arguments) => Promise<unknown> {
  const run = operation as (...args: Arguments) => unknown;
  return named(name, async (...args: Arguments) => {
    try {
      return await run(...args);
    } finally {
      if (++operations % OPERATIONS_PER_TURN === 0) await turn();
    }
  });
}

/** `spread` turns a result into the callback's values after the error. */
export function calledBack(
  name: string,
  operation: Operation,
  spread: (result: unknown, args: Arguments) => Arguments = oneValue,
): (...args: Arguments) => void {
  const run = operation as (...args: Arguments) => unknown;
  return named(name, (...given: Arguments) => {
    const at = given.findLastIndex((argument) => typeof argument === 'function');
    if (at < 0) throw invalidArgType('cb', 'of type function', undefined);
    const callback = given[at] as Callback;
    const args = given.slice(0, at);
    let result: unknown;
    try {
      result = run(...args);
    } catch (error) {
      if (isArgumentError(error)) throw error;
      defer(() => callback(error));
      return;
    }
    if (result instanceof Promise) {
      result.then(
        (value) => defer(() => callback(null, ...spread(value, args))),
        (error) => defer(() => callback(error)),
      );
    } else defer(() => callback(null, ...spread(result, args)));
  });
}

const oneValue = (result: unknown): Arguments => (result === undefined ? [] : [result]);
