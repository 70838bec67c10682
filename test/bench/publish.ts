/**
 * Writes docs/benchmarks.md and its pictures from the JSON of a full run:
 *
 *     node publish.js RESULT.json DOCS_DIRECTORY
 */
import fs from 'node:fs';
import path from 'node:path';
import { DISK_CONTESTANTS, DISK_OPS, type DiskResult, type DiskRow } from '../../host/bench/ext4/types.ts';
import { DISK_TITLES, formatRatio, formatValue, TITLES, WASI_TITLES } from '../../host/bench/report.ts';
import {
  type BenchResult,
  type BenchRow,
  CONTESTANTS,
  type ContestantName,
  type ScalingPoint,
} from '../../host/bench/types.ts';
import {
  WASI_CONTESTANTS,
  WASI_OPS,
  type WasiContestant,
  type WasiResult,
  type WasiRow,
} from '../../host/bench/wasi/types.ts';
import { judge, judgeDisk, type Verdict } from './budgets.ts';
import { operationsChart, scalingChart } from './chart.ts';

const STEPS: readonly (readonly [keyof ScalingPoint, string])[] = [
  ['create', 'Creating'],
  ['lookup', 'Looking up a random name'],
  ['list', 'Listing'],
  ['remove', 'Removing'],
];

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...lines.map(row)].join('\n');
}

function valueCell(row: BenchRow, name: ContestantName): string {
  const value = row[name];
  const spread = row.spread[name];
  if (value === null || !spread) return '';
  return `${formatValue(value)}<br><sub>${formatValue(spread[0])} – ${formatValue(spread[1])}</sub>`;
}

function operationsTable(result: BenchResult): string {
  const head = ['operation', 'unit', ...CONTESTANTS.map((name) => TITLES[name])];
  return table(
    head,
    result.rows.map((row) => [`\`${row.op}\``, row.unit, ...CONTESTANTS.map((name) => valueCell(row, name))]),
  );
}

function ratioTable(result: BenchResult): string {
  const others = CONTESTANTS.filter((name) => name !== 'damselflyUp');
  const rows = result.rows.filter((row) => others.some((name) => row.ratio[name] !== null));
  return table(
    ['operation', ...others.map((name) => TITLES[name])],
    rows.map((row) => {
      const cells = others.map((name) => row.ratio[name]);
      return [`\`${row.op}\``, ...cells.map((ratio) => (ratio === null ? '' : formatRatio(ratio)))];
    }),
  );
}

function budgetTable(verdicts: readonly Verdict[]): string {
  return table(
    ['what', 'budget', 'measured', 'met'],
    verdicts.map(({ what, budget, measured, unit, met }) => [
      what,
      budget,
      measured === null ? 'not in this run' : `${formatValue(measured)}${unit}`,
      met === null ? '' : met ? 'yes' : '**no**',
    ]),
  );
}

function scalingTables(scaling: NonNullable<BenchResult['scaling']>): string {
  const entrants = CONTESTANTS.filter((name) => (scaling[name]?.length ?? 0) > 0);
  const sizes = [...new Set(entrants.flatMap((name) => scaling[name]!.map(({ names }) => names)))];
  return STEPS.map(([step, heading]) => {
    const lines = sizes.map((names) => [
      names.toLocaleString('en'),
      ...entrants.map((name) => {
        const point = scaling[name]!.find((candidate) => candidate.names === names);
        return point ? formatValue(point[step]) : '';
      }),
    ]);
    return `${heading}, ns per name:\n\n${table(['names', ...entrants.map((name) => TITLES[name])], lines)}`;
  }).join('\n\n');
}

function document(result: BenchResult): string {
  const { machine } = result;
  const gib = (machine.memoryBytes / 2 ** 30).toFixed(0);
  const { disk } = result;
  return `# Benchmarks

Written by \`make bench\`, which runs \`damselfly bench\` in full: do not edit. A short run that prints its
table in half a minute: \`npx damselfly bench --quick\`.

Measured on: ${machine.cpu}, ${machine.cpus} CPUs, ${gib} GiB of RAM, ${machine.platform}, Node ${result.node}; seed ${result.seed}.

## How

Every contestant runs the same operations in a process of its own: Damselfly (\`up\` and \`smp\`), memfs and
ZenFS (InMemory) through their \`node:fs\` functions, \`node:fs\` itself on the host's tmpfs, and a small C program
(\`test/bench/native.c\`, \`cc -O2\`) on the same tmpfs. The operations work through 1,000 files of 4 KiB, four
path components deep, in a random order drawn from the seed; every result is used. No contestant but
Damselfly has something to measure in the rows that loop inside the kernel (\`call_indirect\`, \`vop_dispatch\`,
\`stat_kernel\`, \`lookup_*\`): the peers' lookups are \`accessSync\`, the C program's \`access\`. What it costs to
draw the names of a lookup is timed alone and taken off.

Samples are batches of about a millisecond, timed after a warm-up and summed up by tinybench. An operation
is measured in rounds; in each round every contestant gets one slice of time, one at a time, in an order that
rotates, so that a noisy neighbour meets all alike. A value is the median of the rounds' medians, beneath it
the lowest and the highest round; a ratio is the median of the ratios within each round.

\`create_write_unlink\` opens a new file, writes 4 KiB, closes and removes it; \`rename_2x\` renames a file and
back; \`lookup_1m_hot\` looks up the same 1,000 names of a directory of ${result.quick ? '100,000' : '1,000,000'}, \`lookup_1m_random\` any of
them; \`ram_load\` loads a word from a random place of the same machine's RAM in use (a lookup of a random name
loads at least two: the bucket, then the entry); \`boot_ms\` is from \`boot()\`, with the module compiled, to the first call's return (for memfs: a new volume);
\`ram_per_file\` is what an empty file costs once every cache has been given back (for memfs and ZenFS: heap).

## Operations

![Time per operation](benchmarks.svg)

${operationsTable(result)}

## How many times Damselfly \`up\`'s time

${ratioTable(result)}

## Budgets

${budgetTable(judge(result))}
${randomNote(result)}
${disk ? diskSection(disk) : ''}
${result.wasi ? wasiSection(result.wasi) : ''}
${
  result.scaling
    ? `
## From a thousand names to a million

![Looking up a random name, by the size of its directory](benchmarks-scaling.svg)

${scalingTables(result.scaling)}
`
    : ''
}`;
}

