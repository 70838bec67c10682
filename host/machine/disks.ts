/**
 * The disks of a machine: which device is in which slot, from attach to detach.
 *
 * A device stays its caller's: the machine flushes it when it is detached and at shutdown, and closes
 * it only if it was attached with `close: true`. Nobody else may write to it meanwhile.
 *
 * K1. A slot's port is there before the kernel knows of the disk, and until after it has forgotten it.
 * K2. Synchronous devices have no request in flight while the host runs, so a machine that is stopped
 *     and its disks put aside right then are of one moment.
 */
import { DISK_ASYNC, DISK_DISCARD, DISK_MAX, DISK_RDONLY, DISK_WCACHE } from '../../assembly/abi/disk.ts';
import { EBUSY, EINVAL, ENXIO } from '../../assembly/abi/errno.ts';
import { RemoteDisk } from '../devices/remote.ts';
import { needsBase, restoreDisk } from '../devices/restore.ts';
import { checkDiskSnapshot, type DiskSnapshot } from '../devices/snapshot.ts';
import type { BlockDevice, DiskShape } from '../devices/types.ts';
import { syscallError } from '../syscalls/errors.ts';
import type { Cpu } from './cpu.ts';
import { type DiskPort, type DiskStats, newStats } from './strategy.ts';

export interface DiskOptions {
  /** 0 to 7: /dev/vbd0 to /dev/vbd7. Default: the first that is free. */
  slot?: number;
  /** Let the machine only read it, though more could be done. */
  readOnly?: boolean;
  /** Close the device when it is detached, or the machine shut down. Default: it stays the caller's. */
  close?: boolean;
}

/** What is given for a disk: a device, or one and how to attach it. Nothing leaves a slot free. */
export type DiskSpec =
  | BlockDevice
  | RemoteDisk
  | ({ device: BlockDevice | RemoteDisk } & Omit<DiskOptions, 'slot'>)
  | undefined;

export interface AttachedDisk {
  readonly slot: number;
  /** vbd0 … vbd7. */
  readonly name: string;
  readonly device: BlockDevice | RemoteDisk;
  readonly readOnly: boolean;
  /** The counts as they are now. */
  readonly stats: Readonly<DiskStats>;
  /** What the device threw last; undefined: nothing yet. */
  readonly lastError: unknown;
}

/** A disk in a machine's snapshot. */
export interface SnapshotDisk {
  readonly slot: number;
  readonly readOnly: boolean;
  readonly sizeBytes: number;
  readonly sectorBytes: DiskShape['sectorBytes'];
  /** Its content. Where there is none, and where it only holds the changes to a base, the device or
   *  the base must be given again. */
  readonly disk?: DiskSnapshot;
  /** What tells the device to be given again from others: a hash of its first 64 KiB. */
  readonly print?: string;
}

interface Port extends DiskPort {
  readonly close: boolean;
}

export class Disks {
  readonly #cpu: Cpu;
  readonly #ports: (Port | undefined)[];

