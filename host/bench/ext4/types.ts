/** The words of the ext4 rows: a tree and a long file, written, read and removed on a disk. */

/** Who competes: Damselfly's ext4 on a disk in memory and on one in a file of the host's tmpfs, and the
 *  host's own ext4 on a loop device over the same tmpfs. */
export const DISK_CONTESTANTS = ['damselflyUp', 'damselflyFileDisk', 'nodefs'] as const;
export type DiskContestant = (typeof DISK_CONTESTANTS)[number];

/** In the order they are done in: each finds what the one before left. */
export const DISK_OPS = [
  'ext4_create_tree',
  'ext4_stat_tree',
  'ext4_read_tree',
  'ext4_remove_tree',
  'ext4_seq_write',
  'ext4_seq_read',
] as const;
export type DiskOp = (typeof DISK_OPS)[number];

export interface DiskPlan {
  /** The tree that is copied. */
  readonly source: string;
  /** At most so many files of it, and bytes. */
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly rounds: number;
  /** Where the host's tmpfs is. */
  readonly tmpfs: string;
  readonly diskBytes: number;
  readonly ramBytes: number;
  readonly seqBytes: number;
}

export type DiskColumns<T> = Record<DiskContestant, T | null>;

export interface DiskRow extends DiskColumns<number> {
  op: DiskOp;
  unit: 'ms';
  /** Lowest and highest of the rounds. */
  spread: DiskColumns<readonly [number, number]>;
  /** How many times Damselfly `up`'s time each contestant's is: the median of the rounds' ratios. */
  ratio: DiskColumns<number>;
}

/** What the tree was. */
export interface TreeFacts {
  files: number;
  directories: number;
  symlinks: number;
  bytes: number;
}

export interface DiskResult {
  tree: TreeFacts;
  seqBytes: number;
  rounds: number;
  rows: DiskRow[];
  /** Why a contestant is not there. */
  missing: Partial<Record<DiskContestant, string>>;
}

export type DiskRequest =
  | { type: 'open'; contestant: DiskContestant; plan: DiskPlan }
  | { type: 'step'; op: DiskOp }
  | { type: 'close' };

export type DiskReply = { type: 'done'; ms?: number; tree?: TreeFacts } | { type: 'failed'; reason: string };
