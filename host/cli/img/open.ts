/** Images of disks: named on the command line, opened, and mounted in a machine of their own. */
import { FileDisk } from '../../devices/node/file.ts';
import { OverlayDisk } from '../../devices/overlay.ts';
import { type BlockDevice, Device, DiskError } from '../../devices/types.ts';
import { codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { boot, type Machine, type Process } from '../../index.ts';
import { AT_FDCWD, MS_RDONLY, O_RDONLY, SEEK_END } from '../../../assembly/abi/flags.ts';
import { reportDisks } from '../disks.ts';
import { CommandError, EXIT_FAILED, EXIT_USAGE } from '../errors.ts';

export interface ImageOptions {
  /** RAM of the machine that works on it, bytes. */
  ram?: number;
}

/** IMG, or IMG#2 for its second partition. */
export interface ImageName {
  readonly file: string;
  /** 0: the whole disk. */
  readonly partition: number;
}

export interface Mounted {
  readonly machine: Machine;
  /** A process whose root is the image's. */
  readonly process: Process;
}

export const MOUNT_POINT = '/mnt';
const DISK = '/dev/vbd0';
const RAM_BYTES = 64 * 2 ** 20;
const PARTITION_MAX = 15;

export function parseImage(text: string): ImageName {
  const match = /^(.+)#(\d+)$/.exec(text);
  if (match === null) return { file: text, partition: 0 };
  const partition = Number(match[2]);
  if (partition < 1 || partition > PARTITION_MAX)
    throw new CommandError(`${text}: partitions are numbered from 1 to ${PARTITION_MAX}`, EXIT_USAGE);
  return { file: match[1], partition };
}

/** @throws CommandError that says what is wrong with the file */
export function openImage(file: string, readOnly: boolean): FileDisk {
  try {
    return FileDisk.open(file, { readOnly });
  } catch (error) {
    throw new CommandError(`cannot open ${file}: ${reasonOf(error)}`, EXIT_USAGE);
  }
}

/** Mount an image and work on it; what was written is on the file when this is done. */
export async function withMounted(
  image: string,
  write: boolean,
  { ram = RAM_BYTES }: ImageOptions,
  work: (mounted: Mounted) => Promise<number>,
): Promise<number> {
  const { file, partition } = parseImage(image);
  const device = openImage(file, !write);
  try {
    // What only reads may still have to replay a journal: that stays in memory.
    const machine = await boot({ ram, disks: [write ? device : new OverlayDisk(device)] });
    const { disks } = machine;
    let code: number;
    try {
      mount(machine, image, partition, write);
      const process = machine.process();
      process.chroot(MOUNT_POINT);
      process.chdir('/');
      code = await work({ machine, process });
    } finally {
      // It ends what still runs, writes everything back, and unmounts.
      if (machine.cpu.panic === undefined) machine.shutdown();
    }
    return reportDisks(disks) ? code : code || EXIT_FAILED;
  } finally {
    device.close();
  }
}

function mount(machine: Machine, image: string, partition: number, write: boolean): void {
  const source = sourceOf(machine, image, partition);
  try {
    machine.init.mount(source, MOUNT_POINT, 'ext4', write ? 0 : MS_RDONLY);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    const why = machine.log.trimEnd().split('\n').at(-1) ?? '';
    const said = why.includes('ext4') ? ` (${why})` : '';
    const hint =
      partitionsOf(machine).length > 0 && partition === 0 ? '; it has partitions: name one as IMG#1' : '';
    throw new CommandError(`cannot mount ${image}: ${reasonOf(error)}${said}${hint}`);
  }
}

/** The node of a disk or of its partition. @throws CommandError */
function sourceOf(machine: Machine, image: string, partition: number): string {
  const source = partition === 0 ? DISK : `${DISK}p${partition}`;
  if (!machine.fs.existsSync(source))
    throw new CommandError(`${image}: the disk has no partition ${partition}`, EXIT_USAGE);
  return source;
}

/** The nodes of an image's partitions: vbd0p1 … */
export function partitionsOf(machine: Machine): string[] {
  return machine.fs.readdirSync('/dev').filter((name) => name.startsWith('vbd0p'));
}

/** Work on the bytes of an image, or of its partition, without mounting it. Nothing is written. */
export async function withDevice<T>(image: string, work: (device: BlockDevice) => T): Promise<T> {
  const { file, partition } = parseImage(image);
  const device = openImage(file, true);
  try {
    if (partition === 0) return work(device);
    const machine = await boot({ disks: [device] });
    try {
      const source = sourceOf(machine, image, partition);
      return work(new NodeDevice(machine.init, machine.init.openat(AT_FDCWD, source, O_RDONLY)));
    } finally {
      if (machine.cpu.panic === undefined) machine.shutdown();
    }
  } finally {
    device.close();
  }
}

/** A disk's node in a machine, to be read as a device. */
class NodeDevice extends Device {
  readonly #process: Process;
  readonly #fd: number;

  constructor(process: Process, fd: number) {
    const sizeBytes = process.lseek(fd, 0, SEEK_END);
    super({ sizeBytes, sectorBytes: 512, readOnly: true, writeCache: false, discards: false });
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

  // Read-only: a device of that kind is never asked for these.
  protected writeSectors(): void {}
  protected flushSectors(): void {}
  protected discardSectors(): void {}
  protected zeroSectors(): void {}
}
