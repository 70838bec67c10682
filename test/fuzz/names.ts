import type { Random } from './random.ts';

/** What a name was last known to be. */
export type NameKind = 'file' | 'dir' | 'link' | 'fifo' | 'socket' | 'device';

/** The directory that everything happens in. */
export const TOP = '/f';
/** Directories made to be mounted on. */
export const MOUNT_POINTS = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'].map((name) => `${TOP}/${name}`);
/** Files that locks are taken on. */
export const LOCK_FILES = [`${TOP}/d`, `${TOP}/e`];
/** A name of the most bytes that one may have. */
export const LONG_NAME = 'n'.repeat(255);

const LETTERS = 'abcdefghijkl';
/** Names of the kernel's own, and what else is there from the start. */
export const SPECIAL = [
  '/',
  '/dev',
  '/proc',
  '/tmp',
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/console',
  '/dev/tty',
  '/dev/fd',
  '/dev/fd/0',
  '/proc/mounts',
  '/proc/meminfo',
  '/proc/vmstat',
  '/proc/locks',
  '/proc/vnodes',
  '/proc/self',
  '/proc/self/cwd',
  '/proc/self/root',
  '/proc/self/fd',
  '/proc/self/fd/0',
  '/proc/self/fd/1',
  '/proc/self/fd/3',
  '/proc/self/status',
  '/proc/trace',
  '/proc/trace_stats',
  '/proc/sys',
  '/proc/sys/vfs/maxvnodes',
  '/proc/sys/vfs/maxnames',
  '/proc/sys/kernel/hostname',
  '/proc/sys/vm/lowwater',
] as const;

/** A set of texts from which one can be drawn. */
class Pool {
  readonly list: string[] = [];
  readonly #at = new Map<string, number>();

  add(text: string): void {
    if (this.#at.has(text)) return;
    this.#at.set(text, this.list.length);
    this.list.push(text);
  }

  delete(text: string): void {
    const at = this.#at.get(text);
    const last = this.list.pop();
    if (at === undefined) {
      if (last !== undefined) this.list.push(last);
      return;
    }
    this.#at.delete(text);
    if (last === undefined || last === text) return;
    this.list[at] = last;
    this.#at.set(last, at);
  }
}

/**
 * The names that successful calls have left, as well as can be known without following links,
 * mounts and processes with other roots: a guess, good enough that most paths drawn are there.
 */
export class Names {
  readonly #kinds = new Map<string, NameKind>();
  readonly #pools: Record<NameKind, Pool> = {
    file: new Pool(),
    dir: new Pool(),
    link: new Pool(),
    fifo: new Pool(),
    socket: new Pool(),
    device: new Pool(),
  };
  readonly #all = new Pool();

  get size(): number {
    return this.#kinds.size;
  }

  kind(path: string): NameKind | undefined {
    return this.#kinds.get(path);
  }

  add(path: string, kind: NameKind): void {
    if (!path.startsWith(`${TOP}/`) && path !== TOP) return;
    this.delete(path);
    this.#kinds.set(path, kind);
    this.#pools[kind].add(path);
    this.#all.add(path);
  }

  delete(path: string): void {
    const kind = this.#kinds.get(path);
    if (kind === undefined) return;
    this.#kinds.delete(path);
    this.#pools[kind].delete(path);
    this.#all.delete(path);
  }

  /** What was renamed takes what is below it along. */
  rename(from: string, to: string): void {
    const kind = this.#kinds.get(from);
    if (kind === undefined) return;
    this.delete(from);
    this.add(to, kind);
    if (kind !== 'dir') return;
    const below = `${from}/`;
    for (const path of this.#below(from)) {
      const inner = this.#kinds.get(path);
      this.delete(path);
      if (inner) this.add(`${to}/${path.slice(below.length)}`, inner);
    }
  }

  /** What is below a directory is hidden, or gone. */
  forget(path: string): void {
    for (const inner of this.#below(path)) this.delete(inner);
  }

  /** What is below `from` is to be seen below `to` as well. */
  show(from: string, to: string): void {
    for (const path of this.#below(from).slice(0, 20)) {
      const kind = this.#kinds.get(path);
      if (kind) this.add(to + path.slice(from.length), kind);
    }
  }

  #below(path: string): string[] {
    return this.#all.list.filter((name) => name.startsWith(`${path}/`));
  }

  /** One that is there, of that kind if any is. */
  known(random: Random, kind?: NameKind): string {
    const { list } = kind === undefined ? this.#all : this.#pools[kind];
    return list.length === 0 ? TOP : random.pick(list);
  }

  /** A name that may be there or not, in a directory that is. */
  fresh(random: Random): string {
    const parent = this.known(random, 'dir');
    const name = random.chance(0.01) ? LONG_NAME : this.component(random);
    // deep trees are a test of their own
    return parent.length > 60 && random.chance(0.9) ? `${TOP}/${name}` : `${parent}/${name}`;
  }

  component(random: Random): string {
    return LETTERS[random.below(LETTERS.length)] + (random.chance(0.5) ? random.below(10) : '');
  }
}

const HOSTILE_PATHS: readonly ((random: Random, names: Names) => string)[] = [
  () => '',
  () => '.',
  () => '..',
  () => '/',
  () => './/..//f/./../f',
  () => `${TOP}/a\0b`,
  () => '\0',
  () => '/'.repeat(4095),
  () => 'a/'.repeat(2047),
  () => './'.repeat(2048),
  () => 'x'.repeat(256),
  () => `${TOP}/${'y'.repeat(256)}/z`,
  () => 'z'.repeat(4096),
  () => 'w'.repeat(6000),
  () => `${TOP}/\xff\xfe\x80`,
  () => `${TOP}/loop`,
  () => `${TOP}/loop/x`,
  () => `${TOP}/loop2/..`,
  (random, names) => `${names.known(random)}/`,
  (random, names) => `${names.known(random)}//x`,
  (random, names) => `${names.known(random)}/.`,
  (random, names) => `${names.known(random)}/..`,
  (random, names) => `${names.known(random, 'dir')}/../../../../..`,
  (random, names) => `${names.known(random, 'file')}/x`,
  (random, names) => `${names.known(random, 'link')}/x`,
  (random) => String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(256))),
];

export function hostilePath(random: Random, names: Names): string {
  return random.pick(HOSTILE_PATHS)(random, names);
}
