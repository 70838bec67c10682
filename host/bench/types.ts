/**
 * The words the benchmark's parts share: contestants, rows, and the messages between the
 * coordinator and the process each contestant runs in.
 */

import type { DiskResult } from './ext4/types.ts';
import type { WasiResult } from './wasi/types.ts';
import type { SmpRow } from './smp/types.ts';

/** Everything that competes, in the order of the result's columns. */
export const CONTESTANTS = ['damselflyUp', 'damselflySmp', 'memfs', 'zenfs', 'nodefs', 'native'] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

/** Sets of rows; each later part of the machine adds its own. */
export const GROUPS = ['core', 'ext4', 'wasi', 'smp'] as const;
export type GroupName = (typeof GROUPS)[number];

export interface BenchOptions {
  /** Few short rounds and a big directory of 100,000 names rather than 1,000,000: done in 40 s. */
  quick?: boolean;
  /** Row groups to run; all of them unless given. */
  only?: readonly GroupName[];
  /** Where the host's tmpfs is mounted; unless given, /dev/shm or the temporary directory if they are one. */
  tmpfs?: string;
  /** Seed of every random order, 1 … 2^32 - 1. */
  seed?: number;
  /** Receives one line at a time of what is going on. */
  progress?: (line: string) => void;
}

/** The sizes a run works with, derived from the options once and told to every contestant. */
export interface Plan {
  readonly quick: boolean;
  readonly seed: number;
  readonly tmpfs: string | null;
  readonly rounds: number;
  /** Time measured per operation, contestant and round, ms. */
  readonly sliceMs: number;
  readonly warmupMs: number;
  /** Names in the big directory. */
  readonly bigNames: number;
  /** A contestant that needs longer than this to make a directory goes without its rows, ms. */
  readonly buildLimitMs: number;
  /** The whole run aims to end by then, ms; later rows get fewer rounds. Infinity in a full run. */
  readonly totalMs: number;
  /** Sizes of the scaling table; empty in a quick run. */
  readonly scaling: readonly number[];
}

/** One number for each contestant, null where it has none. */
export type Columns<T> = Record<ContestantName, T | null>;

export interface BenchRow extends Columns<number> {
  op: string;
  unit: string;
  /** Lowest and highest of the rounds' medians. */
  spread: Columns<readonly [number, number]>;
  /** How many times Damselfly `up`'s value each contestant's is: the median of the rounds' ratios. */
  ratio: Columns<number>;
}

/** Cost in ns per name of each step, in one directory of `names` names. */
export interface ScalingPoint {
  names: number;
  create: number;
  lookup: number;
  list: number;
  remove: number;
}

export interface BenchResult {
  node: string;
  quick: boolean;
  seed: number;
  machine: MachineFacts;
  /** Of the group core. */
  rows: BenchRow[];
  /** Of the group ext4; null if that was not asked for, or this host has no tmpfs. */
  disk: DiskResult | null;
  /** Of the group wasi; null if that was not asked for, or there is no current Node, or no tmpfs. */
  wasi: WasiResult | null;
  /** Of the group smp. */
  smp: SmpRow[];
  /** Empty in a quick run. */
  scaling: Columns<ScalingPoint[]> | null;
}

export interface MachineFacts {
  platform: string;
  cpu: string;
  cpus: number;
  memoryBytes: number;
}

/** Statistics of one slice of time, in the operation's unit. */
export interface Slice {
  median: number;
  /** Median absolute deviation. */
  mad: number;
  samples: number;
}

export type Request =
  | { type: 'open'; contestant: ContestantName; plan: Plan }
  | { type: 'prepare'; fixture: string }
  | { type: 'measure'; op: string; warmup: boolean; sliceMs: number }
  | { type: 'scale'; names: number }
  | { type: 'close' };

export type Reply =
  | { type: 'done'; slice?: Slice | null; point?: ScalingPoint | null; version?: string }
  | { type: 'failed'; reason: string };
