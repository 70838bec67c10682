/**
 * Stats, BigIntStats and StatFs, read from the records that the kernel leaves at SA_DATA.
 */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../../assembly/abi/flags.ts';
import * as at from '../../../assembly/abi/layout.ts';
import type { Trap } from '../trap.ts';

abstract class StatsBase {
  abstract readonly mode: number | bigint;
  isDirectory(): boolean {
    return is(this, S_IFDIR);
  }
  isFile(): boolean {
    return is(this, S_IFREG);
  }
  isBlockDevice(): boolean {
    return is(this, S_IFBLK);
  }
  isCharacterDevice(): boolean {
    return is(this, S_IFCHR);
  }
  isSymbolicLink(): boolean {
    return is(this, S_IFLNK);
  }
  isFIFO(): boolean {
    return is(this, S_IFIFO);
  }
  isSocket(): boolean {
    return is(this, S_IFSOCK);
  }
}

function is(stats: StatsBase, type: number): boolean {
  return (Number(stats.mode) & S_IFMT) === type;
}

/** What a file is, in numbers. The Date properties are made when they are read. */
export class Stats extends StatsBase {
  declare atime: Date;
  declare mtime: Date;
  declare ctime: Date;
  declare birthtime: Date;
  dev: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  blksize: number;
  ino: number;
  size: number;
  blocks: number;
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  birthtimeMs: number;

  constructor(
    dev: number,
    mode: number,
    nlink: number,
    uid: number,
    gid: number,
    rdev: number,
    blksize: number,
    ino: number,
    size: number,
    blocks: number,
    atimeMs: number,
    mtimeMs: number,
    ctimeMs: number,
    birthtimeMs: number,
  ) {
    super();
    this.dev = dev;
    this.mode = mode;
    this.nlink = nlink;
    this.uid = uid;
    this.gid = gid;
    this.rdev = rdev;
    this.blksize = blksize;
    this.ino = ino;
    this.size = size;
    this.blocks = blocks;
    this.atimeMs = atimeMs;
    this.mtimeMs = mtimeMs;
    this.ctimeMs = ctimeMs;
    this.birthtimeMs = birthtimeMs;
  }
}

/** As Stats in bigints, with times to the nanosecond. */
export class BigIntStats extends StatsBase {
  declare atime: Date;
  declare mtime: Date;
  declare ctime: Date;
  declare birthtime: Date;
  dev: bigint;
  mode: bigint;
  nlink: bigint;
  uid: bigint;
  gid: bigint;
  rdev: bigint;
  blksize: bigint;
  ino: bigint;
  size: bigint;
  blocks: bigint;
  atimeMs: bigint;
  mtimeMs: bigint;
  ctimeMs: bigint;
  birthtimeMs: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  birthtimeNs: bigint;

  constructor(f64: Float64Array, u32: Uint32Array) {
    super();
    this.dev = BigInt(f64[at.ST_DEV >> 3]);
    this.mode = BigInt(u32[at.ST_MODE >> 2]);
    this.nlink = BigInt(f64[at.ST_NLINK >> 3]);
    this.uid = BigInt(u32[at.ST_UID >> 2]);
    this.gid = BigInt(u32[at.ST_GID >> 2]);
    this.rdev = BigInt(f64[at.ST_RDEV >> 3]);
    this.blksize = BigInt(u32[at.ST_BLKSIZE >> 2]);
    this.ino = BigInt(f64[at.ST_INO >> 3]);
    this.size = BigInt(f64[at.ST_SIZE >> 3]);
    this.blocks = BigInt(f64[at.ST_BLOCKS >> 3]);
    this.atimeNs = nanoseconds(f64[at.ST_ATIME >> 3], u32[at.ST_ATIME_NS >> 2]);
    this.mtimeNs = nanoseconds(f64[at.ST_MTIME >> 3], u32[at.ST_MTIME_NS >> 2]);
    this.ctimeNs = nanoseconds(f64[at.ST_CTIME >> 3], u32[at.ST_CTIME_NS >> 2]);
    this.birthtimeNs = nanoseconds(f64[at.ST_BTIME >> 3], u32[at.ST_BTIME_NS >> 2]);
    this.atimeMs = this.atimeNs / 1000000n;
    this.mtimeMs = this.mtimeNs / 1000000n;
    this.ctimeMs = this.ctimeNs / 1000000n;
    this.birthtimeMs = this.birthtimeNs / 1000000n;
  }
}

