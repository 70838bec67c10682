/** The formats in which differences are shown: normal, context and unified. */
import { type Change, hunksOf, type Lines } from './difflines.ts';

export interface Pair {
  readonly first: Lines;
  readonly second: Lines;
}

export interface Style {
  readonly format: 'normal' | 'context' | 'unified';
  readonly context: number;
  /** -p, -F: the last such line before a hunk is shown with it. */
  readonly heading: RegExp | undefined;
  /** -t: tabs as blanks; -T: a tab before a line, so that its own stay in their columns. */
  readonly initialTab: boolean;
}

const UNFINISHED = '\n\\ No newline at end of file\n';
const HEADING_MAX = 40;

function lineOf(mark: string, { lines, unfinished }: Lines, at: number, style: Style): string {
  const lead = style.initialTab ? `${mark.trimEnd()}\t` : mark;
  return lead + lines[at] + (unfinished && at === lines.length - 1 ? UNFINISHED : '\n');
}

function linesOf(mark: string, file: Lines, from: number, to: number, style: Style): string {
  let text = '';
  for (let i = from; i < to; i++) text += lineOf(mark, file, i, style);
  return text;
}

/** Lines by their numbers, from one on; nothing is the line before. */
const range = (from: number, to: number) => (to - from > 1 ? `${from + 1},${to}` : String(to));

function normal(changes: readonly Change[], { first, second }: Pair, style: Style): string {
  let text = '';
  for (const { from, to, otherFrom, otherTo, ignored } of changes) {
    if (ignored) continue;
    const letter = from === to ? 'a' : otherFrom === otherTo ? 'd' : 'c';
    text += `${range(from, to)}${letter}${range(otherFrom, otherTo)}\n`;
    text += linesOf('< ', first, from, to, style);
    if (letter === 'c') text += '---\n';
    text += linesOf('> ', second, otherFrom, otherTo, style);
  }
  return text;
}

interface Extent {
  readonly from: number;
  readonly to: number;
  readonly otherFrom: number;
  readonly otherTo: number;
}

/** A hunk with its context. */
function extentOf(hunk: readonly Change[], { first, second }: Pair, context: number): Extent {
  const [start] = hunk;
  const end = hunk[hunk.length - 1];
  return {
    from: Math.max(0, start.from - context),
    to: Math.min(first.lines.length, end.to + context),
    otherFrom: Math.max(0, start.otherFrom - context),
    otherTo: Math.min(second.lines.length, end.otherTo + context),
  };
}

/** The heading of a hunk: what stands last before it and looks like the beginning of a function. */
function headingOf(lines: readonly string[], before: number, { heading }: Style): string {
  if (heading === undefined) return '';
  for (let i = before - 1; i >= 0; i--) {
    if (heading.test(lines[i])) return ` ${lines[i].trimStart().slice(0, HEADING_MAX).trimEnd()}`;
  }
  return '';
}

const unifiedRange = (from: number, to: number) =>
  to - from === 1 ? String(to) : to === from ? `${to},0` : `${from + 1},${to - from}`;

function unified(changes: readonly Change[], pair: Pair, style: Style): string {
  const { first, second } = pair;
  let text = '';
  for (const hunk of hunksOf(changes, style.context)) {
    const { from, to, otherFrom, otherTo } = extentOf(hunk, pair, style.context);
    const ranges = `-${unifiedRange(from, to)} +${unifiedRange(otherFrom, otherTo)}`;
    text += `@@ ${ranges} @@${headingOf(first.lines, from, style)}\n`;
    let at = from;
    for (const change of hunk) {
      text += linesOf(' ', first, at, change.from, style);
      text += linesOf('-', first, change.from, change.to, style);
      text += linesOf('+', second, change.otherFrom, change.otherTo, style);
      at = change.to;
    }
    text += linesOf(' ', first, at, to, style);
  }
  return text;
}

const contextRange = (from: number, to: number) => (to - from > 1 ? `${from + 1},${to}` : String(to));

/** One side of a hunk, in the context format; nothing if nothing of it changes. */
function side(
  file: Lines,
  parts: readonly { from: number; to: number; mark: string }[],
  { from, to }: { from: number; to: number },
  style: Style,
): string {
  if (parts.every((part) => part.from === part.to)) return '';
  let text = '';
  let at = from;
  for (const part of parts) {
    text += linesOf('  ', file, at, part.from, style) + linesOf(part.mark, file, part.from, part.to, style);
    at = part.to;
  }
  return text + linesOf('  ', file, at, to, style);
}

function contextual(changes: readonly Change[], pair: Pair, style: Style): string {
  let text = '';
  for (const hunk of hunksOf(changes, style.context)) {
    const { from, to, otherFrom, otherTo } = extentOf(hunk, pair, style.context);
    const isChange = ({ from, to, otherFrom, otherTo }: Change) => from !== to && otherFrom !== otherTo;
    const old = hunk.map((each) => ({ from: each.from, to: each.to, mark: isChange(each) ? '! ' : '- ' }));
    const fresh = hunk.map((each) => ({
      from: each.otherFrom,
      to: each.otherTo,
      mark: isChange(each) ? '! ' : '+ ',
    }));
    text += `***************${headingOf(pair.first.lines, from, style)}\n`;
    text += `*** ${contextRange(from, to)} ****\n${side(pair.first, old, { from, to }, style)}`;
    text += `--- ${contextRange(otherFrom, otherTo)} ----\n`;
    text += side(pair.second, fresh, { from: otherFrom, to: otherTo }, style);
  }
  return text;
}

const FORMATS = { normal, context: contextual, unified };

/** The differences, without what names the files; '' if there are none that count. */
export function differences(changes: readonly Change[], pair: Pair, style: Style): string {
  return FORMATS[style.format](changes, pair, style);
}
