import { O_ACCMODE, O_CREAT, O_DIRECTORY, O_PATH } from '../../assembly/abi/flags.ts';
import type { Step } from './call.ts';
import { hostilePath, type NameKind, Names, SPECIAL } from './names.ts';
import { Random } from './random.ts';

/** What the fuzzer believes is there, and draws from it: sound values, and hostile ones. */

/** What a descriptor was opened as; for files the guess by the name it was opened by. */
export type FdKind = 'file' | 'dir' | 'fifo' | 'special' | 'notify' | 'path';

export interface Descriptor {
  kind: FdKind;
  /** O_RDONLY, O_WRONLY or O_RDWR. */
  access: number;
  path?: string;
  /** The file was revoked. */
  dead?: boolean;
}

export interface Process {
  pid: number;
  /** The pid of the one that made it; 0: none. */
  parent: number;
  fds: Map<number, Descriptor>;
  /** The descriptors are known for certain. */
  sure: boolean;
}

/** A call that waits. */
export interface Blocked {
  lwp: number;
  process: Process;
  step: Step;
  /** lwp_next gave it out: it may be resumed. */
  taken: boolean;
  /** The descriptors it was about, as they were when it began to wait. */
  held: readonly (readonly [number, Descriptor | undefined])[];
}

/** Numbers that no argument is meant to be. */
const HOSTILE_INTEGERS = [
  0, 1, -1, 2, 7, 8, 63, 64, 255, 256, 4095, 4096, 4097, 8191, 8192, 8193, 16384, 65535, 65536, 0x7fffffff,
  -0x80000000, 0x80000000, 0xffffffff, 0xfffff000, 0x7ffff000, 0x40000000, -100, -4095, 1024, 1025, 2048,
  2049,
];
const HOSTILE_DOUBLES = [
  Number.NaN,
  Infinity,
  -Infinity,
  -0,
  0.5,
  -0.5,
  -1,
  1.5,
  4095.9,
  2 ** 31,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 40,
  2 ** 43,
  2 ** 44,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53),
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  1e300,
  -1e300,
  Number.MIN_VALUE,
  Number.MAX_VALUE,
];

export class World {
  readonly random: Random;
  readonly names = new Names();
  readonly processes: Process[] = [];
  current: Process | undefined;
  readonly blocked: Blocked[] = [];
  /** The Lwp that the next call of the current CPU goes on with. */
  resuming: Blocked | undefined;
  /** Calls to be made before any other. */
  readonly queue: Step[] = [];
  readonly mounts: string[] = [];
  /** File handles that name_to_handle_at gave. */
  readonly handles: (readonly number[])[] = [];
  /** Files with an extended attribute: path and the attribute's name. */
  readonly attributes: (readonly [string, string])[] = [];
  /** inotify's descriptor, and a watch's. */
  readonly watches: (readonly [number, number])[] = [];
  stopped = false;
  /** RAM is short: what gives some back is preferred. */
  short = false;
  /** How often a value is hostile rather than sound, of those drawn with care. */
  readonly hostility: number;

  constructor(seed: number, hostility: number) {
    this.random = new Random(seed);
    this.hostility = hostility;
  }

  hostile(): boolean {
    return this.random.chance(this.hostility);
  }

  // ── numbers ─────────────────────────────────────────────────────────────────────────────────
  hostileInteger(): number {
    return this.random.chance(0.8) ? this.random.pick(HOSTILE_INTEGERS) : this.random.bits();
  }

  hostileNumber(): number {
    return this.random.chance(0.5) ? this.hostileInteger() : this.random.pick(HOSTILE_DOUBLES);
  }

  /** A length of data. */
  length(): number {
    const { random } = this;
    if (random.chance(0.1)) return random.pick([0, 1, 4095, 4096, 4097, 8192, 65536]);
    return random.chance(0.8) ? random.below(300) : random.below(20_000);
  }