for (const target of [Stats, BigIntStats]) {
  for (const name of ['atime', 'mtime', 'ctime', 'birthtime'] as const) {
    Object.defineProperty(target.prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: Stats | BigIntStats) {
        // Rounded as Node rounds, so that a file's mtime equals the Date it was set from.
        const value = new Date(Math.floor(Number(this[`${name}Ms`]) + 0.5));
        setOwn(this, name, value);
        return value;
      },
      set(this: object, value: Date) {
        setOwn(this, name, value);
      },
    });
  }
}

function setOwn(target: object, name: string, value: Date): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function nanoseconds(seconds: number, ns: number): bigint {
  return BigInt(seconds) * 1000000000n + BigInt(ns);
}

/** The Stats that the last call left. */
export function readStats(trap: Trap): Stats {
  const f64 = trap.dataF64;
  const u32 = trap.dataU32;
  return new Stats(
    f64[at.ST_DEV >> 3],
    u32[at.ST_MODE >> 2],
    f64[at.ST_NLINK >> 3],
    u32[at.ST_UID >> 2],
    u32[at.ST_GID >> 2],
    f64[at.ST_RDEV >> 3],
    u32[at.ST_BLKSIZE >> 2],
    f64[at.ST_INO >> 3],
    f64[at.ST_SIZE >> 3],
    f64[at.ST_BLOCKS >> 3],
    f64[at.ST_ATIME >> 3] * 1000 + u32[at.ST_ATIME_NS >> 2] / 1e6,
    f64[at.ST_MTIME >> 3] * 1000 + u32[at.ST_MTIME_NS >> 2] / 1e6,
    f64[at.ST_CTIME >> 3] * 1000 + u32[at.ST_CTIME_NS >> 2] / 1e6,
    f64[at.ST_BTIME >> 3] * 1000 + u32[at.ST_BTIME_NS >> 2] / 1e6,
  );
}

export function readBigIntStats(trap: Trap): BigIntStats {
  return new BigIntStats(trap.dataF64, trap.dataU32);
}

/** What watchFile reports for a file that does not exist: all zero. */
export function noStats(): Stats {
  return new Stats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

export function noBigIntStats(): BigIntStats {
  return new BigIntStats(new Float64Array(at.ST_LEN / 8), new Uint32Array(at.ST_LEN / 4));
}

/** A file system's size and use, in blocks of `bsize` bytes. */
export class StatFs<T extends number | bigint = number> {
  type: T;
  bsize: T;
  blocks: T;
  bfree: T;
  bavail: T;
  files: T;
  ffree: T;

  constructor(type: T, bsize: T, blocks: T, bfree: T, bavail: T, files: T, ffree: T) {
    this.type = type;
    this.bsize = bsize;
    this.blocks = blocks;
    this.bfree = bfree;
    this.bavail = bavail;
    this.files = files;
    this.ffree = ffree;
  }
}

const STATFS_FIELDS = [
  at.SF_TYPE,
  at.SF_BSIZE,
  at.SF_BLOCKS,
  at.SF_BFREE,
  at.SF_BAVAIL,
  at.SF_FILES,
  at.SF_FFREE,
];

export function readStatFs(trap: Trap, bigint: boolean): StatFs | StatFs<bigint> {
  const [type, bsize, blocks, bfree, bavail, files, ffree] = STATFS_FIELDS.map(
    (field) => trap.dataF64[field >> 3],
  );
  if (!bigint) return new StatFs(type, bsize, blocks, bfree, bavail, files, ffree);
  return new StatFs(
    BigInt(type),
    BigInt(bsize),
    BigInt(blocks),
    BigInt(bfree),
    BigInt(bavail),
    BigInt(files),
    BigInt(ffree),
  );
}
