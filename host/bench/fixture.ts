/**
 * What the operations work on: 1,000 files four components deep, a directory to list, and
 * directories of many names. Each is built through the contestant's own fs, once, outside of any
 * measured time.
 */
import type { ContestantName } from './types.ts';
import { benchName, Xorshift32 } from './random.ts';

export type BenchFs = Pick<
  typeof import('node:fs'),
  | 'accessSync'
  | 'closeSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readSync'
  | 'readdirSync'
  | 'renameSync'
  | 'rmdirSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeFileSync'
  | 'writeSync'
>;

/** What a Damselfly machine offers beyond its fs: loops inside the kernel, and its counters. */
export interface KernelProbe {
  /** bench_loop; `params` are u32s for SA_DATA and are read back into the same array. */
  loop(op: number, count: number, path: string, params?: Uint32Array): void;
  /** counter_get. */
  counter(which: number): number;
}

/** A contestant that is up and running. */
export interface Subject {
  readonly name: ContestantName;
  readonly version: string;
  readonly fs: BenchFs;
  /** What paths start with: '/' or, for a host directory that is the cwd, nothing. */
  readonly root: string;
  readonly kernel: KernelProbe | null;
  /** Boot another machine, make its first call, and shut it down: ms from boot to that call. */
  boot: (() => Promise<number>) | null;
  /** Bytes of RAM in use, with all that is only cached given back; null when nobody can tell. */
  ramInUse: (() => number) | null;
  close(): void;
}

export const FILE_SIZE = 4096;
export const LIST_NAMES = 2000;
export const SMALL_NAMES = 1000;
export const HOT_NAMES = 1000;

export type FixtureName = 'files' | 'list' | 'small' | 'big';

export class Stage {
  readonly subject: Subject;
  readonly fs: BenchFs;
  readonly bigNames: number;
  readonly random: Xorshift32;
  /** The 1,000 files' paths in random order. */
  paths: string[] = [];
  /** A descriptor of each, open for reading and writing, in another random order. */
  fds: number[] = [];
  /** Their 200 directories, each five times over, in random order. */
  dirs: string[] = [];
  readonly listDir: string;
  readonly smallDir: string;
  readonly bigDir: string;
  readonly #built = new Map<FixtureName, Error | null>();

  constructor(subject: Subject, bigNames: number, seed: number) {
    this.subject = subject;
    this.fs = subject.fs;
    this.bigNames = bigNames;
    this.random = new Xorshift32(seed);
    this.listDir = `${subject.root}list`;
    this.smallDir = `${subject.root}small`;
    this.bigDir = `${subject.root}big`;
  }

  /** Builds it unless it stands. @throws Error what kept it from being built, each time */
  build(fixture: FixtureName, limitMs: number): void {
    const known = this.#built.get(fixture);
    if (known) throw known;
    if (known === null) return;
    try {
      if (fixture === 'files') this.#buildFiles();
      else if (fixture === 'list') this.makeNames(this.listDir, LIST_NAMES, limitMs);
      else if (fixture === 'small') this.makeNames(this.smallDir, SMALL_NAMES, limitMs);
      else this.makeNames(this.bigDir, this.bigNames, limitMs);
      this.#built.set(fixture, null);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#built.set(fixture, reason);
      throw reason;
    }
  }

  /** Makes a directory of `names` empty files. @throws Error when that would take over `limitMs` */
  makeNames(dir: string, names: number, limitMs: number): void {
    const { fs } = this;
    fs.mkdirSync(dir);
    const start = performance.now();
    for (let i = 0; i < names; i++) {
      fs.writeFileSync(`${dir}/${benchName(i)}`, '');
      if ((i & 255) !== 0) continue;
      const spent = performance.now() - start;
      // Early names are slow because nothing is compiled yet: an eighth of the time is the proof.
      if (spent > limitMs / 8 && (spent / (i + 1)) * names > limitMs) {
        throw new Error(`too slow to make a directory of ${names} names (${i} took ${Math.round(spent)} ms)`);
      }
    }
  }

  close(): void {
    for (const fd of this.fds) this.fs.closeSync(fd);
    this.fds = [];
    this.subject.close();
  }

  #buildFiles(): void {
    const { fs, random } = this;
    const { root } = this.subject;
    const page = new Uint8Array(FILE_SIZE).map((_, i) => i * 31);
    for (let d = 0; d < 10; d++) {
      fs.mkdirSync(`${root}d${d}`);
      for (let e = 0; e < 10; e++) {
        fs.mkdirSync(`${root}d${d}/e${e}`);
        for (let g = 0; g < 2; g++) {
          const dir = `${root}d${d}/e${e}/g${g}`;
          fs.mkdirSync(dir);
          for (let f = 0; f < 5; f++) {
            fs.writeFileSync(`${dir}/f${f}`, page);
            this.paths.push(`${dir}/f${f}`);
            this.dirs.push(dir);
          }
        }
      }
    }
    this.fds = random.shuffle([...this.paths]).map((path) => fs.openSync(path, 'r+'));
    random.shuffle(this.paths);
    random.shuffle(this.dirs);
  }
}
