/**
 * Is a history of concurrent calls one that some order of them, one after another, explains? The calls, the model that
 * runs them one after another, and the search for such an order (Wing and Gong's, with states that were seen left out).
 */

/** A call as a thread made it: what, on which names, when it began and ended by a common counter, and what it said. */
export interface Call {
  thread: number;
  op: Op;
  from: number;
  to: number;
  /** A number, or an errno's name. */
  result: number | string;
}

export type Op =
  | { kind: 'create'; name: string }
  | { kind: 'unlink'; name: string }
  | { kind: 'rename'; name: string; to: string }
  | { kind: 'link'; name: string; to: string }
  | { kind: 'truncate'; name: string; size: number }
  /** Answers the size. */
  | { kind: 'stat'; name: string }
  /** Eight bytes of this value, over the end of a page, in a file that all have open. */
  | { kind: 'write'; value: number }
  /** Answers the value, or -1 when the bytes are of two. */
  | { kind: 'read' };

interface State {
  /** Name to file. */
  names: ReadonlyMap<string, number>;
  /** Size of each file ever made. */
  sizes: readonly number[];
  value: number;
}

const EMPTY: State = { names: new Map(), sizes: [], value: 0 };

/** What the call says in this state, and the state after it. */
function apply(state: State, op: Op): { result: number | string; after: State } {
  const { names, sizes } = state;
  const said = (result: number | string, change: Partial<State> = {}) => ({
    result,
    after: { ...state, ...change },
  });
  if (op.kind === 'write') return said(0, { value: op.value });
  if (op.kind === 'read') return said(state.value);
  const file = names.get(op.name);
  if (op.kind === 'create') {
    if (file !== undefined) return said('EEXIST');
    return said(0, { names: new Map(names).set(op.name, sizes.length), sizes: [...sizes, 0] });
  }
  if (file === undefined) return said('ENOENT');
  const changed = new Map(names);
  switch (op.kind) {
    case 'unlink':
      changed.delete(op.name);
      return said(0, { names: changed });
    case 'rename':
      // two names of one file: nothing happens
      if (names.get(op.to) === file) return said(0);
      changed.delete(op.name);
      return said(0, { names: changed.set(op.to, file) });
    case 'link':
      return names.has(op.to) ? said('EEXIST') : said(0, { names: changed.set(op.to, file) });
    case 'truncate':
      return said(0, { sizes: sizes.map((size, i) => (i === file ? op.size : size)) });
    case 'stat':
      return said(sizes[file]);
  }
}

const keyOf = ({ names, sizes, value }: State, left: number): string =>
  JSON.stringify([[...names].sort(), sizes, value, left]);

/** The order that explains the history, as indexes of calls; undefined: there is none. At most 30 calls. */
export function linearize(calls: readonly Call[]): number[] | undefined {
  const dead = new Set<string>();
  const search = (state: State, left: number): number[] | undefined => {
    if (left === 0) return [];
    const key = keyOf(state, left);
    if (dead.has(key)) return undefined;
    // a call may come next if none of those left ended before it began
    let firstEnd = Number.POSITIVE_INFINITY;
    for (const [i, { to }] of calls.entries()) if (left & (1 << i)) firstEnd = Math.min(firstEnd, to);
    for (const [i, call] of calls.entries()) {
      if ((left & (1 << i)) === 0 || call.from > firstEnd) continue;
      const { result, after } = apply(state, call.op);
      if (result !== call.result) continue;
      const rest = search(after, left & ~(1 << i));
      if (rest !== undefined) return [i, ...rest];
    }
    dead.add(key);
    return undefined;
  };
  return search(EMPTY, 2 ** calls.length - 1);
}

export const describeCall = ({ thread, op, from, to, result }: Call): string =>
  `${thread}: ${JSON.stringify(op)} = ${result} [${from}, ${to}]`;
