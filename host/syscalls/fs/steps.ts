/**
 * Work written once for both worlds: a generator that yields what may have to be waited for.
 * `runSync` drives it to its end at once and refuses promises; `runLater` awaits them, and lets
 * the event loop turn now and then when the work is long.
 */
import { defer } from '#platform';
import { typeError } from './errors.ts';

export type Steps<T> = Generator<unknown, T, unknown>;

/** Steps between two turns of the event loop. */
const STEPS_PER_TURN = 512;

export function runSync<T>(steps: Steps<T>): T {
  let state = steps.next();
  while (!state.done) {
    if (state.value instanceof Promise) {
      state = steps.throw(
        typeError(
          'ERR_INVALID_RETURN_VALUE',
          'Expected boolean to be returned from the "options.filter" function but got an instance of Promise.',
        ),
      );
    } else state = steps.next(state.value);
  }
  return state.value;
}

export async function runLater<T>(steps: Steps<T>): Promise<T> {
  let state = steps.next();
  for (let count = 1; !state.done; count++) {
    if (count % STEPS_PER_TURN === 0) await turn();
    if (!(state.value instanceof Promise)) {
      state = steps.next(state.value);
      continue;
    }
    let value: unknown;
    try {
      value = await state.value;
    } catch (error) {
      state = steps.throw(error);
      continue;
    }
    state = steps.next(value);
  }
  return state.value;
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => defer(resolve));
}
