import fc, { type Arbitrary } from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import type { PosixProcess, Timespec } from '../oracle/target.ts';
import { ACTORS, type Call, type FdKind, JAILED, type Place, type State } from './state.ts';

/** What operations are made of: fast-check generates and shrinks them. */

/** One step: an actor and a call that takes shape when the state is known. */
export class Operation {
  readonly kind: string;
  /** What it becomes when its turn comes: whose call, and which. */
  readonly turn: (state: State) => { actor: number; call: Call };
  #text: string;

  constructor(
    kind: string,
    actor: number,
    params: unknown,
    turn: (state: State) => { actor: number; call: Call },
  ) {
    this.kind = kind;
    this.turn = turn;
    this.#text = `${kind} by ${ACTORS[actor].name} ${JSON.stringify(params)}`;
  }

  toString(): string {
    return this.#text;
  }
}

export interface Kind {
  name: string;
  weight: number;
  arbitrary: Arbitrary<Operation>;
}

export const small = fc.nat({ max: 30 });
const actors: Arbitrary<number> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.constant(JAILED) },
);

type Shape<P> = { [K in keyof P]: Arbitrary<P[K]> };

export function kind<P extends object>(
  name: string,
  weight: number,
  shape: Shape<P>,
  call: (state: State, params: P, actor: number) => Call,
  needs?: FdKind | 'any' | 'jail',
): Kind {
  const arbitrary = fc.record({ actor: actors, luck: small, params: fc.record(shape) }).map((op) => {
    const params = op.params as P;
    return new Operation(name, op.actor, params, (state) => {
      const actor = !needs
        ? op.actor
        : needs === 'jail'
          ? op.actor || JAILED
          : state.actorWith(op.actor, needs, op.luck);
      return { actor, call: call(state, params, actor) };
    });
  });
  return { name, weight, arbitrary };
}

/** An operation on an open descriptor, of that kind if it matters. */
export function onFd<P extends object>(
  name: string,
  weight: number,
  needs: FdKind | 'any',
  shape: Shape<P>,
  call: (state: State, params: P, actor: number) => Call,
): Kind {
  return kind(name, weight, shape, call, needs);
}

export function to<K extends keyof PosixProcess & string>(
  name: K,
  ...args: PosixProcess[K] extends (...args: infer A) => unknown ? A : never
): Call {
  return { name, args };
}

// ── their arguments ───────────────────────────────────────────────────────────────────────────

export function place(...hows: [Place['how'], number][]): Arbitrary<Place> {
  return fc.record({
    how: fc.oneof(...hows.map(([how, weight]) => ({ weight, arbitrary: fc.constant(how) }))),
    n: small,
    name: small,
    tail: fc.oneof(
      { weight: 40, arbitrary: fc.constant('' as const) },
      { weight: 1, arbitrary: fc.constantFrom('/' as const, '/.' as const, '/..' as const) },
    ),
    relative: fc.oneof(
      { weight: 12, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });
}

export const fresh = place(['new', 20], ['wild', 1], ['any', 1]);
/** Mostly there, now and then to be made. */
export const someFile = place(['file', 12], ['any', 3], ['new', 1], ['wild', 1]);
export const someDir = place(['dir', 14], ['any', 1], ['wild', 1]);
export const emptyDir = place(['empty', 12], ['dir', 2], ['any', 1], ['wild', 1]);
export const anything = place(['any', 14], ['file', 4], ['link', 3], ['wild', 1], ['new', 1]);

export const offset = fc.constantFrom(0, 0, 1, 100, 4095, 4096, 4097, 5000, 8191, 8192, 12288, 20000);
export const length = fc.constantFrom(0, 1, 7, 100, 1000, 4095, 4096, 4097, 8192, 10000);
export const mode = fc.constantFrom(
  0o644,
  0o600,
  0o666,
  0o755,
  0o777,
  0o700,
  0o444,
  0o2775,
  0o1777,
  0o4755,
  0o6777,
  0o607,
  0o047,
  0o075,
  0,
);
export const sets = fc.constantFrom(-1, -1, 0, 1000, 1001, 2000);
export const time: Arbitrary<Timespec> = fc.oneof(
  fc.record({ sec: fc.constantFrom(0, 1, 1000, 123456), nsec: fc.constantFrom(0, 1, 999_999_999) }),
  fc.constantFrom({ sec: 0, nsec: F.UTIME_NOW }, { sec: 0, nsec: F.UTIME_OMIT }),
);

/** Access mode and what may be added; O_NONBLOCK always, so that fifos do not wait. */
export const openFlags = fc
  .record({
    access: fc.constantFrom(F.O_RDONLY, F.O_RDWR, F.O_RDWR, F.O_WRONLY),
    more: fc.constantFrom(
      F.O_CREAT,
      F.O_CREAT,
      F.O_CREAT | F.O_TRUNC,
      F.O_CREAT | F.O_EXCL,
      F.O_CREAT | F.O_APPEND,
      F.O_APPEND,
      F.O_TRUNC,
      0,
      F.O_NOFOLLOW,
      F.O_PATH,
      F.O_CREAT | F.O_NOFOLLOW,
      F.O_DIRECTORY,
      F.O_SYNC,
      F.O_CLOEXEC,
      F.O_NOATIME,
    ),
  })
  .map(({ access, more }) => access | more | F.O_NONBLOCK);

export const AT = F.AT_FDCWD;
