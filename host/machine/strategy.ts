/**
 * The import disk_strategy: a request that the kernel laid out in RAM (assembly/abi/disk.ts) becomes
 * a call of a device, straight from and to the pages named.
 *
 * It runs inside the kernel, so nothing that a device does gets out of it: what it throws is an
 * errno. What a device throws last is kept, for whoever wants to say more than EIO.
 */
import {
  BIO_DISK,
  BIO_ELAPSED_US,
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
import { EINVAL, EIO, EROFS } from '../../assembly/abi/errno.ts';
import { MemoryDisk } from '../devices/memory.ts';
import { type BlockDevice, diskErrno } from '../devices/types.ts';
import type { RemoteDisk } from '../devices/remote.ts';

/** What a disk was asked since it was attached. */
export interface DiskStats {
  reads: number;
  readBytes: number;
  writes: number;
  writtenBytes: number;
  flushes: number;
  /** Discards and zeroings. */
  discards: number;
  /** Requests that failed. */
  errors: number;
}

/** A disk of the machine, as its requests find it. */
export interface DiskPort {
  /** One of the two. */
  readonly device: BlockDevice | undefined;
  readonly remote: RemoteDisk | undefined;
  readonly readOnly: boolean;
  readonly stats: DiskStats;
  lastError: unknown;
}

/** What requests work on. */
export interface StrategyHardware {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  elapsedUs: number;
}

/** Compile what a request runs through before one comes with little of the stack left. */
export function warmUpStrategy(
  strategy: (bio: number) => number,
  { u8, u32, f64, disks }: StrategyHardware & { disks: (DiskPort | undefined)[] },
  bio: number,
): void {
  const device = new MemoryDisk({ sizeBytes: 4096 });
  const port = { device, remote: undefined, readOnly: false, stats: newStats(), lastError: undefined };
  disks[0] = port;
  const word = bio >>> 2;
  u32.set([0, 512, 512, 512], word + (BIO_SEGS >>> 2));
  for (const op of [BIO_OP_WRITE, BIO_OP_READ, BIO_OP_DISCARD, BIO_OP_FLUSH, BIO_OP_WRITE_ZEROES]) {
    for (const segments of [1, 2]) {
      f64[(bio + BIO_OFF) >>> 3] = 0;
      u32[word + (BIO_OP >>> 2)] = op;
      u32[word + (BIO_NSEG >>> 2)] = segments;
      u32[word + (BIO_DISK >>> 2)] = 0;
      strategy(bio);
    }
  }
  // and the way of a request that fails
  f64[(bio + BIO_OFF) >>> 3] = device.sizeBytes;
  strategy(bio);
  disks[0] = undefined;
  u8.fill(0);
}

export function newStats(): DiskStats {
  return { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, flushes: 0, discards: 0, errors: 0 };
}

/** @param ports  by slot; read at each request, so that disks may come and go */
export function makeStrategy(
  hardware: StrategyHardware,
  ports: readonly (DiskPort | undefined)[],
): (bio: number) => number {
  const { u8, u32, f64 } = hardware;
  return (address) => {
    const bio = address >>> 0;
    const word = bio >>> 2;
    const port = ports[u32[word + (BIO_DISK >>> 2)]];
    if (port === undefined) {
      u32[word + (BIO_ERROR >>> 2)] = -EIO;
      return 0;
    }
    try {
      if (port.remote !== undefined) {
        count(port, u32, word);
        port.remote.post(bio);
        return 1;
      }
      u32[word + (BIO_ERROR >>> 2)] = -perform(port, u8, u32, f64, bio);
      count(port, u32, word);
    } catch (error) {
      port.stats.errors++;
      port.lastError = error;
      u32[word + (BIO_ERROR >>> 2)] = -diskErrno(error);
    }
    if (hardware.elapsedUs !== 0) {
      u32[word + (BIO_ELAPSED_US >>> 2)] = Math.min(hardware.elapsedUs, 0xffffffff);
      hardware.elapsedUs = 0;
    }
    return 0;
  };
}

/** Do it, here and now. The positive errno of a request that makes no sense; devices throw theirs. */
function perform(port: DiskPort, u8: Uint8Array, u32: Uint32Array, f64: Float64Array, bio: number): number {
  const device = port.device as BlockDevice;
  const word = bio >>> 2;
  const off = f64[(bio + BIO_OFF) >>> 3];
  const op = u32[word + (BIO_OP >>> 2)];
  if (op === BIO_OP_READ || op === BIO_OP_WRITE) {
    const segments = u32[word + (BIO_NSEG >>> 2)];
    const at = word + (BIO_SEGS >>> 2);
    if (op === BIO_OP_READ) {
      if (segments === 1) device.read(off, u8, u32[at], u32[at + 1]);
      else readSegments(device, off, u8, u32.subarray(at, at + 2 * segments), segments);
      return 0;
    }
    if (port.readOnly) return EROFS;
    const fua = (u32[word + (BIO_FLAGS >>> 2)] & BIO_FL_FUA) !== 0;
    if (segments === 1) device.write(off, u8, u32[at], u32[at + 1], fua);
    else writeSegments(device, off, u8, u32.subarray(at, at + 2 * segments), segments, fua);
    return 0;
  }
  if (op === BIO_OP_FLUSH) {
    device.flush();
    return 0;
  }
  if (port.readOnly) return EROFS;
  const len = u32[word + (BIO_LEN >>> 2)];
  if (op === BIO_OP_DISCARD) device.discard(off, len);
  else if (op === BIO_OP_WRITE_ZEROES) device.writeZeroes(off, len);
  else return EINVAL;
  return 0;
}

function readSegments(
  device: BlockDevice,
  off: number,
  u8: Uint8Array,
  parts: Uint32Array,
  count: number,
): void {
  if (device.readv !== undefined) {
    device.readv(off, u8, parts, count);
    return;
  }
  for (let i = 0, done = 0; i < count; done += parts[2 * i++ + 1]) {
    device.read(off + done, u8, parts[2 * i], parts[2 * i + 1]);
  }
}

function writeSegments(
  device: BlockDevice,
  off: number,
  u8: Uint8Array,
  parts: Uint32Array,
  count: number,
  fua: boolean,
): void {
  if (device.writev !== undefined) {
    device.writev(off, u8, parts, count, fua);
    return;
  }
  for (let i = 0, done = 0; i < count; done += parts[2 * i++ + 1]) {
    device.write(off + done, u8, parts[2 * i], parts[2 * i + 1], fua);
  }
}

function count({ stats }: DiskPort, u32: Uint32Array, word: number): void {
  if (u32[word + (BIO_ERROR >>> 2)] !== 0) {
    stats.errors++;
    return;
  }
  const len = u32[word + (BIO_LEN >>> 2)];
  switch (u32[word + (BIO_OP >>> 2)]) {
    case BIO_OP_READ:
      stats.reads++;
      stats.readBytes += len;
      break;
    case BIO_OP_WRITE:
      stats.writes++;
      stats.writtenBytes += len;
      break;
    case BIO_OP_FLUSH:
      stats.flushes++;
      break;
    default:
      stats.discards++;
  }
}
