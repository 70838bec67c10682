/** A result as the JSON of the command, or as a table to read. */
import { type BenchResult, type BenchRow, CONTESTANTS, type ContestantName } from './types.ts';

/** Column headings, as people call them. */
export const TITLES: Record<ContestantName, string> = {
  damselflyUp: 'Damselfly up',
  damselflySmp: 'Damselfly smp',
  memfs: 'memfs',
  zenfs: 'ZenFS',
  nodefs: 'node:fs',
  native: 'C',
};

/** One line: `{"node","quick","seed","machine","rows":[{"op","unit","damselflyUp",…,"spread","ratio"}…],"scaling"}`. */
export function toJson(result: BenchResult): string {
  return JSON.stringify(result, (_key, value: unknown) =>
    typeof value === 'number' ? roundTo(value, 5) : value,
  );
}

/** Rows of at most four digits, aligned; under each value its ratio to Damselfly `up`. */
export function toText(result: BenchResult): string {
  const head = ['operation', ...CONTESTANTS.map((name) => TITLES[name]), 'unit'];
  const lines = result.rows.map((row) => [row.op, ...CONTESTANTS.map((name) => cell(row, name)), row.unit]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  const align = (line: readonly string[]): string =>
    line
      .map((text, i) =>
        i === 0 || i === line.length - 1 ? text.padEnd(widths[i]) : text.padStart(widths[i]),
      )
      .join('  ')
      .trimEnd();
  return [align(head), ...lines.map(align)].join('\n');
}

function cell(row: BenchRow, name: ContestantName): string {
  const value = row[name];
  if (value === null) return '-';
  const ratio = row.ratio[name];
  const times = ratio === null || name === 'damselflyUp' ? '' : ` (${formatRatio(ratio)})`;
  return formatValue(value) + times;
}

/** Four digits at most before thousands separators take over. */
export function formatValue(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

export function formatRatio(ratio: number): string {
  return `${formatValue(ratio)}×`;
}

function roundTo(value: number, digits: number): number {
  // Whole numbers are counts, seeds and sizes: they stand as they are.
  return Number.isInteger(value) || !Number.isFinite(value) ? value : Number(value.toPrecision(digits));
}
