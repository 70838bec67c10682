/** What is mounted: a machine whose /mnt is the image's file system, or a tmpfs. */
import { MS_RDONLY } from '../../assembly/abi/flags.ts';
import { FileDisk } from '../devices/node/file.ts';
import { OverlayDisk } from '../devices/overlay.ts';
import { codeOf, reasonOf } from '../hostfiles/entry.ts';
import { boot, type Machine } from '../index.ts';

export const SERVED = '/mnt';
const DISK = '/dev/vbd0';
const RAM_BYTES = 256 * 2 ** 20;
/** Of a tmpfs: what its names and inodes take, and the machine itself. */
const TMPFS_SPARE_BYTES = 32 * 2 ** 20;
const RAM_MOST_BYTES = 4 * 2 ** 30 - 65536;
/**
 * Percent of RAM that may be dirty before writers wait, and before it is written in passing: more than a machine’s
 * usual 25 and 10, since here there are no programs in it, only what is cached.
 */
const DIRTY = { dirty_ratio: 50, dirty_background_ratio: 30 };

export interface VolumeOptions {
  /** The image; none: a tmpfs. */
  image?: { file: string; partition: number; readOnly: boolean; scratch: boolean };
  /** Of the tmpfs, bytes. */
  tmpfsBytes?: number;
  /** RAM of the machine, bytes. */
  ram?: number;
  /** Options of the machine's own mount: "data=journal". */
  mountOptions?: string;
}

/** An image or a tmpfs in a machine of its own. */
export interface Volume {
  readonly machine: Machine;
  /** Nothing can be changed in it. */
  readonly readOnly: boolean;
  /** Write everything back, unmount, let go of the image. @returns what went wrong with it meanwhile, if anything */
  close(): string | undefined;
}

/** @throws Error that says what is wrong with the image, in words for whoever named it */
export async function openVolume(options: VolumeOptions): Promise<Volume> {
  return options.image === undefined ? tmpfs(options) : image(options.image, options);
}

async function tmpfs({ tmpfsBytes = RAM_BYTES, ram }: VolumeOptions): Promise<Volume> {
  const most = Math.min(tmpfsBytes + (tmpfsBytes >>> 3) + TMPFS_SPARE_BYTES, RAM_MOST_BYTES);
  const machine = await boot({ ram: ram ?? most });
  machine.init.mount('tmpfs', SERVED, 'tmpfs', 0, `size=${tmpfsBytes},mode=755`);
  machine.fs.chownSync(SERVED, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  return {
    machine,
    readOnly: false,
    close() {
      if (machine.cpu.panic === undefined) machine.shutdown();
      return undefined;
    },
  };
}

async function image(
  { file, partition, readOnly, scratch }: NonNullable<VolumeOptions['image']>,
  { ram = RAM_BYTES, mountOptions = '' }: VolumeOptions,
): Promise<Volume> {
  let base: FileDisk;
  try {
    base = FileDisk.open(file, { readOnly: readOnly || scratch });
  } catch (error) {
    throw new Error(`cannot open ${file}: ${reasonOf(error)}`);
  }
  try {
    // what is only read may have a journal to be replayed: that stays in memory
    const machine = await boot({ ram, disks: [readOnly || scratch ? new OverlayDisk(base) : base] });
    try {
      for (const [name, percent] of Object.entries(DIRTY))
        machine.fs.writeFileSync(`/proc/sys/vm/${name}`, `${percent}\n`);
      mountIn(machine, file, partition, readOnly, mountOptions);
    } catch (error) {
      machine.shutdown();
      throw error;
    }
    return { machine, readOnly, close: () => closeImage(machine, base) };
  } catch (error) {
    base.close();
    throw error;
  }
}

function mountIn(
  machine: Machine,
  file: string,
  partition: number,
  readOnly: boolean,
  options: string,
): void {
  const source = partition === 0 ? DISK : `${DISK}p${partition}`;
  if (!machine.fs.existsSync(source)) throw new Error(`${file}: the disk has no partition ${partition}`);
  try {
    machine.init.mount(source, SERVED, 'ext4', readOnly ? MS_RDONLY : 0, options);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    const why = machine.log.trimEnd().split('\n').at(-1) ?? '';
    const said = why.includes('ext4') ? ` (${why})` : '';
    const parts = machine.fs.readdirSync('/dev').some((name) => name.startsWith('vbd0p'));
    const hint = parts && partition === 0 ? '; it has partitions: name one as IMG#1' : '';
    throw new Error(`cannot mount ${file}: ${reasonOf(error)}${said}${hint}`);
  }
}

function closeImage(machine: Machine, base: FileDisk): string | undefined {
  const { disks } = machine;
  try {
    if (machine.cpu.panic === undefined) machine.shutdown();
  } finally {
    base.close();
  }
  const [disk] = disks;
  if (disk === undefined || disk.stats.errors === 0) return undefined;
  return `${disk.stats.errors} requests to ${base.path} failed; the last: ${reasonOf(disk.lastError)}`;
}
