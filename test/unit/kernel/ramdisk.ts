/** A small disk for tests of the kernel's block layer: it counts its requests and fails as told. */
import { DISK_RDONLY } from '../../../assembly/abi/disk.ts';
import { type BlockDevice, DiskError, type SectorBytes } from '../../../host/devices/types.ts';
import type { Machine } from '../../../host/machine/machine.ts';

export class RamDisk implements BlockDevice {
  readonly bytes: Uint8Array;
  readonly sectorBytes: SectorBytes;
  readonly readOnly = false;
  readonly writeCache = true;
  readonly discards = true;
  reads = 0;
  writes = 0;
  flushes = 0;
  requests = 0;
  /** Given the number of a request, says whether it fails. */
  fails: (request: number, op: string) => boolean = () => false;

  constructor(size: number | Uint8Array, sectorBytes: SectorBytes = 512) {
    this.bytes = typeof size === 'number' ? new Uint8Array(size) : size;
    this.sectorBytes = sectorBytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  #request(op: string, offBytes: number, lenBytes: number): void {
    if (offBytes % this.sectorBytes || lenBytes % this.sectorBytes || offBytes + lenBytes > this.sizeBytes)
      throw new DiskError('EINVAL', offBytes, `${op} of ${lenBytes} bytes at ${offBytes}`);
    if (this.fails(++this.requests, op)) throw new DiskError('EIO', offBytes, op);
  }

  read(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    this.reads++;
    this.#request('read', offBytes, lenBytes);
    into.set(this.bytes.subarray(offBytes, offBytes + lenBytes), at);
  }

  write(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    this.writes++;
    this.#request('write', offBytes, lenBytes);
    this.bytes.set(from.subarray(at, at + lenBytes), offBytes);
  }

  readv(offBytes: number, into: Uint8Array, parts: Uint32Array, count: number): void {
    this.reads++;
    this.#vector('read', offBytes, parts, count, (off, at, len) =>
      into.set(this.bytes.subarray(off, off + len), at),
    );
  }

  writev(offBytes: number, from: Uint8Array, parts: Uint32Array, count: number): void {
    this.writes++;
    this.#vector('write', offBytes, parts, count, (off, at, len) =>
      this.bytes.set(from.subarray(at, at + len), off),
    );
  }

  #vector(
    op: string,
    offBytes: number,
    parts: Uint32Array,
    count: number,
    move: (off: number, at: number, len: number) => void,
  ): void {
    let len = 0;
    for (let i = 0; i < count; i++) len += parts[2 * i + 1];
    this.#request(op, offBytes, len);
    let off = offBytes;
    for (let i = 0; i < count; i++) {
      move(off, parts[2 * i], parts[2 * i + 1]);
      off += parts[2 * i + 1];
    }
  }

  flush(): void {
    this.flushes++;
    this.#request('flush', 0, 0);
  }

  discard(offBytes: number, lenBytes: number): void {
    this.#request('discard', offBytes, lenBytes);
    this.bytes.fill(0, offBytes, offBytes + lenBytes);
  }

  writeZeroes(offBytes: number, lenBytes: number): void {
    this.#request('zeroes', offBytes, lenBytes);
    this.bytes.fill(0, offBytes, offBytes + lenBytes);
  }

  close(): void {}
}

/** Put a disk in a slot. */
export function attach(machine: Machine, slot: number, disk: BlockDevice, flags = 0): void {
  machine.attachDisk(disk, { slot, readOnly: (flags & DISK_RDONLY) !== 0 });
}