  /** The disks of this CPU's machine; after a snapshot there may be some already. */
  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#ports = cpu.disks as (Port | undefined)[];
  }

  get any(): boolean {
    return this.#ports.some((port) => port !== undefined);
  }

  list(): AttachedDisk[] {
    return this.#ports.flatMap((port, slot) => {
      if (port === undefined) return [];
      return [describe(slot, port)];
    });
  }

  /** @returns the slot */
  attach(device: BlockDevice | RemoteDisk, options: DiskOptions = {}): number {
    const ports = this.#ports;
    const { slot = freeSlot(ports) } = options;
    if (!(Number.isInteger(slot) && slot >= 0 && slot < DISK_MAX)) throw syscallError(EINVAL, 'attachDisk');
    if (ports[slot] !== undefined) throw syscallError(EBUSY, 'attachDisk', `/dev/vbd${slot}`);
    const port = newPort(device, options);
    ports[slot] = port;
    const result = this.#cpu.exports.disk_attach(slot, device.sizeBytes, device.sectorBytes, flagsOf(port));
    if (result < 0) {
      ports[slot] = undefined;
      throw this.#cpu.panic ?? syscallError(-result, 'attachDisk', `/dev/vbd${slot}`);
    }
    return slot;
  }

  /** A device for a slot whose disk another thread has attached: this thread's way to it. */
  join(slot: number, device: BlockDevice | RemoteDisk, options: DiskOptions): void {
    this.#ports[slot] = newPort(device, options);
  }

  detach(slot: number): void {
    const port = this.#ports[slot];
    if (port === undefined) throw syscallError(ENXIO, 'detachDisk', `/dev/vbd${slot}`);
    const result = this.#cpu.exports.disk_detach(slot);
    if (this.#cpu.panic !== undefined) throw this.#cpu.panic;
    if (result === -EBUSY || result === -ENXIO) throw syscallError(-result, 'detachDisk', `/dev/vbd${slot}`);
    this.#ports[slot] = undefined;
    letGo(port);
    if (result < 0) throw syscallError(-result, 'detachDisk', `/dev/vbd${slot}`);
  }

  /** The machine is gone: let every disk go. Throws what the first that could not be flushed threw. */
  end(flush: boolean): void {
    let failed: { error: unknown } | undefined;
    for (const [slot, port] of this.#ports.entries()) {
      if (port === undefined) continue;
      // What is kept of the machine reaches no disk any more.
      this.#ports[slot] = undefined;
      try {
        letGo(port, flush);
      } catch (error) {
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  /** Refuse what could not be put aside. @throws Error EBUSY */
  checkSnapshot(): void {
    for (const [slot, port] of this.#ports.entries()) {
      if (port === undefined || port.readOnly || port.device?.snapshot !== undefined) continue;
      const why = `/dev/vbd${slot} can be written, and its device cannot be put aside with the machine`;
      throw Object.assign(new Error(`snapshot: ${why}`), { code: 'EBUSY' });
    }
  }

  /** The disks put aside. The machine is stopped. */
  snapshot(): SnapshotDisk[] {
    return this.#ports.flatMap((port, slot) => {
      if (port === undefined) return [];
      const device = deviceOf(port);
      const { readOnly } = port;
      const { sizeBytes, sectorBytes } = device;
      const disk = readOnly ? undefined : port.device?.snapshot?.();
      const known = { slot, readOnly, sizeBytes, sectorBytes, ...(disk !== undefined && { disk }) };
      if (disk !== undefined && !needsBase(disk)) return [known];
      const below = disk === undefined ? port.device : lowestBase(device as BlockDevice);
      return [{ ...known, ...(below !== undefined && { print: fingerprint(below) }) }];
    });
  }
}

/** Fill the slots of a machine laid out from a snapshot, before its kernel runs. */
export function restoreDisks(cpu: Cpu, disks: readonly SnapshotDisk[], given: readonly DiskSpec[]): void {
  for (const entry of disks) {
    const { device, options } = split(given[entry.slot]);
    cpu.disks[entry.slot] = newPort(again(entry, device), { ...options, readOnly: entry.readOnly });
  }
}

/** Device and options of what was given for a slot. */
export function split(spec: DiskSpec): { device?: BlockDevice | RemoteDisk; options: DiskOptions } {
  if (spec === undefined) return { options: {} };
  if ('device' in spec && !('read' in spec)) return { device: spec.device, options: spec };
  return { device: spec as BlockDevice | RemoteDisk, options: {} };
}

/** The disk of a snapshot: as it was put aside, or what is given in its place. */
function again(entry: SnapshotDisk, given: BlockDevice | RemoteDisk | undefined): BlockDevice | RemoteDisk {
  const { slot, disk, print, sizeBytes, sectorBytes } = entry;
  const name = `/dev/vbd${slot}`;
  if (disk !== undefined && !needsBase(disk)) {
    if (given !== undefined) throw new Error(`the snapshot has ${name} in it: no disk can be given for it`);
    return restoreDisk(disk);
  }
  const what = disk === undefined ? `the read-only disk ${name}` : `the base of ${name}`;
  if (given === undefined) throw new Error(`${what} is not in the snapshot: give it again, disks[${slot}]`);
  if (given.sizeBytes !== sizeBytes || given.sectorBytes !== sectorBytes) {
    throw new Error(`${what} had ${sizeBytes} bytes in sectors of ${sectorBytes}, and another was given`);
  }
  if (given instanceof RemoteDisk) return given;
  if (print !== undefined && fingerprint(given) !== print) {
    throw new Error(`${what} starts with other bytes than the one that the machine had`);
  }
  return disk === undefined ? given : restoreDisk(disk, given);
}

/** Refuse a list of disks that is none. @throws Error that says what is wrong */
export function checkSnapshotDisks(disks: readonly SnapshotDisk[]): void {
  let last = -1;
  for (const { slot, disk, sizeBytes } of disks) {
    if (!(Number.isInteger(slot) && slot > last && slot < DISK_MAX)) {
      throw new Error(`snapshot is damaged: it has a disk in slot ${slot}`);
    }
    last = slot;
    if (disk === undefined) continue;
    checkDiskSnapshot(disk);
    if (disk.sizeBytes !== sizeBytes) throw new Error(`snapshot is damaged: disk ${slot} is of two sizes`);
  }
}

/** What must be given again to restore a device put aside: itself if it is only read, or the base of its changes. */
export function givenAgain(device: BlockDevice, readOnly: boolean): BlockDevice | undefined {
  if (readOnly) return device;
  const snapshot = device.snapshot?.();
  return snapshot !== undefined && needsBase(snapshot) ? lowestBase(device) : undefined;
}

/** What lies below all overlays and layers. */
function lowestBase(device: BlockDevice): BlockDevice {
  let at: BlockDevice & { base?: BlockDevice; lower?: BlockDevice } = device;
  for (let below = at.base ?? at.lower; below !== undefined; below = at.base ?? at.lower) at = below;
  return at;
}

const PRINT_BYTES = 65536;

/** 64 bits of FNV-1a over the first bytes: tells one image from another, no more. */
function fingerprint(device: BlockDevice): string {
  const bytes = new Uint8Array(Math.min(PRINT_BYTES, device.sizeBytes));
  device.read(0, bytes, 0, bytes.length);
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i], 0x01000193);
    b = Math.imul(b ^ bytes[i], 0x85ebca6b) + i;
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

