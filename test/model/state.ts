import * as F from '../../assembly/abi/flags.ts';
import type { Credentials, PosixProcess, TreeEntry } from '../oracle/target.ts';

/** What the generator of operations knows of the systems: both are in this state. */

export interface Actor extends Credentials {
  name: string;
}

/** Who acts; operations name them by index. */
export const ACTORS: readonly Actor[] = [
  { name: 'root', uid: 0, gid: 0 },
  { name: '1000', uid: 1000, gid: 1000, groups: [2000] },
  { name: '1001', uid: 1001, gid: 1001 },
  { name: 'jailed', uid: 0, gid: 0 },
];
/** The actor who begins in a chroot of its own, and alone changes it. */
export const JAILED = 3;
/** Where that is. */
export const JAIL = '/t';

export type FdKind = 'file' | 'dir' | 'pipe' | 'inotify' | 'other';

export interface OpenFd {
  fd: number;
  kind: FdKind;
  /** The oracle’s inode number. */
  ino: number;
}

/** A call with its arguments, the same for both systems. */
export interface Call {
  name: keyof PosixProcess & string;
  args: readonly unknown[];
}

export class State {
  /** The tree as it is, parents before children. */
  tree: readonly TreeEntry[] = [];
  /** The oracle’s inodes that fallocate gave room to. */
  readonly preallocated = new Set<number>();
  /** Inotify watches that were set, oldest first. */
  watches: { actor: number; fd: number; wd: number }[] = [];
  readonly fds: OpenFd[][] = ACTORS.map(() => []);
  /** The oracle’s inode of the jailed actor’s root directory. */
  jail = 0;

  /** Descriptor number `n` (modulo) of a kind; one that is not open when there is none. */
  fd(actor: number, n: number, kind?: FdKind): number {
    const list = this.fds[actor].filter((item) => kind === undefined || item.kind === kind);
    return list.length === 0 ? 90 + (n % 3) : list[n % list.length].fd;
  }

  opened(actor: number, fd: number, kind: FdKind, ino = 0): void {
    this.closed(actor, fd);
    this.fds[actor].push({ fd, kind, ino });
  }

  closed(actor: number, fd: number): void {
    this.fds[actor] = this.fds[actor].filter((item) => item.fd !== fd);
    this.watches = this.watches.filter((item) => item.actor !== actor || item.fd !== fd);
  }

  kindOf(actor: number, fd: number): FdKind {
    return this.#open(actor, fd)?.kind ?? 'other';
  }

  inode(actor: number, fd: number): number {
    return this.#open(actor, fd)?.ino ?? 0;
  }

  #open(actor: number, fd: number): OpenFd | undefined {
    return this.fds[actor].find((item) => item.fd === fd);
  }

  /** The actor wanted, or the next one with a descriptor of that kind; now and then as wanted. */
  actorWith(wanted: number, kind: FdKind | 'any', luck: number): number {
    if (luck % 16 === 15) return wanted;
    for (let i = 0; i < ACTORS.length; i++) {
      const actor = (wanted + i) % ACTORS.length;
      if (this.fds[actor].some((item) => kind === 'any' || item.kind === kind)) return actor;
    }
    return wanted;
  }

  /** A watch of this actor’s; one that is not there when there is none. */
  watch(actor: number, n: number): { fd: number; wd: number } {
    const list = this.watches.filter((item) => item.actor === actor);
    return list.length === 0 ? { fd: this.fd(actor, n, 'inotify'), wd: n } : list[n % list.length];
  }

  /** A descriptor of a file with an attribute, and that attribute's name. */
  attributedFd(actor: number, n: number): { fd: number; name: string } {
    const found = this.fds[actor].flatMap(({ fd, ino }) => {
      const names = this.tree.find((item) => item.ino === ino)?.xattrs ?? [];
      return names.map((text) => ({ fd, name: text.split('=')[0] }));
    });
    return found.length === 0 ? { fd: this.fd(actor, n), name: 'user.a' } : found[n % found.length];
  }

  /** The tree as an actor sees it, from its own root directory. */
  view(actor: number): readonly TreeEntry[] {
    if (actor !== JAILED) return this.tree;
    const jail = this.tree.find((item) => item.ino === this.jail);
    if (!jail) return [];
    const inside = (path: string): boolean => path === jail.path || path.startsWith(`${jail.path}/`);
    return this.tree
      .filter((item) => inside(item.path))
      .map((item) => ({ ...item, path: item.path.slice(jail.path.length) }));
  }

  /** A place as seen from a directory that is open: its descriptor, and the way there from it. */
  from(actor: number, n: number, path: string): [number, string] {
    const fd = this.fd(actor, n, 'dir');
    const base = this.view(actor).find((item) => item.ino === this.inode(actor, fd));
    return [fd, base && path.startsWith('/') ? wayBetween(base.path, path) : path];
  }

  emptyDirs(actor: number): readonly TreeEntry[] {
    const parents = new Set(this.view(actor).map((item) => item.path.slice(0, item.path.lastIndexOf('/'))));
    return this.entries('dir', actor).filter((item) => !parents.has(item.path));
  }

  /** A file with an attribute and that attribute's name. */
  attributed(actor: number, n: number): { path: string; name: string } {
    const list = this.view(actor).filter((item) => item.xattrs.length > 0);
    if (list.length === 0) return { path: '/u', name: 'user.a' };
    const { path, xattrs } = list[n % list.length];
    return { path: path || '/', name: xattrs[n % xattrs.length].split('=')[0] };
  }

  entries(type: 'file' | 'dir' | 'link' | 'any', actor: number): readonly TreeEntry[] {
    const view = this.view(actor);
    if (type === 'any') return view;
    const wanted = { file: F.S_IFREG, dir: F.S_IFDIR, link: F.S_IFLNK }[type];
    return view.filter((item) => (item.mode & F.S_IFMT) === wanted);
  }
}

