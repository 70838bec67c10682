import { readFileSync } from 'node:fs';
import { EACCES, EBUSY, ELOOP, ENAMETOOLONG, ENOENT } from '../../assembly/abi/errno.ts';
import * as F from '../../assembly/abi/flags.ts';
import type { Stat, Timespec, TreeEntry } from '../oracle/target.ts';
import { ACTORS, type Call, type State } from './state.ts';

/**
 * Differences between the two systems that are right, by name. Each time one is met it is
 * counted, and the counts are printed: a rule that swallows much deserves a look.
 */
export const RULES = {
  'directory size': 'what a directory weighs is nobody’s business: POSIX leaves st_size and st_blocks open',
  'symlink blocks': 'Linux keeps a long target in a page and counts it; here it lies beside the inode',
  'hardened links': 'this host’s fs.protected_hardlinks forbids linking other people’s files: not tried',
  'hardened sticky': 'this host’s fs.protected_* restrict files in sticky directories: the bit is not set',
  'lock found': 'F_GETLK names one of the locks in the way, and which one is not specified',
  'coarse clock': 'Linux stamped two changes within one tick of its clock alike',
  'large files': 'Linux shows O_LARGEFILE in F_GETFL; here every file may be large and no flag says so',
  preallocated: 'SEEK_DATA may call room that was allocated and not written data or a hole',
  'same size': 'truncating to the size it has marks a file, as POSIX has it; Linux marks it if it has pages',
  'same value': 'Linux’s ext4 leaves a file unmarked when an attribute is given the value it has',
  'nothing to set': 'with UTIME_OMIT twice Linux succeeds without looking at the file',
  'sticky names':
    'O_CREAT in a sticky directory anybody may write: Linux refuses others’ symlinks, sockets, devices',
  'expanded path': 'symlinks that grow the path beyond PATH_MAX are too long here, and too many on Linux',
  'anonymous files':
    'the attributes of an inotify descriptor, and extended ones of a pipe, are its kernel’s own affair: not asked for, not set',
  'unnamed notification': 'Linux tells a directory of O_TMPFILE’s files under a name that nobody can use',
  'unreachable directory':
    'outside the root directory there is no path: getcwd says so; Linux’s call tells of a path and its library does not',
  'two errors':
    'renaming the root, dot or dot-dot to where no name can be made is wrong twice, and which of the two is told is open',
  'zero range':
    'Linux’s tmpfs has no FALLOC_FL_ZERO_RANGE: there the range is punched out and allocated again',
  'map block':
    'where data goes is decided when it is written back: what lies in five pieces or more has a block for its map, one more',
  'removed directory': 'below a removed directory Linux still finds dot-dot, where POSIX has nothing',
} as const;

export type RuleName = keyof typeof RULES;

export class Tally {
  readonly rules = new Map<RuleName, number>();
  readonly calls = new Map<string, { made: number; succeeded: number }>();
  made = 0;
  succeeded = 0;
  readonly fileSystem: 'tmpfs' | 'ext4';

  constructor(fileSystem: 'tmpfs' | 'ext4' = 'tmpfs') {
    this.fileSystem = fileSystem;
  }

  applied(rule: RuleName): void {
    this.rules.set(rule, (this.rules.get(rule) ?? 0) + 1);
  }

  called(kind: string, result: unknown): void {
    const entry = this.calls.get(kind) ?? { made: 0, succeeded: 0 };
    const good = typeof result !== 'number' || result >= 0;
    entry.made++;
    this.made++;
    if (good) {
      entry.succeeded++;
      this.succeeded++;
    }
    this.calls.set(kind, entry);
  }

  add(other: Tally): void {
    for (const [rule, count] of other.rules) this.rules.set(rule, (this.rules.get(rule) ?? 0) + count);
    for (const [kind, { made, succeeded }] of other.calls) {
      const entry = this.calls.get(kind) ?? { made: 0, succeeded: 0 };
      this.calls.set(kind, { made: entry.made + made, succeeded: entry.succeeded + succeeded });
    }
    this.made += other.made;
    this.succeeded += other.succeeded;
  }
}

function setting(name: string): number {
  try {
    return Number(readFileSync(`/proc/sys/fs/${name}`, 'latin1'));
  } catch {
    return 0;
  }
}

const hardened = {
  links: setting('protected_hardlinks') !== 0,
  sticky: ['protected_symlinks', 'protected_regular', 'protected_fifos'].some((name) => setting(name) !== 0),
};

/**
 * The call as it can be made on this host: changed, or dropped (undefined), where the host is
 * set to be stricter than POSIX.
 */