/** What a user sees of a port; also when the disk is gone from the machine. */
function describe(slot: number, port: Port): AttachedDisk {
  return {
    slot,
    name: `vbd${slot}`,
    device: deviceOf(port),
    readOnly: port.readOnly,
    get stats() {
      return { ...port.stats };
    },
    get lastError() {
      return port.lastError;
    },
  };
}

function freeSlot(ports: readonly unknown[]): number {
  for (let slot = 0; slot < DISK_MAX; slot++) if (ports[slot] === undefined) return slot;
  throw syscallError(EBUSY, 'attachDisk');
}

function newPort(device: BlockDevice | RemoteDisk, { readOnly = false, close = false }: DiskOptions): Port {
  const remote = device instanceof RemoteDisk;
  return {
    device: remote ? undefined : device,
    remote: remote ? device : undefined,
    readOnly: readOnly || device.readOnly,
    close,
    stats: newStats(),
    lastError: undefined,
  };
}

const deviceOf = ({ device, remote }: DiskPort) => (device ?? remote) as BlockDevice | RemoteDisk;

function flagsOf(port: Port): number {
  const { writeCache, discards } = deviceOf(port);
  return (
    (port.readOnly ? DISK_RDONLY : 0) |
    (writeCache ? DISK_WCACHE : 0) |
    (discards ? DISK_DISCARD : 0) |
    (port.remote === undefined ? 0 : DISK_ASYNC)
  );
}

function letGo({ device, readOnly, close }: Port, flush = true): void {
  try {
    if (flush && !readOnly) device?.flush();
  } finally {
    if (close) device?.close();
  }
}
