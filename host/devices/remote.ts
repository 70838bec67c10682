/**
 * A disk in another thread, for a machine with shared memory: the kernel's request is only posted
 * here, and the CPU sleeps on its wait word until the thread that has the device says it is done.
 *
 * That thread must not be one that is a CPU of the machine: a CPU that sleeps serves nobody.
 */
import {
  BIO_DONE,
  BIO_ERROR,
  BIO_FL_FUA,
  BIO_FLAGS,
  BIO_LEN,
  BIO_NSEG,
  BIO_OFF,
  BIO_OP,
  BIO_OP_DISCARD,
  BIO_OP_FLUSH,
  BIO_OP_READ,
  BIO_OP_WRITE,
  BIO_OP_WRITE_ZEROES,
  BIO_SEGS,
} from '../../assembly/abi/disk.ts';
import { EINVAL } from '../../assembly/abi/errno.ts';
import { type AsyncBlockDevice, type DiskShape, diskErrno } from './types.ts';

/** One end of a channel between threads: a MessagePort, a Worker, or what is like one. */
export interface PostPort {
  postMessage(message: unknown): void;
}

export interface ListenPort {
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  removeEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  start?(): void;
}

/** The disk on the machine's side; given to `attachDisk` as a device is. */
export class RemoteDisk implements DiskShape {
  readonly sizeBytes: number;
  readonly sectorBytes: DiskShape['sectorBytes'];
  readonly readOnly: boolean;
  readonly writeCache: boolean;
  readonly discards: boolean;
  readonly #port: PostPort;

  /** @param shape  what the other thread's device is like (it can be posted: see {@link shapeOf}) */
  constructor(port: PostPort, { sizeBytes, sectorBytes, readOnly, writeCache, discards }: DiskShape) {
    this.#port = port;
    this.sizeBytes = sizeBytes;
    this.sectorBytes = sectorBytes;
    this.readOnly = readOnly;
    this.writeCache = writeCache;
    this.discards = discards;
  }

  /** Let the other thread do the request at this address in RAM. */
  post(bio: number): void {
    this.#port.postMessage(bio);
  }
}

/** The shape of a device as plain data. */
export function shapeOf({ sizeBytes, sectorBytes, readOnly, writeCache, discards }: DiskShape): DiskShape {
  return { sizeBytes, sectorBytes, readOnly, writeCache, discards };
}

/**
 * Serve a device to a machine, from a thread of one's own. Requests may complete in any order.
 * @param memory  the machine's RAM
 * @returns a function that stops serving
 */
export function serveDisk(
  device: AsyncBlockDevice,
  memory: WebAssembly.Memory,
  port: ListenPort,
): () => void {
  const { buffer } = memory;
  const ram = { u8: new Uint8Array(buffer), u32: new Uint32Array(buffer), f64: new Float64Array(buffer) };
  const words = new Int32Array(buffer);
  const listener = ({ data }: { data: unknown }) => {
    if (typeof data !== 'number') return;
    const bio = data >>> 0;
    void perform(device, ram, bio)
      .catch(diskErrno)
      .then((errno) => {
        words[(bio + BIO_ERROR) >>> 2] = -errno;
        Atomics.store(words, (bio + BIO_DONE) >>> 2, 1);
        Atomics.notify(words, (bio + BIO_DONE) >>> 2);
      });
  };
  port.addEventListener('message', listener);
  port.start?.();
  return () => port.removeEventListener('message', listener);
}

interface Ram {
  u8: Uint8Array;
  u32: Uint32Array;
  f64: Float64Array;
}

/** The positive errno of a request that makes no sense, or 0; devices throw theirs. */
async function perform(device: AsyncBlockDevice, { u8, u32, f64 }: Ram, bio: number): Promise<number> {
  const word = bio >>> 2;
  const off = f64[(bio + BIO_OFF) >>> 3];
  const len = u32[word + (BIO_LEN >>> 2)];
  const op = u32[word + (BIO_OP >>> 2)];
  switch (op) {
    case BIO_OP_READ:
    case BIO_OP_WRITE: {
      const fua = (u32[word + (BIO_FLAGS >>> 2)] & BIO_FL_FUA) !== 0;
      const segments = u32[word + (BIO_NSEG >>> 2)];
      for (let i = 0, done = 0, at = word + (BIO_SEGS >>> 2); i < segments; i++, at += 2) {
        const [addr, part] = [u32[at], u32[at + 1]];
        if (op === BIO_OP_READ) await device.read(off + done, u8, addr, part);
        else await device.write(off + done, u8, addr, part, fua);
        done += part;
      }
      return 0;
    }
    case BIO_OP_FLUSH:
      await device.flush();
      return 0;
    case BIO_OP_DISCARD:
      await device.discard(off, len);
      return 0;
    case BIO_OP_WRITE_ZEROES:
      await device.writeZeroes(off, len);
      return 0;
    default:
      return EINVAL;
  }
}
