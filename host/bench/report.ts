/** A result as the JSON of the command, or as a table to read. */
import { DISK_CONTESTANTS, type DiskContestant } from './ext4/types.ts';
import { WASI_CONTESTANTS, type WasiContestant } from './wasi/types.ts';
import type { SmpRow } from './smp/types.ts';
import { type BenchResult, CONTESTANTS, type ContestantName } from './types.ts';

/** Column headings, as people call them. */
export const TITLES: Record<ContestantName, string> = {
  damselflyUp: 'Damselfly up',
  damselflySmp: 'Damselfly smp',
  memfs: 'memfs',
  zenfs: 'ZenFS',
  nodefs: 'node:fs',
  native: 'C',
};

/** One line: `{"node","quick","seed","machine","rows":[{"op","unit","damselflyUp",…,"spread","ratio"}…],"disk","scaling"}`.
 *  The ext4 rows are among the rows, with columns of their own; what they worked on is in `disk`. So are WASI's, with `wasi`, and smp's. */
export function toJson({ rows, disk, wasi, smp, ...result }: BenchResult): string {
  const { rows: diskRows = [], ...facts } = disk ?? {};
  const { rows: wasiRows = [], ...wasiFacts } = wasi ?? {};
  const all = {
    ...result,
    rows: [...rows, ...diskRows, ...wasiRows, ...smp],
    disk: disk && facts,
    wasi: wasi && wasiFacts,
  };
  return JSON.stringify(all, (_key, value: unknown) =>
    typeof value === 'number' ? roundTo(value, 5) : value,
  );
}

export const DISK_TITLES: Record<DiskContestant, string> = {
  damselflyUp: 'Damselfly, memory',
  damselflyFileDisk: 'Damselfly, file',
  nodefs: "host's ext4",
};

export const WASI_TITLES: Record<WasiContestant, string> = {
  damselflyGate: 'Damselfly, gate',
  damselflyJs: 'Damselfly, js gate',
  nodewasi: 'node:wasi',
  bjorn: 'browser_wasi_shim',
};

/** Rows of at most four digits, aligned; beside each value its ratio to Damselfly's first column. */
export function toText({ rows, disk, wasi, smp }: BenchResult): string {
  const parts: string[] = [];
  if (rows.length > 0) parts.push(tableOf(rows, CONTESTANTS, TITLES));
  if (disk !== null) parts.push(tableOf(disk.rows, DISK_CONTESTANTS, DISK_TITLES));
  if (wasi !== null) parts.push(tableOf(wasi.rows, WASI_CONTESTANTS, WASI_TITLES));
  if (smp.length > 0) parts.push(smpTable(smp));
  return parts.join('\n\n');
}

/** What two CPUs do, beside what one does. */
function smpTable(rows: readonly SmpRow[]): string {
  const lines = rows.map(({ op, one, two, ratio }) => [
    op,
    formatValue(one),
    formatValue(two),
    formatRatio(ratio),
  ]);
  const head = ['operation', 'one', 'two', 'ratio'];
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  return [head, ...lines]
    .map((line) =>
      line.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '),
    )
    .join('\n');
}

interface Row<N extends string> {
  op: string;
  unit: string;
  ratio: Record<N, number | null>;
}

function tableOf<N extends string>(
  rows: readonly (Row<N> & Record<N, number | null>)[],
  names: readonly N[],
  titles: Record<N, string>,
): string {
  const head = ['operation', ...names.map((name) => titles[name]), 'unit'];
  const lines = rows.map((row) => [
    row.op,
    ...names.map((name) => cell(row[name], row.ratio[name], name)),
    row.unit,
  ]);
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

function cell(value: number | null, ratio: number | null, name: string): string {
  if (value === null) return '-';
  const times =
    ratio === null || name === 'damselflyUp' || name === 'damselflyGate' ? '' : ` (${formatRatio(ratio)})`;
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
