import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BIO_DISK,
  BIO_ERROR,
  BIO_LEN,
  BIO_NSEG,
  BIO_OFF,
  BIO_OP,
  BIO_OP_DISCARD,
  BIO_OP_FLUSH,
  BIO_OP_READ,
  BIO_OP_WRITE,
  BIO_SEG_SIZE,
  BIO_SEGS,
  DISK_DISCARD,
  DISK_WCACHE,
} from '../../assembly/abi/disk.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { EFAULT, EIO } from '../../assembly/abi/errno.ts';
import { WASM_PAGE_SIZE } from '../../assembly/abi/layout.ts';
import type { KernelImports } from '../../host/machine/exports.ts';
import { errnoName } from './errno.ts';
import { type Exports, type Hardware, Machine, panicMessage } from './machine.ts';
import { repositoryRoot } from './root.ts';

export interface MachineOptions {
  /** Which artefact of build/kernel: 'up-debug', 'smp-debug', … */
  flavour: string;
  /** The module's file, if it is not that artefact's. */
  file?: string;
  ramBytes?: number;
  seed?: number;
  /** The disks of a machine, made for each. */
  disks?: () => BlockDevice[];
}

const EPOCH_SECONDS = 1_700_000_000;
const modules = new Map<string, WebAssembly.Module>();

function kernelModule({ flavour, file: given }: MachineOptions): WebAssembly.Module {
  const file = given ?? join(repositoryRoot, 'build', 'kernel', `${flavour}.wasm`);
  let module = modules.get(file);
  if (!module) {
    if (!existsSync(file)) throw new Error(`no kernel at ${file}: node assembly/build.mjs ${flavour}`);
    module = new WebAssembly.Module(readFileSync(file));
    modules.set(file, module);
  }
  return module;
}

/** A request of the kernel's, done piece by piece. */
function bareStrategy({ u8, u32, f64 }: Hardware, disks: readonly BlockDevice[], bio: number): number {
  const word = (at: number) => u32[(bio + at) / 4];
  const disk = disks[word(BIO_DISK)];
  if (disk === undefined) return -EIO;
  const op = word(BIO_OP);
  let off = f64[(bio + BIO_OFF) / 8];
  if (op === BIO_OP_FLUSH) disk.flush();
  else if (op === BIO_OP_DISCARD) disk.discard(off, word(BIO_LEN));
  else if (op !== BIO_OP_READ && op !== BIO_OP_WRITE) disk.writeZeroes(off, word(BIO_LEN));
  else
    for (let i = 0; i < word(BIO_NSEG); i++) {
      const addr = word(BIO_SEGS + i * BIO_SEG_SIZE);
      const len = word(BIO_SEGS + i * BIO_SEG_SIZE + 4);
      if (op === BIO_OP_READ) disk.read(off, u8, addr, len);
      else disk.write(off, u8, addr, len);
      off += len;
    }
  return 0;
}

/** The kernel panicked in the middle of a test. */
export class Panic extends Error {
  override name = 'Panic';
}

/** Fixed RAM, a seeded generator, a virtual clock, no console. */
class BareHardware implements Hardware {
  readonly kernel: Exports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly area: number;
  spaces: Uint8Array[] = [];
  dead = false;
  disks: BlockDevice[] = [];

  constructor(options: MachineOptions) {
    const pages = (options.ramBytes ?? 64 << 20) / WASM_PAGE_SIZE;
    const shared = options.flavour.startsWith('smp');
    const memory = new WebAssembly.Memory({ initial: pages, maximum: shared ? 65535 : pages, shared });
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.f64 = new Float64Array(memory.buffer);
    const imports = { env: { memory }, host: { ...this.#imports() } };
    const instance = new WebAssembly.Instance(kernelModule(options), imports);
    this.kernel = instance.exports as unknown as Exports;
    this.#must(this.kernel.machine_boot(options.seed ?? 1, 1, 1, EPOCH_SECONDS), 'machine_boot');
    this.#must(this.kernel.cpu_attach(), 'cpu_attach');
    this.area = this.kernel.cpu_area() >>> 0;
    this.#must(this.kernel.machine_start(), 'machine_start');
    this.disks = options.disks?.() ?? [];
    for (const [slot, { sizeBytes, sectorBytes }] of this.disks.entries())
      this.#must(
        this.kernel.disk_attach(slot, sizeBytes, sectorBytes, DISK_WCACHE | DISK_DISCARD),
        'disk_attach',
      );
  }

  #must(result: number, what: string): void {
    if (result < 0) throw new Error(`${what}: ${errnoName(result)}`);
  }

  #imports(): KernelImports {
    const copy = (space: number, uaddr: number, len: number): Uint8Array | undefined => {
      const buffer = this.spaces[space >>> 0];
      const end = (uaddr >>> 0) + (len >>> 0);
      return buffer && end <= buffer.length ? buffer.subarray(uaddr >>> 0, end) : undefined;
    };
    return {
      copyin: (space, uaddr, kaddr, len) => {
        const from = copy(space, uaddr, len);
        if (from) this.u8.set(from, kaddr >>> 0);
        return from ? 0 : EFAULT;
      },
      copyout: (space, uaddr, kaddr, len) => {
        const to = copy(space, uaddr, len);
        to?.set(this.u8.subarray(kaddr >>> 0, (kaddr >>> 0) + (len >>> 0)));
        return to ? 0 : EFAULT;
      },
      clock_read: (_clock, kaddr) => {
        this.f64[(kaddr >>> 0) / 8] = EPOCH_SECONDS;
        this.u32[((kaddr >>> 0) + 8) / 4] = 0;
      },
      entropy: (kaddr, len) => void this.u8.fill(0x5a, kaddr >>> 0, (kaddr >>> 0) + (len >>> 0)),
      console_write: (_kaddr, len) => len,
      disk_strategy: (bio) => {
        this.u32[((bio >>> 0) + BIO_ERROR) / 4] = bareStrategy(this, this.disks, bio >>> 0);
        return 0;
      },
      panicked: () => {
        this.dead = true;
        throw new Panic(panicMessage(this));
      },
    };
  }
}

/**
 * The kernel on the barest hardware: deliberately not the product's own host, so that the kernel
 * is judged by itself.
 */
export class BareMachine extends Machine {
  readonly #disks: BlockDevice[];

  constructor(options: MachineOptions) {
    const hardware = new BareHardware(options);
    super(hardware);
    this.#disks = hardware.disks;
  }

  /** @throws Error when the disk that was in the slot is in use */
  attachDisk(slot: number, disk: BlockDevice): void {
    this.detachDisk(slot);
    this.#disks[slot] = disk;
    const { sizeBytes, sectorBytes } = disk;
    const e = this.kernel.disk_attach(slot, sizeBytes, sectorBytes, DISK_WCACHE | DISK_DISCARD);
    if (e < 0) throw new Error(`disk_attach: ${errnoName(e)}`);
  }

  /** The disk that was in the slot, if there was one. @throws Error when it is in use */
  detachDisk(slot: number): BlockDevice | undefined {
    const disk = this.#disks[slot];
    if (disk === undefined) return undefined;
    const e = this.kernel.disk_detach(slot);
    if (e < 0) throw new Error(`disk_detach: ${errnoName(e)}`);
    delete this.#disks[slot];
    return disk;
  }
}
