/**
 * What must be true after a loss of power.
 *
 * O1. The names, with links, modes, targets and attributes, are those after one of the steps, all of them: not
 *     before the last sync, not after the step in progress. So each call is there or is not.
 * O2. What fsync was called for has a name, unless it lost its last one later.
 * O3. A byte of a file is one that the file had there since it was last synced, or 0 where the file was made
 *     longer since then. So what was synced and not changed is there, and nothing of anybody else's ever is.
 * O4. A file's size is one between those it had since then.
 * O5. Who finds a file renamed over another finds it whole, synced or not (auto_da_alloc).
 */
import type { Recorded, Step } from './record.ts';
import type { State } from './state.ts';

/** What is wrong with what was seen after a crash with `cut` requests done; '' when nothing is. */
export function judge({ steps }: Recorded, cut: number, seen: State): string {
  let done = 0;
  while (done + 1 < steps.length && steps[done + 1].requests <= cut) done++;
  // Before the mount was done there was what it found.
  const high = Math.min(done + 1, steps.length - 1);
  const low = Math.max(
    0,
    steps.findLastIndex(({ durable }, i) => i <= done && durable === 'all'),
  );
  let wrong = '';
  for (let at = high; at >= low; at--) {
    if (steps[at].state.names !== seen.names) continue;
    wrong = judgeAt(steps, { low, at, high, done }, seen);
    if (wrong === '') return '';
  }
  return wrong || describeNames(steps, low, high, seen);
}

interface Range {
  /** Everything up to here was synced. */
  readonly low: number;
  /** The names are those after this step. */
  readonly at: number;
  readonly high: number;
  readonly done: number;
}

function judgeAt(steps: readonly Step[], range: Range, seen: State): string {
  const { low, at, high, done } = range;
  for (const [ino, path] of seen.named) {
    const from = contentSince(steps, range, ino);
    const versions = versionsOf(steps, ino, from, at, high);
    const wrong = judgeContent(seen.files.get(ino) ?? new Uint8Array(), versions);
    if (wrong !== '') {
      return `${path} (#${ino}), as after step ${at} (${steps[at].what}), content since step ${from}: ${wrong}`;
    }
  }
  for (let i = low; i <= done; i++) {
    const { durable } = steps[i];
    if (durable === undefined || durable === 'all' || seen.named.has(durable)) continue;
    const always = steps.slice(i, high + 1).every(({ state }) => state.named.has(durable));
    if (always) return `#${durable} was synced in step ${i} and has no name`;
  }
  return '';
}

/** The step since when a file's content counts. */
function contentSince(steps: readonly Step[], { low, at, done }: Range, ino: number): number {
  let from = low;
  for (let i = low; i < steps.length; i++) {
    const { durable, replaced } = steps[i];
    if (i <= done && durable === ino) from = i;
    if (i <= at && replaced === ino) from = i;
  }
  return from;
}

/** A file's contents while it was the same file as at `at`. */
function versionsOf(
  steps: readonly Step[],
  ino: number,
  from: number,
  at: number,
  high: number,
): Uint8Array[] {
  const versions: Uint8Array[] = [];
  for (let i = at; i >= from; i--) {
    const bytes = steps[i].state.files.get(ino);
    if (bytes === undefined) break;
    versions.push(bytes);
  }
  for (let i = Math.max(at + 1, from); i <= high; i++) {
    const bytes = steps[i].state.files.get(ino);
    if (bytes === undefined) break;
    versions.push(bytes);
  }
  return versions;
}

function judgeContent(bytes: Uint8Array, versions: readonly Uint8Array[]): string {
  const sizes = versions.map(({ length }) => length);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (versions.some((version) => Buffer.compare(version, bytes) === 0)) return '';
  if (bytes.length < least || bytes.length > most)
    return `it has ${bytes.length} bytes, and ${least} to ${most} are allowed`;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 0 && i >= least) continue;
    if (!versions.some((version) => i < version.length && version[i] === byte))
      return `byte ${i} is ${byte}, which it never was${byte === 0xe5 ? ' (what the disk held before)' : ''}`;
  }
  return '';
}

function describeNames(steps: readonly Step[], low: number, high: number, seen: State): string {
  const expected = new Set(steps[high].state.names.split('\n'));
  const found = new Set(seen.names.split('\n'));
  const more = [...found].filter((line) => !expected.has(line));
  const less = [...expected].filter((line) => !found.has(line));
  return [
    `the names are those after none of the steps ${low} to ${high} (${steps[high].what}); compared with ${high}:`,
    ...more.map((line) => `  + ${line}`),
    ...less.map((line) => `  - ${line}`),
  ].join('\n');
}
