/**
 * What a copy between the host and the machine keeps of a file: everything `cp -a` keeps. Paths are
 * bytes, for names on Linux need not be UTF-8. Extended attributes are read apart: see xattrs.ts.
 */
import type { BigIntStats } from 'node:fs';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../assembly/abi/flags.ts';

/** A point in time as system calls take it: whole seconds, and 0 … 999,999,999 ns. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** One file of a tree. */
export interface Entry {
  /** Relative to the root of the tree; empty for the root itself. */
  readonly path: Buffer;
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes. */
  readonly size: number;
  /** Bytes that are not holes, in whole blocks. */
  readonly allocated: number;
  readonly rdev: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctimeNs: bigint;
  /** Equal for two names of one file. */
  readonly identity: string;
}

/** Something that could not be copied. */
export interface Problem {
  readonly path: string;
  /** Only this extended attribute of the file was lost. */
  readonly attribute?: string;
  readonly reason: string;
}

/** How far a copy is; called often. */
export interface CopyProgress {
  /** A file is done. */
  file(): void;
  bytes(count: number): void;
}

export interface CopyResult {
  /** Names made, directories included. */
  entries: number;
  /** Bytes of data written; holes are none. */
  bytes: number;
  problems: Problem[];
  /** Kept only as well as Node can: what, and for how many files. */
  losses: Map<string, number>;
  /** It was asked to stop before all was copied. */
  stopped: boolean;
}

export function emptyResult(): CopyResult {
  return { entries: 0, bytes: 0, problems: [], losses: new Map(), stopped: false };
}

export function lose(result: CopyResult, what: string): void {
  result.losses.set(what, (result.losses.get(what) ?? 0) + 1);
}

const NS = 1_000_000_000n;

export function timeOf(ns: bigint): Time {
  let seconds = ns / NS;
  let rest = ns % NS;
  if (rest < 0n) {
    seconds -= 1n;
    rest += NS;
  }
  return { seconds: Number(seconds), nanoseconds: Number(rest) };
}

export function nanosecondsOf({ seconds, nanoseconds }: Time): bigint {
  return BigInt(seconds) * NS + BigInt(nanoseconds);
}

export function entryOf(path: Buffer, stat: BigIntStats): Entry {
  return {
    path,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    nlink: Number(stat.nlink),
    size: Number(stat.size),
    allocated: Number(stat.blocks) * 512,
    rdev: Number(stat.rdev),
    atime: timeOf(stat.atimeNs),
    mtime: timeOf(stat.mtimeNs),
    ctimeNs: stat.ctimeNs,
    identity: `${stat.dev}:${stat.ino}`,
  };
}

export const typeOf = (mode: number): number => mode & S_IFMT;
export const isDirectory = ({ mode }: { mode: number }): boolean => typeOf(mode) === S_IFDIR;
export const isRegular = ({ mode }: { mode: number }): boolean => typeOf(mode) === S_IFREG;
export const isSymlink = ({ mode }: { mode: number }): boolean => typeOf(mode) === S_IFLNK;

const SLASH = Buffer.from('/');

/** `base/name`; either may be empty. */
export function joinBytes(base: Buffer, name: Buffer): Buffer {
  if (base.length === 0) return name;
  if (name.length === 0) return base;
  return base[base.length - 1] === SLASH[0]
    ? Buffer.concat([base, name])
    : Buffer.concat([base, SLASH, name]);
}

/** A path as a person reads it. */
export function shown(path: Buffer): string {
  return path.length === 0 ? '.' : path.toString('utf8');
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Directories that a copy has made. Where that failed, whatever else has the name may lead anywhere,
 * so nothing is copied below it.
 */
export class Parents {
  readonly #made = new Set<string>();

  add({ path }: Entry): void {
    this.#made.add(path.toString('latin1'));
  }

  /** Is there no directory for this entry? Never so for the root. */
  lacks({ path }: Entry): boolean {
    if (path.length === 0) return false;
    return !this.#made.has(path.toString('latin1', 0, Math.max(path.lastIndexOf(SLASH), 0)));
  }
}
