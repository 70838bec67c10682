import { AT_FDCWD, IOV_MAX } from '../../../assembly/abi/flags.ts';
import { IOV_SIZE, SA_IOV, SA_PATH1 } from '../../../assembly/abi/layout.ts';
import type { ExportName, Patch, Step, Trouble } from '../call.ts';
import { SPACE_BYTES, TEXT_SLOT, TEXT_SPACE, TEXTS } from '../machine.ts';
import type { NameKind } from '../names.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';

/** Makes one call of an export: draws its arguments and says what its result means. */
export type Maker = (draft: Draft) => Step;
export type Makers = Partial<Record<ExportName, Maker>>;

const HOSTILE_LENGTHS = [
  0, 1, 4094, 4095, 4096, 4097, 5000, 8192, 16384, 0x7fffffff, 0x80000000, 0xffffffff, -1,
];

/** How often one argument of a finished call is replaced by any number at all. */
const MUTATION = 0.04;

/** Where a path starts, and its length. */
export interface Place {
  dirfd: number;
  length: number;
  /** The path from the root, if it is known. */
  path?: string;
}

export interface Buffer {
  space: number;
  addr: number;
  length: number;
}

/** A call being put together. */
export class Draft {
  readonly world: World;
  readonly random: Random;
  readonly name: ExportName;
  readonly #patches: Patch[] = [];
  #trouble: Trouble | undefined;

  constructor(world: World, name: ExportName) {
    this.world = world;
    this.random = world.random;
    this.name = name;
  }

  /** Finish it. The last `fixed` arguments are never made hostile. */
  step(args: number[], done?: (result: number, args: readonly number[]) => void, fixed = 0): Step {
    if (args.length > fixed && this.random.chance(MUTATION))
      args[this.random.below(args.length - fixed)] = this.world.hostileNumber();
    const call = { name: this.name, args, patches: this.#patches, trouble: this.#trouble };
    return { call, done: done && ((result) => done(result, args)) };
  }

  trouble(trouble: Trouble): void {
    this.#trouble = trouble;
  }

  // ── the syscall area ────────────────────────────────────────────────────────────────────────
  text(text: string, at: number): number {
    this.#patches.push({ at, text });
    return text.length;
  }

  words(words: readonly number[], at: number): void {
    this.#patches.push({ at, words });
  }

  double(double: number, at: number): void {
    this.#patches.push({ at, double });
  }

  /** A path, and its length: rarely a wrong one, so that the path goes on in what stood there. */
  path(path: string, at: number = SA_PATH1): number {
    const length = this.text(path, at);
    return this.random.chance(0.01) ? this.random.pick(HOSTILE_LENGTHS) : length;
  }

  /** A path and the directory it starts from. */
  place(kind: NameKind | 'new' | undefined, at: number = SA_PATH1): Place {
    const { random, world } = this;
    const p = random.below(100);
    if (p < 80) {
      const path = kind === 'new' ? world.newPath() : world.path(kind);
      // the directory does not count
      const dirfd = random.chance(0.03) ? world.fd() : AT_FDCWD;
      return { dirfd, length: this.path(path, at), path };
    }
    if (p < 96) {
      const dirfd = world.fd(['dir', 'path']);
      const parent = world.descriptor(dirfd)?.path;
      const name = this.#relative(parent, kind);
      return { dirfd, length: this.path(name, at), path: parent && `${parent}/${name}` };
    }
    const name = world.names.component(random);
    const dirfd = random.chance(0.5) ? AT_FDCWD : world.hostileInteger();
    return { dirfd, length: this.path(name, at) };
  }

  /** A name in a directory: one that is there, if one is wanted and known. */
  #relative(parent: string | undefined, kind: NameKind | 'new' | undefined): string {
    const { random, world } = this;
    if (parent === undefined || kind === 'new' || random.chance(0.1)) return world.names.component(random);
    for (let i = 0; i < 8; i++) {
      const path = world.names.known(random, kind);
      if (path.startsWith(`${parent}/`)) return path.slice(parent.length + 1);
    }
    return world.names.component(random);
  }

  // ── host buffers ────────────────────────────────────────────────────────────────────────────
  /** A host buffer for so many bytes. */
  buffer(length: number): Buffer {
    const { random, world } = this;
    const p = random.below(200);
    if (p < 2) this.trouble({ kind: 'copy', nth: 1 + random.below(3) });
    else if (p < 4) this.trouble({ kind: 'reenter', name: random.pick(REENTERED) });
    if (world.hostile()) {
      return {
        space: random.pick([0, 1, 2, 3, 4, 5, 77, -1, 0x7fffffff]),
        addr: random.chance(0.5) ? random.below(70_000) : world.hostileInteger(),
        length: random.chance(0.5) ? length : world.hostileInteger(),
      };
    }
    const space = length > SPACE_BYTES[0] ? 3 : 0;
    const addr = random.chance(0.5) ? 0 : random.below(Math.max(1, SPACE_BYTES[space] - length));
    return { space, addr, length };
  }

  /** What a file of /proc might understand. */
  command(): Buffer {
    const i = this.random.below(TEXTS.length);
    return { space: TEXT_SPACE, addr: TEXT_SLOT * i, length: TEXTS[i].length };
  }

  /** An iovec list in the syscall area; returns its count. */
  vector(): number {
    const { random, world } = this;
    const count = random.chance(0.03) ? random.pick([0, 64, IOV_MAX]) : random.between(1, 5);
    const words: number[] = [];
    for (let i = 0; i < count; i++) {
      const { space, addr, length } = this.buffer(count > 10 ? random.below(20) : world.length());
      words.push(space >>> 0, addr >>> 0, length >>> 0);
    }
    this.words(words, SA_IOV);
    if (random.chance(0.02)) return random.pick([IOV_MAX + 1, count + 3, 0xffffffff, -1, 16384 / IOV_SIZE]);
    return count;
  }
}

/** Calls without arguments that must find the CPU in the kernel. */
const REENTERED: readonly ExportName[] = [
  'sys_sync',
  'sys_getcwd',
  'machine_reclaim',
  'machine_shutdown',
  'clock_tick',
  'clock_ms',
  'lwp_next',
];
