/** The rows of several CPUs: what one thread gets done, and two. */

export const SMP_OPERATIONS = [
  'smp_stat_same',
  'smp_pread_same',
  'smp_stat_sep',
  'smp_open_close_sep',
  'smp_pread_sep',
  'smp_create_unlink_sep',
] as const;
export type SmpOperation = (typeof SMP_OPERATIONS)[number];

export interface SmpRow {
  op: SmpOperation;
  /** Of `one` and `two`. */
  unit: 'op/s';
  /** Operations per second of one thread, and of two at once, together: medians of the rounds. */
  one: number;
  two: number;
  /** How many times as much two threads do: the median of the rounds' ratios. */
  ratio: number;
}

/** What a thread is told: to do this from the moment that `go` is set, for so long. */
export interface SmpJob {
  op: SmpOperation;
  ms: number;
}

/** In shared memory: how many threads stand ready, and the word that lets them go. */
export const READY = 0;
export const GO = 1;
export const SHARED_WORDS = 2;

export interface SmpDone {
  operations: number;
  ms: number;
}