function main([source, docs]: readonly string[]): void {
  if (!source || !docs) throw new Error('usage: publish RESULT.json DOCS_DIRECTORY');
  const result = resultOf(JSON.parse(fs.readFileSync(source, 'utf8')));
  fs.mkdirSync(docs, { recursive: true });
  fs.writeFileSync(path.join(docs, 'benchmarks.md'), document(result));
  fs.writeFileSync(path.join(docs, 'benchmarks.svg'), operationsChart(result));
  if (result.scaling) fs.writeFileSync(path.join(docs, 'benchmarks-scaling.svg'), scalingChart(result));
}

main(process.argv.slice(2));

type AnyRow = BenchRow | DiskRow | WasiRow;

/** The command's JSON has all rows in one list. */
function resultOf(json: {
  rows: AnyRow[];
  disk: Omit<DiskResult, 'rows'> | null;
  wasi: Omit<WasiResult, 'rows'> | null;
}): BenchResult {
  const isDisk = (row: AnyRow): row is DiskRow => DISK_OPS.some((op) => op === row.op);
  const isWasi = (row: AnyRow): row is WasiRow => WASI_OPS.some((op) => op === row.op);
  const { rows, disk, wasi } = json;
  return {
    ...(json as object),
    rows: rows.filter((row) => !isDisk(row) && !isWasi(row)),
    disk: disk && { ...disk, rows: rows.filter(isDisk) },
    wasi: wasi && { ...wasi, rows: rows.filter(isWasi) },
  } as BenchResult;
}

/** The WASI rows: ns, and how many times the gate's that is. */
function wasiSection({ rows, node, rounds, missing }: WasiResult): string {
  const names = WASI_CONTESTANTS.filter((name) => missing[name] === undefined);
  const cell = (row: WasiRow, name: WasiContestant): string =>
    row[name] === null ? '' : `${formatValue(row[name])} (${formatRatio(row.ratio[name] ?? 1)})`;
  return `## WASI

The same guest, whose loops are its own, in Node ${node}, ${rounds} rounds: on Damselfly by the gate that copies from one
memory to the other and by the one that leaves copies to JavaScript, under \`node:wasi\` on the host's tmpfs, and on
browser_wasi_shim. ns per operation, and in brackets how many times the gate's that is.

${table(
  ['operation', ...names.map((name) => WASI_TITLES[name])],
  rows.map((row) => [row.op, ...names.map((name) => cell(row, name))]),
)}
`;
}

/** The ext4 rows: times, then ratios, then what was to be reached. */
function diskSection({ rows, tree, seqBytes, rounds, missing }: DiskResult): string {
  const mib = (bytes: number) => `${formatValue(bytes / 2 ** 20)} MiB`;
  const head = ['operation', 'unit', ...DISK_CONTESTANTS.map((name) => DISK_TITLES[name])];
  const lines = rows.map((row) => [
    `\`${row.op}\``,
    row.unit,
    ...DISK_CONTESTANTS.map((name) => {
      const [value, spread, ratio] = [row[name], row.spread[name], row.ratio[name]];
      if (value === null || !spread || ratio === null) return '';
      const times = name === 'damselflyUp' ? '' : ` (${formatRatio(ratio)})`;
      return `${formatValue(value)}${times}<br><sub>${formatValue(spread[0])} – ${formatValue(spread[1])}</sub>`;
    }),
  ]);
  const absent = Object.entries(missing).map(([name, why]) => `\nNot there: ${name} (${why}).`);
  return `
## ext4 on a disk

A tree of ${tree.files.toLocaleString('en')} files, ${tree.directories.toLocaleString('en')} directories and \
${tree.symlinks.toLocaleString('en')} symlinks (${mib(tree.bytes)}, this project's node_modules, held in memory beforehand) is written, walked
with a \`lstat\` of every name, read, and removed; then a file of ${mib(seqBytes)} is written with an fsync and read. Damselfly's
\`up\` machine has its disk in memory or in a file of the host's tmpfs; the peer is the host's own ext4 on a loop device
over a file of the same tmpfs, through \`node:fs\`. All of each disk was written once before, so that nobody pays for memory that was never touched. All begin with a
file system of our mkfs, and every step ends with everything
on the device (\`sync\`). The median of ${rounds} rounds, in brackets how many times Damselfly's on memory; beneath, lowest
and highest. \`damselfly bench --only ext4\` runs these alone.
${absent.join('')}
${table(head, lines)}

${budgetTable(judgeDisk(rows))}
`.replaceAll('\\\n', '');
}

/** What a random lookup costs beside the loads that it cannot do without. */
function randomNote({ rows }: BenchResult): string {
  const of = (op: string) => rows.find((row) => row.op === op)?.damselflyUp;
  const lookup = of('lookup_1m_random');
  const load = of('ram_load');
  if (!lookup || !load) return '';
  return `
A lookup of a random name is bound by the memory, not by the walk: it costs ${(lookup / load).toFixed(1)} times one
load from a random place of the same RAM (\`ram_load\`), and needs two that depend on each other. A lookup of a
hot name costs none, which is why the quotient of the two says more of the machine than of the kernel.
`;
}
