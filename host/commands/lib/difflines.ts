/** What has to change for one file's lines to become another's. */
import { diffArrays } from '../../vendor/diff.ts';
import { decodeText } from './text.ts';

/** A file as lines, a character for each byte. */
export interface Lines {
  /** Without their ends. */
  readonly lines: readonly string[];
  /** The last one has no end. */
  readonly unfinished: boolean;
}

/** Lines `from` to `to` of the first file become `otherFrom` to `otherTo` of the second; ends excluded. */
export interface Change {
  from: number;
  to: number;
  otherFrom: number;
  otherTo: number;
  /** Only lines that were to be ignored (-B, -I). */
  ignored: boolean;
}

export interface Sameness {
  /** -i */
  readonly ignoreCase: boolean;
  /** -E, -Z, -b, -w; the strongest */
  readonly space: 'all' | 'amount' | 'trailing' | 'tabs' | 'none';
  readonly stripCarriageReturn: boolean;
  /** -B, -I: a change of nothing but such lines is none. */
  ignorable(line: string): boolean;
}

export function linesOf(bytes: Uint8Array): Lines {
  const lines = decodeText(bytes).split('\n');
  const unfinished = lines.at(-1) !== '';
  if (!unfinished) lines.pop();
  return { lines, unfinished };
}

const TAB = 8;

function withoutTabs(line: string): string {
  let text = '';
  for (const c of line) text += c === '\t' ? ' '.repeat(TAB - (text.length % TAB)) : c;
  return text;
}

/** What of a line is compared. */
function keyOf(line: string, { space, ignoreCase, stripCarriageReturn }: Sameness): string {
  let key = stripCarriageReturn ? line.replace(/\r$/, '') : line;
  if (space === 'all') key = key.replace(/[ \t\v\f\r]+/g, '');
  else if (space === 'amount') key = key.replace(/[ \t\v\f\r]+/g, ' ').replace(/ $/, '');
  else if (space === 'trailing') key = key.replace(/[ \t\v\f\r]+$/, '');
  else if (space === 'tabs' && key.includes('\t')) key = withoutTabs(key);
  return ignoreCase ? key.replace(/[A-Z]/g, (c) => c.toLowerCase()) : key;
}

/** A number for each line, the same for the same. A line without an end is like no other. */
function numbered(file: Lines, sameness: Sameness, known: Map<string, number>): number[] {
  const blanksCount = sameness.space === 'none' || sameness.space === 'tabs';
  return file.lines.map((line, i) => {
    const key = keyOf(line, sameness);
    const isOpen = blanksCount && file.unfinished && i === file.lines.length - 1;
    const full = isOpen ? `${key}\n` : key;
    const number = known.get(full) ?? known.size;
    known.set(full, number);
    return number;
  });
}

/** How many lines are the very same at the beginning, and how many of the others at the end. */
function sameEnds(first: Lines, second: Lines): { start: number; end: number } {
  const { lines: a } = first;
  const { lines: b } = second;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  if (first.unfinished !== second.unfinished) {
    // The last lines are not, then.
    return { start: Math.max(0, Math.min(start, a.length - 1, b.length - 1)), end: 0 };
  }
  let end = 0;
  const most = Math.min(a.length, b.length) - start;
  while (end < most && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return { start, end };
}

function compared(
  a: readonly number[],
  b: readonly number[],
  { start, end }: ReturnType<typeof sameEnds>,
): Change[] {
  const changes: Change[] = [];
  let [at, other] = [start, start];
  let open: Change | undefined;
  for (const { added, removed, count } of diffArrays(
    a.slice(start, a.length - end),
    b.slice(start, b.length - end),
  )) {
    if (!added && !removed) {
      at += count;
      other += count;
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = { from: at, to: at, otherFrom: other, otherTo: other, ignored: false };
      changes.push(open);
    }
    if (removed) open.to = at += count;
    else open.otherTo = other += count;
  }
  return changes;
}

/**
 * Where lines that come or go could as well be others, the last of them are meant, as GNU's diff has it
 * (which looks no further than `last`).
 */
function slidDown(changes: Change[], a: readonly number[], b: readonly number[], last: number): Change[] {
  for (let i = changes.length - 1; i >= 0; i--) {
    const change = changes[i];
    const deletes = change.otherFrom === change.otherTo;
    if (!deletes && change.from !== change.to) continue;
    const limit = changes[i + 1]?.from ?? last;
    const slides = () =>
      deletes ? a[change.from] === a[change.to] : b[change.otherFrom] === b[change.otherTo];
    while (change.to < limit && slides()) {
      change.from++;
      change.to++;
      change.otherFrom++;
      change.otherTo++;
    }
    const next = changes[i + 1];
    if (next === undefined || change.to < next.from) continue;
    change.to = next.to;
    change.otherTo = next.otherTo;
    changes.splice(i + 1, 1);
  }
  return changes;
}

/** @param context  how many lines will be shown around each change */
export function changesOf(first: Lines, second: Lines, sameness: Sameness, context: number): Change[] {
  const known = new Map<string, number>();
  const a = numbered(first, sameness, known);
  const b = numbered(second, sameness, known);
  const ends = sameEnds(first, second);
  const last = a.length - Math.max(0, ends.end - context);
  const changes = slidDown(compared(a, b, ends), a, b, last);
  for (const change of changes) {
    const { from, to, otherFrom, otherTo } = change;
    const lines = [...first.lines.slice(from, to), ...second.lines.slice(otherFrom, otherTo)];
    change.ignored = lines.every((line) => sameness.ignorable(line));
  }
  return changes;
}

/** Changes that are shown together since their context meets. */
export function hunksOf(changes: readonly Change[], context: number): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const previous = hunks.at(-1)?.at(-1);
    const near = change.ignored ? context : 2 * context + 1;
    if (previous !== undefined && change.from - previous.to < near) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  return hunks.filter((hunk) => hunk.some(({ ignored }) => !ignored));
}
