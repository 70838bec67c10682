/** What Damselfly set out to reach, each as a number that the benchmark measures. */
import type { DiskOp, DiskRow } from '../../host/bench/ext4/types.ts';
import type { BenchResult, BenchRow, ContestantName } from '../../host/bench/types.ts';

export interface Verdict {
  /** What is measured, and against what. */
  what: string;
  /** "at least 10×" and the like. */
  budget: string;
  /** null: this run did not measure it. */
  measured: number | null;
  unit: string;
  met: boolean | null;
}

/** Bulk copies are exempt: shared memory is copied more slowly by the engines. */
const BULK = new Set(['pread_4k', 'pwrite_4k']);
const SMP_LIMIT = 1.5;

export function judge(result: BenchResult): Verdict[] {
  const rows = new Map(result.rows.map((row) => [row.op, row]));
  return [
    quotient(rows, 'vop_dispatch', 'call_indirect', 2),
    faster(rows, 'stat', 'memfs', 10),
    atMost(rows, 'stat_kernel', 150),
    faster(rows, 'open_close', 'memfs', 8),
    faster(rows, 'pread_4k', 'memfs', 1.5),
    faster(rows, 'pwrite_4k', 'memfs', 1.5),
    faster(rows, 'create_write_unlink', 'memfs', 8),
    faster(rows, 'create_write_unlink', 'native', 6),
    faster(rows, 'rename_2x', 'memfs', 10),
    faster(rows, 'readdir_2000', 'memfs', 5),
    atMost(rows, 'boot_ms', 5),
    quotient(rows, 'lookup_1m_hot', 'lookup_1k', 1.5),
    quotient(rows, 'lookup_1m_random', 'lookup_1k', 6),
    atMost(rows, 'ram_per_file', 512),
    ...[...rows.values()].filter((row) => row.unit === 'ns' && !BULK.has(row.op)).map(smp),
  ];
}

function faster(rows: Map<string, BenchRow>, op: string, peer: ContestantName, times: number): Verdict {
  const measured = rows.get(op)?.ratio[peer] ?? null;
  return {
    what: `\`${op}\`: ${peer === 'native' ? 'the C program' : peer} over Damselfly \`up\``,
    budget: `at least ${times}×`,
    measured,
    unit: '×',
    met: measured === null ? null : measured >= times,
  };
}

function atMost(rows: Map<string, BenchRow>, op: string, limit: number): Verdict {
  const row = rows.get(op);
  const measured = row?.damselflyUp ?? null;
  const unit = row ? ` ${row.unit}` : '';
  return {
    what: `\`${op}\``,
    budget: `at most ${limit}${unit}`,
    measured,
    unit,
    met: measured === null ? null : measured <= limit,
  };
}

function quotient(rows: Map<string, BenchRow>, op: string, base: string, limit: number): Verdict {
  const over = rows.get(op)?.damselflyUp ?? null;
  const under = rows.get(base)?.damselflyUp ?? null;
  const measured = over === null || under === null ? null : over / under;
  return {
    what: `\`${op}\` over \`${base}\``,
    budget: `at most ${limit}×`,
    measured,
    unit: '×',
    met: measured === null ? null : measured <= limit,
  };
}

function smp(row: BenchRow): Verdict {
  const measured = row.ratio.damselflySmp;
  return {
    what: `\`${row.op}\`: \`smp\` over \`up\``,
    budget: `at most ${SMP_LIMIT}×`,
    measured,
    unit: '×',
    met: measured === null ? null : measured <= SMP_LIMIT,
  };
}

/** The host's own ext4 over Damselfly's, on a disk in memory. */
const DISK_BUDGETS: Readonly<Record<DiskOp, number>> = {
  ext4_create_tree: 3,
  ext4_stat_tree: 3,
  ext4_read_tree: 1.5,
  ext4_remove_tree: 3,
  ext4_seq_write: 1,
  ext4_seq_read: 1,
};

export function judgeDisk(rows: readonly DiskRow[]): Verdict[] {
  return rows.map(({ op, ratio: { nodefs } }) => ({
    what: `\`${op}\`: the host's ext4 over Damselfly's on memory`,
    budget: `at least ${DISK_BUDGETS[op]}×`,
    measured: nodefs,
    unit: '×',
    met: nodefs === null ? null : nodefs >= DISK_BUDGETS[op],
  }));
}
