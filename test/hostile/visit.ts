/**
 * A damaged image is mounted, read all over, written to, and unmounted. Whatever errors come are answers. What is
 * not: a panic, a leak, a call that asks the disk more than its size explains, and content that is wrong
 * although nothing but checksums stood in the way.
 */
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import { DiskError } from '../../host/devices/types.ts';
import { Layer } from '../../host/devices/layer.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { KernelPanic } from '../../host/machine/panic.ts';
import type { Machine } from '../../host/machine/machine.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { type Kernel, M, newMachine, text } from '../crash/volume.ts';
import { Random } from '../ext4/corrupt.ts';
import { type Damaged, damageImage } from './damage.ts';
import { readOne, type Source } from './sources.ts';

/** Requests that one call may make for each block of the disk. */
const REQUESTS_PER_BLOCK = 3;
/** Names that are visited: a directory may lead anywhere. */
const VISITS = 150;

/** Counts the requests of the call in progress, and refuses when they are too many. */
class Bounded extends Layer {
  readonly bound: number;
  requests = 0;
  most = 0;

  constructor(lower: MemoryDisk, bound: number) {
    super(lower);
    this.bound = bound;
  }

  begin(): void {
    this.most = Math.max(this.most, this.requests);
    this.requests = 0;
  }

  #count(offBytes: number): void {
    if (++this.requests > this.bound) throw new DiskError('EIO', offBytes, 'too many requests for one call');
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    this.#count(offBytes);
    super.readSectors(offBytes, into, at, lenBytes);
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    this.#count(offBytes);
    super.writeSectors(offBytes, from, at, lenBytes, fua);
  }
}

export interface Visited extends Damaged {
  readonly mounted: boolean;
  /** Requests of the call that made most. */
  readonly most: number;
  readonly wrong: string;
}

class Visit {
  readonly #disk: Bounded;
  readonly #machine: Machine;
  readonly #root: Process;
  wrong = '';

  constructor(kernel: Kernel, disk: Bounded) {
    this.#disk = disk;
    this.#machine = newMachine(kernel);
    this.#root = this.#machine.process();
    this.#machine.attachDisk(disk);
  }

  /** Did the call succeed? */
  #tried(call: () => void): boolean {
    this.#disk.begin();
    let good = true;
    try {
      call();
    } catch (error) {
      if (error instanceof KernelPanic || !('code' in (error as object))) throw error;
      good = false;
    }
    if (this.#disk.requests > this.#disk.bound) this.wrong ||= `a call made ${this.#disk.requests} requests`;
    return good;
  }

  mount(options: string): boolean {
    return this.#tried(() => this.#root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME, options));
  }

  /** Read everything; `content`: what must be read, unless there is an error. */
  read(content?: ReadonlyMap<string, string>): string[] {
    const root = this.#root;
    const paths: string[] = [];
    const todo = [M];
    for (let path = todo.pop(); path !== undefined && paths.length < VISITS; path = todo.pop()) {
      const here = path;
      paths.push(here);
      this.#tried(() => {
        const { is, below } = readOne(root, here);
        todo.push(...below);
        if (content !== undefined && content.get(here) !== is)
          this.wrong ||= `${here} reads ${is.slice(0, 200)}`;
      });
      this.#tried(() =>
        root.listxattr(here, false).forEach((name) => void root.getxattr(here, String(name), false)),
      );
    }
    return paths;
  }

  write(paths: readonly string[], random: Random): void {
    const root = this.#root;
    const { fs } = root;
    const kinds: readonly ((path: string, n: number) => void)[] = [
      (path, n) => fs.renameSync(path, `${M}/moved${n}`),
      (path) => (fs.lstatSync(path).isDirectory() ? fs.rmdirSync(path) : fs.unlinkSync(path)),
      (path, n) => fs.writeFileSync(path, text(n, n * 700)),
      (path, n) => fs.appendFileSync(path, text(n, 1500)),
      (path, n) => root.setxattr(path, 'user.new', Buffer.alloc((n * 37) % 500)),
      (path) => fs.mkdirSync(`${path}/new`),
      (path, n) => fs.linkSync(path, `${M}/many/link${n}`),
      (path, n) => fs.truncateSync(path, n * 400),
      (path, n) => fs.writeFileSync(`${path}/made`, text(n, 3000)),
      (path, n) => fs.symlinkSync('t'.repeat(n % 300), `${path}-link`),
      () => root.sync(),
    ];
    for (let n = 0; n < 24; n++) {
      const path = random.pick(paths);
      this.#tried(() => random.pick(kinds)(path, n));
    }
  }

  /** @throws LeakError in a debug kernel */
  end(): void {
    this.#tried(() => this.#root.umount(M));
    this.#disk.begin();
    this.#root.exit();
    this.#machine.shutdown();
  }
}

/** One image: a function of the sources and the seed. */
export function visitImage(kernel: Kernel, sources: readonly Source[], seed: number): Visited {
  const source = sources[seed % sources.length];
  const damaged = damageImage(source, Math.floor(seed / sources.length));
  const lower = MemoryDisk.of(damaged.image);
  const blocks = lower.sizeBytes / 1024;
  const disk = new Bounded(lower, REQUESTS_PER_BLOCK * blocks);
  const random = new Random(seed);
  let mounted = false;
  let wrong = '';
  try {
    const visit = new Visit(kernel, disk);
    mounted = visit.mount(random.below(3) === 0 ? 'errors=continue' : '');
    if (mounted) {
      const paths = visit.read(damaged.sealed ? undefined : source.content);
      visit.write(paths, random);
      visit.read();
    }
    visit.end();
    wrong = visit.wrong;
  } catch (error) {
    const { message, stack = '' } = error as Error;
    const cause = (error as Error).cause;
    wrong = `${message}\n${stack}\n${cause instanceof Error ? cause.stack : ''}`;
  }
  return { ...damaged, image: new Uint8Array(0), mounted, most: disk.most, wrong };
}
