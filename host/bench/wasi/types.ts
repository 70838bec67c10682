/** The words of the WASI rows: who takes part, what is measured, and the messages between the processes. */

/** The same guest, on Damselfly by either gate, under node:wasi on the host's tmpfs, and on browser_wasi_shim. */
export const WASI_CONTESTANTS = ['damselflyGate', 'damselflyJs', 'nodewasi', 'bjorn'] as const;
export type WasiContestant = (typeof WASI_CONTESTANTS)[number];

export const WASI_OPS = ['wasi_pread_4k', 'wasi_stat', 'wasi_open_close', 'wasi_write_64'] as const;
export type WasiOp = (typeof WASI_OPS)[number];

export interface WasiPlan {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmupMs: number;
  /** Where the host's tmpfs is: node:wasi's directory. */
  readonly tmpfs: string;
  /** The current Node that all are measured in. */
  readonly node: string;
  /** The guest, assembled. */
  readonly guest: string;
}

export type WasiColumns<T> = Record<WasiContestant, T | null>;

export interface WasiRow extends WasiColumns<number> {
  op: WasiOp;
  unit: 'ns';
  /** Lowest and highest of the rounds' medians. */
  spread: WasiColumns<readonly [number, number]>;
  /** How many times the gate's time each contestant's is: the median of the rounds' ratios. */
  ratio: WasiColumns<number>;
}

export interface WasiResult {
  /** The version of the Node that all ran in. */
  node: string;
  rounds: number;
  rows: WasiRow[];
  /** Why a contestant is not there. */
  missing: Partial<Record<WasiContestant, string>>;
}

export type WasiRequest =
  | { type: 'open'; contestant: WasiContestant; plan: WasiPlan }
  | { type: 'measure'; op: WasiOp; ms: number }
  | { type: 'close' };

export type WasiReply =
  | { type: 'done'; version?: string; median?: number }
  | { type: 'failed'; reason: string };