export function permitted(state: State, actor: number, call: Call, tally: Tally): Call | undefined {
  if (hardened.links && call.name === 'linkat' && ACTORS[actor].uid !== 0) {
    const owner = linkOwner(state, call);
    if (owner !== ACTORS[actor].uid) {
      tally.applied('hardened links');
      return undefined;
    }
  }
  if (asksAnonymous(state, actor, call)) {
    tally.applied('anonymous files');
    return undefined;
  }
  // the two calls it is made of there would tell watchers twice
  if (
    tally.fileSystem === 'tmpfs' &&
    call.name === 'fallocate' &&
    Number(call.args[1]) & F.FALLOC_FL_ZERO_RANGE &&
    state.watches.length > 0
  ) {
    tally.applied('zero range');
    const keep = Number(call.args[1]) & F.FALLOC_FL_KEEP_SIZE;
    return { ...call, args: call.args.map((arg, i) => (i === 1 ? keep : arg)) };
  }
  const seeks = call.name === 'lseek' && Number(call.args[2]) >= F.SEEK_DATA;
  if (seeks && state.preallocated.has(state.inode(actor, Number(call.args[0])))) {
    tally.applied('preallocated');
    return undefined;
  }
  const modeAt: Record<string, number> = { mkdir: 1, chmod: 1, fchmod: 1 };
  const at = modeAt[call.name];
  if (hardened.sticky && at !== undefined && Number(call.args[at]) & F.S_ISVTX) {
    tally.applied('hardened sticky');
    return { ...call, args: call.args.map((arg, i) => (i === at ? Number(arg) & ~F.S_ISVTX : arg)) };
  }
  return call;
}

const INODE_CALLS = ['fstat', 'fchmod', 'fchown', 'futimens'];
const XATTR_CALLS = ['fgetxattr', 'fsetxattr', 'flistxattr', 'fremovexattr'];

/** Is it about the inode of a file that never had a name? A pipe has one like any other, less its attributes. */
function asksAnonymous(state: State, actor: number, { name, args }: Call): boolean {
  const kind = state.kindOf(actor, Number(args[0]));
  if (kind === 'inotify') return INODE_CALLS.includes(name) || XATTR_CALLS.includes(name);
  return kind === 'pipe' && state.inode(actor, Number(args[0])) === 0 && XATTR_CALLS.includes(name);
}

/** Who owns what a linkat would link, as far as the path tells. */
function linkOwner(state: State, call: Call): number | undefined {
  const entry = state.tree.find((item) => item.path === call.args[1]);
  const follows = Number(call.args[4]) & F.AT_SYMLINK_FOLLOW;
  if (!entry || (follows && (entry.mode & F.S_IFMT) === F.S_IFLNK)) return undefined;
  return entry.uid;
}

const STICKY_DIR = F.S_IFDIR | F.S_ISVTX | 0o002;

function opensOrMakes({ name, args }: Call): boolean {
  const flags = name === 'open' ? args[1] : name === 'openat' ? args[2] : 0;
  return (Number(flags) & F.O_CREAT) !== 0;
}

/** A path whose last name is none. */
const DOTS = /(^|\/)\.\.?\/*$/;
const ROOT = /^\/+$/;

/** Which rule makes these two results equally right; undefined when none does. */
export function excuse(state: State, call: Call, ours: number, theirs: number): RuleName | undefined {
  if (
    theirs === -EACCES &&
    opensOrMakes(call) &&
    state.tree.some((item) => (item.mode & STICKY_DIR) === STICKY_DIR)
  )
    return 'sticky names';
  const times = call.args.filter(
    (arg): arg is Timespec => typeof arg === 'object' && arg !== null && 'nsec' in arg,
  );
  if (times.length === 2 && times.every((time) => time.nsec === F.UTIME_OMIT) && theirs === 0 && ours < 0)
    return 'nothing to set';
  const nameless = call.args.some((arg) => DOTS.test(String(arg)) || ROOT.test(String(arg)));
  if (ours === -ENOENT && theirs === -EBUSY && call.name.startsWith('rename') && nameless) {
    return 'two errors';
  }
  if (ours === -ENAMETOOLONG && theirs === -ELOOP) return 'expanded path';
  return undefined;
}

/** In units of 512 bytes; the model's blocks are of 4 KiB, and an inode has room for four extents. */
const BLOCK = 8;
const IN_INODE = 4 * BLOCK;

function differInMap(ours: number, theirs: number): boolean {
  return Math.abs(ours - theirs) === BLOCK && Math.min(ours, theirs) > IN_INODE;
}

type Weighed = Pick<Stat | TreeEntry, 'mode' | 'size' | 'blocks'>;

/** Size and blocks as far as they can be compared. */
export function weight(ours: Weighed, theirs: Weighed, tally: Tally): { ours: string; theirs: string } {
  const type = ours.mode & F.S_IFMT;
  const plain = (st: Weighed): string => `${st.size} bytes in ${st.blocks} blocks`;
  if (type === F.S_IFDIR) {
    if (plain(ours) !== plain(theirs)) tally.applied('directory size');
    return { ours: '', theirs: '' };
  }
  if (type === F.S_IFLNK) {
    if (ours.blocks !== theirs.blocks) tally.applied('symlink blocks');
    return { ours: `${ours.size} bytes`, theirs: `${theirs.size} bytes` };
  }
  if (tally.fileSystem === 'ext4' && ours.size === theirs.size && differInMap(ours.blocks, theirs.blocks)) {
    tally.applied('map block');
    return { ours: '', theirs: '' };
  }
  return { ours: plain(ours), theirs: plain(theirs) };
}
