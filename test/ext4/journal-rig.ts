/** The journal without a file system: assembly/testing/journal.ts on a machine of its own. */
import type { BlockDevice } from '../../host/devices/types.ts';
import type { Flavour } from '../../host/machine/kernels.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { testKernel } from '../unit/kernel/testkernel.ts';
import { must } from './tools.ts';

type Fn = (...args: number[]) => number;
const NAMES = [
  ...['enter', 'leave', 'alloc', 'run', 'load', 'needs', 'recover', 'start', 'close', 'free', 'abort'],
  ...['begin', 'extend', 'end', 'forget', 'revoke', 'commit', 'checkpoint', 'tid', 'committed', 'pressure'],
  ...['count', 'put', 'get', 'writeback', 'drop', 'powercut'],
] as const;
type Calls = Record<(typeof NAMES)[number], Fn>;

export const BARRIER = 1;
export const CSUM3 = 4;
export const B64 = 8;

/** Where a journal is, in a file system of which nothing else matters here. */
export interface Shape {
  /** A block has 1 << shift bytes. */
  readonly shift: number;
  readonly fsBlocks: number;
  /** The journal's blocks in order: first block on the disk, how many. */
  readonly runs: readonly (readonly [number, number])[];
  /** Blocks that nothing uses. */
  readonly free: readonly number[];
}

/** @throws Error when a call of the journal gives an errno */
function checked(call: string, result: number): number {
  if (result < 0) throw Object.assign(new Error(`${call}: errno ${-result}`), { errno: -result });
  return result;
}

export interface RigOptions {
  flavour?: Flavour;
  ram?: number;
  /** Another kernel: one with a bug. */
  module?: URL;
}

/** A machine whose slot 0 takes one disk after the other, and the journal on it. */
export class Rig {
  readonly machine: Machine;
  readonly call: Calls;
  readonly shape: Shape;
  jn = 0;

  constructor(shape: Shape, { flavour = 'up-debug', ram = 8 << 20, module }: RigOptions = {}) {
    this.shape = shape;
    this.machine = debugMachine({ flavour, ram, seed: 7, module: module ?? testKernel('journal', flavour) });
    const { exports } = this.machine.cpu;
    const all = exports as unknown as Record<string, Fn>;
    this.call = Object.fromEntries(NAMES.map((name) => [name, all[`jt_${name}`]])) as Calls;
  }

  get bytes(): number {
    return 1 << this.shape.shift;
  }

  /** Attach a disk and read its journal's superblock: 0 or an errno, with which it is detached again. */
  open(disk: BlockDevice): number {
    this.machine.attachDisk(disk, { slot: 0 });
    const { call, shape } = this;
    call.enter();
    this.jn = call.alloc(shape.shift, shape.fsBlocks) >>> 0;
    for (const [first, length] of shape.runs) checked('run', call.run(this.jn, first, length));
    const error = call.load(this.jn);
    if (error < 0) this.abandon();
    return error;
  }

  /** Begin to write on a disk: recovered first. */
  start(disk: BlockDevice, want = BARRIER): void {
    checked('load', this.open(disk));
    checked('recover', this.call.recover(this.jn));
    checked('start', this.call.start(this.jn, want));
  }

  /** The power goes: nothing that is in RAM is kept. */
  abandon(): void {
    this.call.free(this.jn);
    this.call.powercut();
    this.#gone();
  }

  /** As unmounting does it. */
  close(): number {
    const error = this.call.close(this.jn);
    this.call.drop();
    this.#gone();
    return error;
  }

  #gone(): void {
    this.call.leave();
    this.jn = 0;
    try {
      this.machine.detachDisk(0);
    } catch (error) {
      // a disk that fails is out all the same
      if ((error as { code?: string }).code !== 'EIO') throw error;
    }
  }

  shutdown(): void {
    this.machine.shutdown();
  }

  get #at(): number {
    return this.machine.cpu.area;
  }

  /** One handle that makes blocks what they shall be and forgets others. */
  step(
    puts: Iterable<readonly [number, Uint8Array]>,
    forgets: readonly number[] = [],
    credits?: number,
  ): void {
    const list = [...puts];
    checked('begin', this.call.begin(this.jn, credits ?? list.length));
    for (const block of forgets) this.call.forget(this.jn, block);
    for (const [block, bytes] of list) {
      this.machine.cpu.u8.set(bytes, this.#at);
      checked('put', this.call.put(this.jn, block, this.#at));
    }
    this.call.end(this.jn);
  }

  commit(): void {
    checked('commit', this.call.commit(this.jn));
  }

  /** A block as the cache has it. */
  get(block: number): Uint8Array {
    checked('get', this.call.get(block, this.shape.shift, this.#at));
    return this.machine.cpu.u8.slice(this.#at, this.#at + this.bytes);
  }

  count(what: 'running' | 'used' | 'log' | 'revokes' | 'max' | 'head' | 'reserved' | 'time'): number {
    const order = ['running', 'used', 'log', 'revokes', 'max', 'head', 'reserved', 'time'];
    return this.call.count(this.jn, order.indexOf(what));
  }
}

export function readBlock(disk: BlockDevice, shift: number, block: number): Uint8Array {
  const bytes = new Uint8Array(1 << shift);
  disk.read(block * bytes.length, bytes, 0, bytes.length);
  return bytes;
}

/** A block's content that names what it is; `escaped`: it begins with the journal's magic number. */
export function content(shift: number, n: number, escaped = false): Uint8Array {
  const bytes = new Uint8Array(1 << shift);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += 4) view.setUint32(i, Math.imul(n + 1, 0x9e3779b1) ^ i);
  if (escaped) view.setUint32(0, 0xc03b3998);
  return bytes;
}

/** A journal and free blocks on an image of mke2fs, as debugfs and dumpe2fs see them. */
export function shapeOf(image: string): Shape {
  const head = must('dumpe2fs', image);
  const number = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(head)?.[1]);
  const stat = must('debugfs', '-R', 'stat <8>', image);
  const list = /(?:EXTENTS|BLOCKS):\n([^\n]*)/.exec(stat)?.[1] ?? '';
  const runs = [...list.matchAll(/\((\d+)(?:-(\d+))?\):(\d+)/g)].map(
    ([, from, to, first]) => [Number(first), Number(to ?? from) - Number(from) + 1] as const,
  );
  const free = [...head.matchAll(/^ {2}Free blocks: (.*)$/gm)].flatMap(([, ranges]) =>
    ranges.split(', ').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number);
      return range === '' ? [] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }),
  );
  const shift = Math.log2(number('Block size'));
  return { shift, fsBlocks: number('Block count'), runs, free };
}