/** The relative path from one directory to a place, what stands behind its last name kept. */
function wayBetween(from: string, to: string): string {
  const [here, there] = [from, to].map((path) => path.split('/').filter(Boolean));
  let common = 0;
  while (common < here.length && here[common] === there[common]) common++;
  const way = [...here.slice(common).map(() => '..'), ...there.slice(common)];
  return `${way.join('/') || '.'}${to.endsWith('/') ? '/' : ''}`;
}

/** How an operation names a file; resolved against the state when its turn comes. */
export interface Place {
  /** 'new': a name of the pool in some directory; 'empty': an empty directory; 'wild': a path of the pool, there or not. */
  how: 'new' | 'file' | 'dir' | 'empty' | 'link' | 'any' | 'wild';
  /** Which of the candidates, modulo their number. */
  n: number;
  /** Which name of the pool. */
  name: number;
  /** What stands behind it. */
  tail: '' | '/' | '/.' | '/..';
  /** Without the leading slash: from wherever the process works. */
  relative: boolean;
}

/** Few names, so that operations meet; one long, one not ASCII. */
export const NAMES: readonly string[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', '\u00e9\u20ac', 'n'.repeat(255)];
const WILD: readonly string[] = [
  '/a',
  '/a/b',
  '/u/a',
  '/u/b/c',
  '/o/a',
  '/t/a',
  '/s/a/b',
  '/t/../u/a',
  '//u//./a',
  '',
];
const MAX_DEPTH = 4;

export function resolve(state: State, place: Place, actor: number): string {
  const path = bare(state, place, actor) + place.tail;
  return place.relative && path.length > 1 ? path.slice(1) : path;
}

function bare(state: State, { how, n, name }: Place, actor: number): string {
  if (how === 'wild') return WILD[n % WILD.length];
  if (how === 'new') {
    const shallow = state.entries('dir', actor).filter((item) => item.path.split('/').length <= MAX_DEPTH);
    const open = n % 8 === 7 ? [] : shallow.filter((item) => writable(item, actor));
    const dirs = open.length > 0 ? open : shallow;
    return `${dirs.length > 0 ? dirs[n % dirs.length].path : ''}/${NAMES[name % NAMES.length]}`;
  }
  const list = how === 'empty' ? state.emptyDirs(actor) : state.entries(how, actor);
  return list.length === 0 ? `/u/${NAMES[name % NAMES.length]}` : list[n % list.length].path || '/';
}

/** As far as owner and anybody are concerned; groups and the way there left aside. */
function writable({ mode, uid }: TreeEntry, actor: number): boolean {
  const me = ACTORS[actor].uid;
  return me === 0 || (mode & (uid === me ? 0o300 : 0o003)) === (uid === me ? 0o300 : 0o003);
}

const encoder = new TextEncoder();

/** Bytes that tell where they belong. */
export function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 255);
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}
