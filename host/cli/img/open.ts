/** Images of disks: named on the command line, opened, and mounted in a machine of their own. */
import {
  COMPAT_HAS_JOURNAL,
  EXT4_STATE_VALID,
  SB_FEATURE_COMPAT,
  SB_STATE,
} from '../../../assembly/abi/ext4.ts';
import { OverlayDisk } from '../../devices/overlay.ts';
import type { BlockDevice } from '../../devices/types.ts';
import { readSuper } from '../../ext4/readsuper.ts';
import { codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { boot, type Machine, type Process } from '../../index.ts';
import { MS_RDONLY } from '../../../assembly/abi/flags.ts';
import { reportDisks } from '../disks.ts';
import { CommandError, EXIT_FAILED } from '../errors.ts';
import { warn } from '../output.ts';
import { type Interruption, interruptible } from '../interrupt.ts';
import { openImage, parseImage } from './image.ts';
import { partitionsError, partitionsOf, sourceOf, tooSmall, truncationOf, withNode } from './partitions.ts';

export interface ImageOptions {
  /** RAM of the machine that works on it, bytes. */
  ram?: number;
}

export interface Mounted {
  readonly machine: Machine;
  /** A process whose root is the image's. */
  readonly process: Process;
  /** Whether the work is to be given up. */
  readonly interruption: Interruption;
}

export const MOUNT_POINT = '/mnt';
const RAM_BYTES = 64 * 2 ** 20;
/**
 * Mount an image and work on it; what was written is on the file when this is done. ^C and SIGTERM make
 * the work stop, and come back when the image is unmounted.
 */
export function withMounted(
  image: string,
  write: boolean,
  options: ImageOptions,
  work: (mounted: Mounted) => Promise<number>,
): Promise<number> {
  return interruptible((interruption) => mounted(image, write, options, interruption, work));
}

async function mounted(
  image: string,
  write: boolean,
  { ram = RAM_BYTES }: ImageOptions,
  interruption: Interruption,
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
      code = await work({ machine, process, interruption });
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
  if (write && withNode(machine, source, isUnclean))
    warn(`${image} was not unmounted, and has no journal: it may be damaged, which e2fsck mends`);
  try {
    machine.init.mount(source, MOUNT_POINT, 'ext4', write ? 0 : MS_RDONLY);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const why = saidOfIt(machine);
    if (code === 'EROFS') throw new CommandError(`${image} cannot be written: ${why || reasonOf(error)}`);
    const partitions = partition === 0 ? partitionsOf(machine) : [];
    if (partitions.length > 0) throw partitionsError(image, partitions);
    const cut = withNode(machine, source, (device) => tooSmall(device) ?? truncationOf(device));
    const said = cut ?? (why === '' ? reasonOf(error) : `${why} (${code})`);
    throw new CommandError(`cannot mount ${image}: ${said}`);
  }
  if (write && isReadOnly(machine))
    throw new CommandError(`${image} cannot be written: ${saidOfIt(machine) || 'it is read-only'}`);
}

/** Is it an ext2 that was in use when its machine ended? */
function isUnclean(device: BlockDevice): boolean {
  try {
    const sb = readSuper(device);
    return (
      (sb.u16(SB_STATE) & EXT4_STATE_VALID) === 0 && (sb.u32(SB_FEATURE_COMPAT) & COMPAT_HAS_JOURNAL) === 0
    );
  } catch {
    // What is wrong with it is told by mounting it.
    return false;
  }
}

/** What the kernel's log says of the mount last. */
function saidOfIt({ log }: Machine): string {
  return /^ext4: \w+: (.*)$/.exec(log.trimEnd().split('\n').at(-1) ?? '')?.[1] ?? '';
}

function isReadOnly({ fs: files }: Machine): boolean {
  const lines = files.readFileSync('/proc/mounts', 'utf8').split('\n');
  const [, , , options = ''] = lines.findLast((line) => line.split(' ')[1] === MOUNT_POINT)?.split(' ') ?? [];
  return options.split(',').includes('ro');
}
