/** The words of the rows measured through mounts: contestants, rows, and the result. */
import type { MachineFacts } from '../../../host/bench/types.ts';

/** An ext4 image and a tmpfs mounted by us, the pass-through over the host's tmpfs, the host's ext4 on a loop device. */
export const MOUNT_CONTESTANTS = ['ext4', 'tmpfs', 'passthrough', 'host'] as const;
export type MountContestant = (typeof MOUNT_CONTESTANTS)[number];

export const MOUNT_TITLES: Record<MountContestant, string> = {
  ext4: 'Damselfly, ext4 image',
  tmpfs: 'Damselfly, tmpfs',
  passthrough: 'pass-through FUSE',
  host: "host's ext4",
};

/** What a row is about, by which it is judged. */
export type MountKind = 'names' | 'data';

/** In the order they are done in: each tree row finds what the one before left. */
export const MOUNT_OPS = {
  tree_unpack: { kind: 'names', unit: 'ms' },
  tree_stat_cold: { kind: 'names', unit: 'ms' },
  tree_stat_warm: { kind: 'names', unit: 'ms' },
  tree_remove: { kind: 'names', unit: 'ms' },
  fio_randread_4k: { kind: 'data', unit: 'IOPS' },
  fio_randwrite_4k: { kind: 'data', unit: 'IOPS' },
  fio_randread_4k_x4: { kind: 'data', unit: 'IOPS' },
  fio_randwrite_4k_x4: { kind: 'data', unit: 'IOPS' },
  fio_read_1m: { kind: 'data', unit: 'MB/s' },
  fio_write_1m: { kind: 'data', unit: 'MB/s' },
  dbench_1: { kind: 'data', unit: 'MB/s' },
  dbench_4: { kind: 'data', unit: 'MB/s' },
} as const satisfies Record<string, { kind: MountKind; unit: 'ms' | 'IOPS' | 'MB/s' }>;
export type MountOp = keyof typeof MOUNT_OPS;
export const MOUNT_OP_NAMES = Object.keys(MOUNT_OPS) as MountOp[];

export interface MountPlan {
  readonly quick: boolean;
  /** The host's tmpfs: images, the pass-through's files, the archive. */
  readonly tmpfs: string;
  readonly rounds: number;
  /** Files of the tree. */
  readonly files: number;
  readonly fioMs: number;
  readonly fioBytes: number;
  readonly dbenchSeconds: number;
  readonly ops: readonly MountOp[];
}

export type MountColumns<T> = Record<MountContestant, T | null>;

export interface MountRow extends MountColumns<number> {
  op: MountOp;
  unit: string;
  /** Lowest and highest of the rounds. */
  spread: MountColumns<readonly [number, number]>;
  /** How many times as fast as the pass-through: the median of the rounds' ratios. */
  speed: MountColumns<number>;
}

export interface MountResult {
  node: string;
  machine: MachineFacts;
  quick: boolean;
  rounds: number;
  tree: { files: number; directories: number; bytes: number };
  fioBytes: number;
  rows: MountRow[];
  /** Why a contestant is not there. */
  missing: Partial<Record<MountContestant, string>>;
  /** Why nothing was measured. */
  skipped?: string;
}
