/** The partitions of an image, and images and partitions as bytes, without mounting them. */
import { SB_OFFSET, SB_SIZE } from '../../../assembly/abi/ext4.ts';
import { AT_FDCWD, O_RDONLY, O_RDWR, SEEK_END } from '../../../assembly/abi/flags.ts';
import { type BlockDevice, Device, DiskError } from '../../devices/types.ts';
import { NoFileSystemError, readSuper } from '../../ext4/readsuper.ts';
import { boot, type Machine, type Process } from '../../index.ts';
import { CommandError } from '../errors.ts';
import { formatBytes } from '../values.ts';
import { openImage, parseImage } from './image.ts';

const DISK = '/dev/vbd0';

export interface Partition {
  readonly number: number;
  readonly sizeBytes: number;
}

/** The node of a disk or of its partition. @throws CommandError */
export function sourceOf(machine: Machine, image: string, partition: number): string {
  const source = partition === 0 ? DISK : `${DISK}p${partition}`;
  if (machine.fs.existsSync(source)) return source;
  const { file } = parseImage(image);
  const partitions = partitionsOf(machine);
  const those = partitions.length === 0 ? ' and no other' : `:\n${listOf(file, partitions)}`;
  throw new CommandError(`${image}: the disk has no partition ${partition}${those}`);
}

export function partitionsOf(machine: Machine): Partition[] {
  const lines = machine.fs.readFileSync('/proc/partitions', 'utf8');
  return [...lines.matchAll(/(\d+) vbd0p(\d+)$/gm)].map(([, kib, number]) => ({
    number: Number(number),
    sizeBytes: Number(kib) * 1024,
  }));
}

/** A line for each: IMG#1  16 MiB. */
export function listOf(file: string, partitions: readonly Partition[]): string {
  return partitions.map(({ number, sizeBytes }) => `${file}#${number}  ${formatBytes(sizeBytes)}`).join('\n');
}

/** The whole disk was named, and has no file system. */
export function partitionsError(image: string, partitions: readonly Partition[]): CommandError {
  const first = `${image}#${partitions[0].number}`;
  return new CommandError(
    `${image} is a disk with partitions: name one of them, as ${first}\n${listOf(image, partitions)}`,
  );
}

/** Has it no room for a superblock? */
export function tooSmall({ sizeBytes }: BlockDevice): string | undefined {
  if (sizeBytes >= SB_OFFSET + SB_SIZE) return undefined;
  return `the image has ${sizeBytes} bytes in whole sectors: too small for a file system`;
}

/** What is missing at the end of an image whose file is shorter than its file system; undefined: nothing. */
export function truncationOf(device: BlockDevice): string | undefined {
  let sizeBytes: number;
  try {
    const { blocksCount, blockSize } = readSuper(device);
    sizeBytes = blocksCount * blockSize;
  } catch (error) {
    if (error instanceof NoFileSystemError || error instanceof DiskError) return undefined;
    throw error;
  }
  if (sizeBytes <= device.sizeBytes) return undefined;
  return `the image has ${device.sizeBytes} bytes, and the file system on it ${sizeBytes}: its end is missing`;
}

/** Work on a disk's or a partition's node as a device. */
export function withNode<T>(
  machine: Machine,
  source: string,
  work: (device: BlockDevice) => T,
  write = false,
): T {
  const process = machine.process();
  try {
    return work(new NodeDevice(process, process.openat(AT_FDCWD, source, write ? O_RDWR : O_RDONLY), write));
  } finally {
    process.exit();
  }
}

export interface DeviceOptions<T> {
  write?: boolean;
  /** What to do with a disk that has partitions and was named without a number. Default: refuse it. */
  onPartitions?: (partitions: readonly Partition[]) => T;
}

/** Work on the bytes of an image, or of its partition, without mounting it. */
export async function withDevice<T>(
  image: string,
  work: (device: BlockDevice) => T,
  { write = false, onPartitions }: DeviceOptions<T> = {},
): Promise<T> {
  const { file, partition } = parseImage(image);
  const device = openImage(file, !write);
  try {
    if (partition === 0 && hasSuper(device)) return work(device);
    const machine = await boot({ disks: [device] });
    try {
      const partitions = partitionsOf(machine);
      if (partition === 0 && partitions.length > 0) {
        if (onPartitions === undefined) throw partitionsError(image, partitions);
        return onPartitions(partitions);
      }
      return withNode(machine, sourceOf(machine, image, partition), work, write);
    } finally {
      if (machine.cpu.panic === undefined) machine.shutdown();
    }
  } finally {
    device.close();
  }
}

function hasSuper(device: BlockDevice): boolean {
  try {
    readSuper(device);
    return true;
  } catch (error) {
    if (error instanceof NoFileSystemError) return false;
    throw error;
  }
}

/** A disk's node in a machine as a device. */
class NodeDevice extends Device {
  readonly #process: Process;
  readonly #fd: number;

  constructor(process: Process, fd: number, write: boolean) {
    const sizeBytes = process.lseek(fd, 0, SEEK_END);
    super({ sizeBytes, sectorBytes: 512, readOnly: !write, writeCache: true, discards: false });
    this.#process = process;
    this.#fd = fd;
  }

  protected readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    for (let done = 0; done < lenBytes; ) {
      const got = this.#process.fs.readSync(this.#fd, into, at + done, lenBytes - done, offBytes + done);
      if (got === 0) throw new DiskError('EIO', offBytes + done, 'the partition ended early');
      done += got;
    }
  }

  protected writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    for (let done = 0; done < lenBytes; )
      done += this.#process.fs.writeSync(this.#fd, from, at + done, lenBytes - done, offBytes + done);
  }

  protected flushSectors(): void {
    if (!this.readOnly) this.#process.fs.fsyncSync(this.#fd);
  }

  protected discardSectors(): void {}

  protected zeroSectors(offBytes: number, lenBytes: number): void {
    this.writeSectors(offBytes, new Uint8Array(lenBytes), 0, lenBytes);
  }
}