  /** An offset in a file. */
  offset(): number {
    const { random } = this;
    if (random.chance(0.15)) return random.pick([0, 4095, 4096, 4097, 2 ** 20, 2 ** 24, 2 ** 31, 2 ** 32]);
    return random.chance(0.8) ? random.below(10_000) : random.below(300_000);
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────
  /** A path that is there, of that kind, as a rule; hostile at times. */
  path(kind?: NameKind): string {
    const { random, names } = this;
    if (this.hostile()) return hostilePath(random, names);
    const p = random.below(100);
    if (p < 80) return names.known(random, kind);
    if (p < 88) return names.known(random);
    if (p < 94) return names.fresh(random);
    if (p < 97) return this.linkToFd();
    return random.pick(SPECIAL);
  }

  /** A path that is not there, as a rule. */
  newPath(): string {
    const { random, names } = this;
    if (this.hostile()) return hostilePath(random, names);
    for (let i = 0; i < 4; i++) {
      const path = names.fresh(random);
      if (names.kind(path) === undefined) return path;
    }
    return names.fresh(random);
  }

  /** Bytes for a name or a target that is nothing in particular. */
  text(most: number): string {
    const { random } = this;
    const length = random.below(most);
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(1 + random.below(255));
    return text;
  }

  // ── descriptors ─────────────────────────────────────────────────────────────────────────────
  /** A descriptor of the current process that was opened as one of these kinds, for this access. */
  fd(kinds?: readonly FdKind[], access?: number): number {
    const { random } = this;
    if (this.hostile()) return random.chance(0.5) ? random.below(12) : this.hostileInteger();
    const fds = this.current?.fds;
    if (!fds || fds.size === 0) return random.below(4);
    const all = [...fds];
    const fits = kinds
      ? all.filter(
          ([, d]) =>
            kinds.includes(d.kind) && (access === undefined || d.access === access || d.access === 2),
        )
      : all;
    return random.pick(fits.length > 0 && random.chance(0.95) ? fits : all)[0];
  }

  /** The link in /proc of a descriptor: the only way to some files, revoked ones among them. */
  linkToFd(): string {
    return `/proc/self/fd/${this.deadFd() ?? this.fd()}`;
  }

  /** A descriptor of a revoked file, if there is one, every other time. */
  deadFd(): number | undefined {
    const dead = [...(this.current?.fds ?? [])].filter(([, descriptor]) => descriptor.dead);
    return dead.length > 0 && this.random.chance(0.5) ? this.random.pick(dead)[0] : undefined;
  }

  revoked(path: string): void {
    for (const { fds } of this.processes)
      for (const descriptor of fds.values()) descriptor.dead ||= descriptor.path === path;
  }

  descriptor(fd: number): Descriptor | undefined {
    return this.current?.fds.get(fd | 0);
  }

  /** A call gave a descriptor. */
  opened(fd: number, descriptor: Descriptor): void {
    if (fd >= 0) this.current?.fds.set(fd | 0, descriptor);
  }

  closed(fd: number): void {
    this.current?.fds.delete(fd | 0);
  }

  /** What an open with these flags gives, by what the name is thought to be. */
  openedAs(path: string | undefined, flags: number): Descriptor {
    const access = (flags & O_ACCMODE) % 3;
    if (flags & O_PATH) return { kind: 'path', access, path };
    const kind = path === undefined ? undefined : this.names.kind(path);
    if (kind === 'dir' || flags & (O_DIRECTORY & ~O_CREAT)) return { kind: 'dir', access, path };
    if (kind === 'fifo') return { kind: 'fifo', access, path };
    if (kind === 'device' || path?.startsWith('/dev/') || path?.startsWith('/proc/'))
      return { kind: 'special', access, path };
    return { kind: 'file', access, path };
  }

  // ── processes ───────────────────────────────────────────────────────────────────────────────
  process(pid: number): Process | undefined {
    return this.processes.find((process) => process.pid === pid);
  }

  exited(pid: number): void {
    const at = this.processes.findIndex((process) => process.pid === pid);
    if (at >= 0) this.processes.splice(at, 1);
    if (this.current?.pid === pid) this.current = undefined;
    for (let i = this.blocked.length - 1; i >= 0; i--) {
      if (this.blocked[i].process.pid === pid) this.blocked.splice(i, 1);
    }
    if (this.resuming?.process.pid === pid) this.resuming = undefined;
  }

  /** A place in `list`, kept at most `most` long: the newest takes the place of an old one. */
  remember<T>(list: T[], item: T, most: number): void {
    if (list.length < most) list.push(item);
    else list[this.random.below(most)] = item;
  }
}
