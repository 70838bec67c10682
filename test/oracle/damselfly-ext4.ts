/** The machine's ext4 as a target: each reset is a fresh machine on a copy of one empty file system. */
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { check } from '../../host/ext4/check.ts';
import { type MkfsOptions, mkfs } from '../../host/ext4/mkfs.ts';
import { BareMachine } from './bare.ts';
import type { DamselflyProcess } from './damselfly-process.ts';
import { ATIME_FLAGS, MachineTarget, MOUNT_POINT } from './machine-target.ts';
import type { OtherOptions } from './target.ts';

/** With an inode for each of the contract's scenes and what is in them: they are not taken away. */
const SIZE_BYTES = 256 << 20;

export interface Ext4TargetOptions {
  flavour: string;
  mkfs?: MkfsOptions;
  /** Mount options: 'data=journal'. */
  options?: string;
}

/** A file system that a test fills. */
const OTHER_BYTES = 8 << 20;
const OTHER_SLOT = 1;
const OTHER_INODES = 64;

/** What lies in the slots; not a field, for the base's constructor boots. */
interface Disks {
  machine?: BareMachine;
  current?: MemoryDisk;
  other?: MemoryDisk;
}

export class Ext4Target extends MachineTarget {
  readonly #disks: Disks;
  readonly #how: Ext4TargetOptions;
  readonly #others = new Map<number, MemoryDisk>();

  constructor(how: Ext4TargetOptions) {
    const { flavour, options = '' } = how;
    const empty = made(how, SIZE_BYTES, { bytesPerInode: 4096 });
    const disks: Disks = {};
    super(
      {
        flavour,
        mount: (init, path, { atime = 'relative' }) =>
          mount(init, '/dev/vbd0', path, ATIME_FLAGS[atime], options, 0o755),
      },
      () => {
        disks.machine = new BareMachine({
          flavour,
          disks: () => {
            disks.current = empty.fork();
            return [disks.current];
          },
        });
        return disks.machine;
      },
    );
    this.#disks = disks;
    this.#how = how;
  }

  /** @throws Error when the one that was mounted before is in use, or damaged */
  mountOther(path: string, flags: number, { inodes = OTHER_INODES }: OtherOptions): number {
    const machine = this.#disks.machine as BareMachine;
    machine.detachDisk(OTHER_SLOT);
    if (this.#disks.other !== undefined) mustBeSound(this.#disks.other);
    const empty = this.#others.get(inodes) ?? made(this.#how, OTHER_BYTES, { inodes });
    this.#others.set(inodes, empty);
    this.#disks.other = empty.fork();
    machine.attachDisk(OTHER_SLOT, this.#disks.other);
    return mount(
      this.outside,
      `/dev/vbd${OTHER_SLOT}`,
      MOUNT_POINT + path,
      flags,
      this.#how.options ?? '',
      0o777,
    );
  }

  override abandon(): void {
    super.abandon();
    this.#disks.current = this.#disks.other = undefined;
  }

  /** @throws Error when what was left on the disk is not a sound file system */
  override dispose(): void {
    super.dispose();
    // the constructor of the base resets first of all
    if (!(#disks in this)) return;
    const { current, other } = this.#disks;
    this.#disks.current = this.#disks.other = undefined;
    for (const disk of [current, other]) if (disk !== undefined) mustBeSound(disk);
  }
}

/** A disk with an empty file system. */
function made({ mkfs: how = {} }: Ext4TargetOptions, sizeBytes: number, more: MkfsOptions): MemoryDisk {
  const disk = new MemoryDisk({ sizeBytes, writeCache: true });
  mkfs(disk, { type: 'ext4', seed: 1, isZeroed: true, blockSize: 4096, reservedPercent: 0, ...more, ...how });
  return disk;
}

function mount(
  by: DamselflyProcess,
  device: string,
  path: string,
  flags: number,
  options: string,
  mode: number,
): number {
  const result = by.mount(device, path, 'ext4', flags, options);
  if (result === 0) {
    by.chmod(path, mode);
    by.rmdir(`${path}/lost+found`);
  }
  return result;
}

function mustBeSound(disk: BlockDevice): void {
  const { clean, findings } = check(disk);
  disk.close();
  if (!clean) throw new Error(`the disk is damaged: ${findings.map(({ message }) => message).join('; ')}`);
}
