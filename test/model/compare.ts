import * as F from '../../assembly/abi/flags.ts';
import { describeResult } from '../oracle/errno.ts';
import { decodeInotify } from '../oracle/linux-encode.ts';
import { checksum } from '../oracle/tree.ts';
import type { Dirent, FileLock, InotifyEvent, Stat, Timespec, TreeEntry } from '../oracle/target.ts';
import { type Tally, weight } from './rules.ts';
import type { Call } from './state.ts';

/** The two systems behaved differently. */
export class Difference extends Error {
  override name = 'Difference';
  /** Operations made until it showed. */
  operations = 0;
}

function differ(what: string, ours: unknown, theirs: unknown): never {
  throw new Difference(`${what}: damselfly ${describeResult(ours)}, linux ${describeResult(theirs)}`);
}

/** Times that operations set by themselves lie below this; the clock’s lie above. */
const CLOCK_FROM_SEC = 1_000_000_000;

interface Times {
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
}

/** What one side’s inode looked like when it was last seen. */
interface Seen extends Times {
  partner: number;
}

/**
 * Pairs the inodes of the two systems, and turns times into what can be compared: a time that an
 * operation set is itself; one of the clock’s is whether it moved since it was last seen.
 */
export class Pairing {
  readonly #ours = new Map<number, Seen>();
  readonly #theirs = new Map<number, Seen>();

  /**
   * Compare two inodes and remember them. `blurred`: the oracle’s clock may have stood still over
   * a change, which returns whether it is right that only ours moved.
   */
  meet(
    what: string,
    ours: Stat | TreeEntry,
    theirs: Stat | TreeEntry,
    blurred: (st: Stat | TreeEntry) => boolean,
  ): void {
    const wasOurs = this.#ours.get(ours.ino);
    const wasTheirs = this.#theirs.get(theirs.ino);
    if (wasOurs?.partner !== wasTheirs?.partner && wasTheirs?.partner !== ours.ino)
      if (wasTheirs || this.#alive.has(ours.ino))
        differ(`${what}: inode number`, ours.ino, wasTheirs?.partner ?? 'new');
    for (const name of ['atime', 'mtime', 'ctime'] as const) {
      const a = moved(ours[name], wasOurs?.[name]);
      const b = moved(theirs[name], wasTheirs?.[name]);
      if (a === b || (wasSet(ours[name]) && equal(ours[name], theirs[name]))) continue;
      if (a === 'moved' && b === 'same' && blurred(theirs)) continue;
      differ(`${what}: ${name}`, a, b);
    }
    this.#ours.set(ours.ino, { ...times(ours), partner: theirs.ino });
    this.#theirs.set(theirs.ino, { ...times(theirs), partner: ours.ino });
  }

  #alive = new Set<number>();

  /** Inode numbers that still exist; the others may be used again for new files. */
  keep(alive: readonly { ours: number; theirs: number }[]): void {
    this.#alive = new Set(alive.map((pair) => pair.ours));
    const theirs = new Set(alive.map((pair) => pair.theirs));
    for (const ino of this.#ours.keys()) if (!this.#alive.has(ino)) this.#ours.delete(ino);
    for (const ino of this.#theirs.keys()) if (!theirs.has(ino)) this.#theirs.delete(ino);
  }
}

function times({ atime, mtime, ctime }: Times): Times {
  return { atime, mtime, ctime };
}

/** By an operation, not by the clock. */
function wasSet(time: Timespec): boolean {
  return time.sec < CLOCK_FROM_SEC;
}

function equal(x: Timespec, y: Timespec): boolean {
  return x.sec === y.sec && x.nsec === y.nsec;
}

function moved(now: Timespec, before: Timespec | undefined): string {
  if (before && equal(now, before)) return 'same';
  return wasSet(now) ? `${now.sec}.${now.nsec}` : 'moved';
}

function inodeState(st: Stat | TreeEntry): string {
  return `mode ${st.mode.toString(8)} links ${st.nlink} uid ${st.uid} gid ${st.gid} rdev ${st.rdev}`;
}

/** Two looks at what must be the same file. */
export function compareStats(
  what: string,
  ours: Stat | TreeEntry,
  theirs: Stat | TreeEntry,
  tally: Tally,
): void {
  if (inodeState(ours) !== inodeState(theirs)) differ(what, inodeState(ours), inodeState(theirs));
  const weights = weight(ours, theirs, tally);
  if (weights.ours !== weights.theirs) differ(what, weights.ours, weights.theirs);
}

export interface TreeContext {
  pairing: Pairing;
  tally: Tally;
  blurred: (st: Stat | TreeEntry) => boolean;
  /** The oracle’s inodes whose extents say nothing. */
  preallocated: ReadonlySet<number>;
}

/** Order of a tree's entries: by path. */
export function byPath(x: TreeEntry, y: TreeEntry): number {
  return x.path < y.path ? -1 : x.path > y.path ? 1 : 0;
}

/** Whole trees, entry by entry. */
export function compareTrees(
  ours: readonly TreeEntry[],
  theirs: readonly TreeEntry[],
  { pairing, tally, blurred, preallocated }: TreeContext,
): void {
  const [a, b] = [[...ours].sort(byPath), [...theirs].sort(byPath)];
  const names = (list: readonly TreeEntry[]): string => list.map((item) => item.path).join(' ');
  if (names(a) !== names(b)) {
    const extra = a.filter((x) => !b.some((y) => y.path === x.path)).map((x) => x.path);
    const lost = b.filter((y) => !a.some((x) => x.path === y.path)).map((y) => y.path);
    throw new Difference(
      `names: only damselfly has [${extra.join(' ')}], only linux has [${lost.join(' ')}]`,
    );
  }
  a.forEach((mine, i) => {
    const its = b[i];
    const what = `file ${mine.path || '/'}`;
    compareStats(what, mine, its, tally);
    for (const field of ['sum', 'extents', 'target'] as const) {
      if (mine[field] === its[field]) continue;
      if (field !== 'extents' || !preallocated.has(its.ino))
        differ(`${what}: ${field}`, mine[field], its[field]);
      tally.applied('preallocated');
    }
    if (mine.xattrs.join() !== its.xattrs.join()) differ(`${what}: attributes`, mine.xattrs, its.xattrs);
  });
  // Links of one file are one inode on both sides: each pair meets once.
  const met = new Map<number, number>();
  a.forEach((mine, i) => {
    const its = b[i];
    const partner = met.get(mine.ino);
    if (partner === undefined) pairing.meet(`file ${mine.path || '/'}`, mine, its, blurred);
    else if (partner !== its.ino) differ(`file ${mine.path}: the file it is linked to`, mine.ino, its.ino);
    met.set(mine.ino, its.ino);
  });
}

/** What two calls returned. */
export function compareResults(call: Call, ours: unknown, theirs: unknown, tally: Tally): void {
  if (typeof ours === 'number' && typeof theirs === 'number') {
    if (ours !== theirs && !flagsAlike(call, ours, theirs, tally)) differ(call.name, ours, theirs);
  } else if (typeof ours !== typeof theirs) {
    differ(call.name, ours, theirs);
  } else if (typeof ours === 'string') {
    if (ours !== theirs) differ(call.name, ours, theirs);
  } else {
    compareObjects(call, ours, theirs, tally);
  }
}

function flagsAlike(call: Call, ours: number, theirs: number, tally: Tally): boolean {
  if (call.name !== 'fcntl' || call.args[1] !== F.F_GETFL || ours < 0) return false;
  if (theirs - ours === F.O_LARGEFILE) tally.applied('large files');
  return (theirs & ~F.O_LARGEFILE) === ours;
}

function compareObjects(call: Call, ours: unknown, theirs: unknown, tally: Tally): void {
  switch (call.name) {
    case 'stat':
    case 'lstat':
    case 'fstat':
    case 'fstatat':
      compareStats(call.name, ours as Stat, theirs as Stat, tally);
      break;
    case 'getdents':
      compareText(call, listing(ours as Dirent[]), listing(theirs as Dirent[]));
      break;
    case 'listxattr':
    case 'llistxattr':
    case 'flistxattr':
      compareText(call, [...(ours as string[])].sort().join(), [...(theirs as string[])].sort().join());
      break;
    case 'fcntlLock':
      compareLocks(ours as FileLock, theirs as FileLock, tally);
      break;
    case 'read':
    case 'pread':
    case 'readv':
    case 'preadv':
    case 'getxattr':
    case 'lgetxattr':
    case 'fgetxattr':
      compareBytes(call, ours as Uint8Array, theirs as Uint8Array);
      break;
    default:
      compareText(call, JSON.stringify(ours), JSON.stringify(theirs));
  }
}

function compareText(call: Call, ours: string, theirs: string): void {
  if (ours !== theirs) differ(call.name, ours, theirs);
}

/** Names and types in any order. */
function listing(entries: readonly Dirent[]): string {
  return entries
    .map((entry) => `${entry.name}:${entry.type}`)
    .sort()
    .join(' ');
}

function compareLocks(ours: FileLock, theirs: FileLock, tally: Tally): void {
  const show = (lock: FileLock): string => `${lock.type} ${lock.whence} ${lock.start} ${lock.len}`;
  const free = (lock: FileLock): boolean => lock.type === F.F_UNLCK;
  if (free(ours) !== free(theirs)) differ('fcntlLock', show(ours), show(theirs));
  if (show(ours) !== show(theirs)) tally.applied('lock found');
}

function compareBytes(call: Call, ours: Uint8Array, theirs: Uint8Array): void {
  if (ours.length === theirs.length && checksum(ours) === checksum(theirs)) return;
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  const here = (data: Uint8Array): string =>
    `${data.length} bytes${at < 0 ? '' : `, ${data.subarray(at, at + 8).join(' ')} at ${at}`}`;
  differ(call.name, here(ours), here(theirs));
}

/** Linux’s name for a file of O_TMPFILE. */
const UNNAMED = /^#\d+$/;

/** Notifications, with cookies by their order; none where a call said EAGAIN. */
export function compareEvents(ours: Uint8Array, theirs: Uint8Array, tally: Tally): void {
  const all = decodeInotify(theirs);
  const named = all.filter((event) => !UNNAMED.test(event.name));
  if (named.length < all.length) tally.applied('unnamed notification');
  // Without those between them equal ones may stand side by side, which are told once.
  const show = (events: readonly InotifyEvent[]): string => {
    const lines = describeEvents(events);
    return lines.filter((line, i) => named.length === all.length || line !== lines[i - 1]).join(' ');
  };
  if (show(decodeInotify(ours)) !== show(named))
    differ('notifications', show(decodeInotify(ours)), show(named));
}

function describeEvents(events: readonly InotifyEvent[]): string[] {
  const cookies: number[] = [];
  return events.map((event) => {
    if (event.cookie !== 0 && !cookies.includes(event.cookie)) cookies.push(event.cookie);
    const cookie = event.cookie === 0 ? '' : `#${cookies.indexOf(event.cookie)}`;
    return `${event.wd}:${(event.mask >>> 0).toString(16)}${cookie}:${event.name}`;
  });
}
