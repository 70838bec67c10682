/** `img create`, `img tune`, `img info`, `img check`. */
import fs from 'node:fs';
import path from 'node:path';
import { FileDisk } from '../../devices/node/file.ts';
import { check } from '../../ext4/check.ts';
import { info as ext4Info } from '../../ext4/info.ts';
import { NoFileSystemError, readSuper } from '../../ext4/readsuper.ts';
import { type Ext4Type, MkfsError, type MkfsOptions, mkfs } from '../../ext4/mkfs.ts';
import { TuneError, tune } from '../../ext4/tune.ts';
import { codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { scanTree } from '../../hostfiles/scan.ts';
import { CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../errors.ts';
import { type Interruption, interruptible } from '../interrupt.ts';
import { detail, print, warn } from '../output.ts';
import { formatBytes, formatCount } from '../values.ts';
import { INCOMPAT_RECOVER } from '../../../assembly/abi/ext4.ts';
import { withMounted } from './open.ts';
import { listOf, truncationOf, withDevice } from './partitions.ts';

export interface CreateOptions {
  size?: number;
  fit?: string;
  type: string;
  label?: string;
  uuid?: string;
  blockSize?: number;
  inodeSize?: number;
  inodes?: number;
  reserved?: number;
  features?: string;
  usage?: string;
  seed?: number;
}

const TYPES = ['ext2', 'ext3', 'ext4'];
const MIB = 2 ** 20;
/** mke2fs makes smaller ones no more. */
const SMALLEST_BYTES = 40 * 1024;
/** The smallest image that --fit makes. */
const FIT_MIN_BYTES = 64 * MIB;

/** @returns the exit code */
export function createCommand(image: string, options: CreateOptions): Promise<number> {
  return interruptible((interruption) => create(image, options, interruption));
}

async function create(image: string, options: CreateOptions, interruption: Interruption): Promise<number> {
  const { type } = options;
  if (!TYPES.includes(type))
    throw new CommandError(`--type is ${TYPES.join(', ')}, and not ${type}`, EXIT_USAGE);
  if (/#\d+$|:(ro|scratch)$/.test(image))
    throw new CommandError(
      `${image}: a name that ends like this means something else to other commands`,
      EXIT_USAGE,
    );
  const sizeBytes = await sizeOf(options);
  if (sizeBytes < SMALLEST_BYTES)
    throw new CommandError(
      `--size is at least ${formatBytes(SMALLEST_BYTES)}, and ${formatBytes(sizeBytes)} hold no file system`,
      EXIT_USAGE,
    );
  if (interruption.signal.aborted) throw interruption.error(`${image} was not made`);
  const device = makeFile(image, sizeBytes);
  try {
    const made = mkfs(device, mkfsOptions(options));
    for (const warning of made.warnings) detail(warning);
    const journal =
      made.journalBlocks === 0
        ? 'no journal'
        : `a journal of ${formatBytes(made.journalBlocks * made.blockSize)}`;
    detail(
      `${image}: ${type}, ${formatBytes(sizeBytes)}, ${formatCount(made.blocks, 'block')} of ${made.blockSize} bytes, ` +
        `${formatCount(made.inodes, 'inode')}, ${journal}, UUID ${made.uuid}`,
    );
    device.flush();
  } catch (error) {
    fs.rmSync(image, { force: true });
    if (error instanceof MkfsError)
      throw new CommandError(`cannot make ${image}: ${error.message}`, EXIT_USAGE);
    throw error;
  } finally {
    device.close();
  }
  return EXIT_OK;
}

function makeFile(image: string, sizeBytes: number): FileDisk {
  try {
    return FileDisk.open(image, { createBytes: sizeBytes });
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST';
    throw new CommandError(`cannot make ${image}: ${isThere ? 'it is there already' : reasonOf(error)}`);
  }
}

function mkfsOptions({ type, reserved, usage, size: _, fit: __, ...options }: CreateOptions): MkfsOptions {
  return {
    ...options,
    type: type as Ext4Type,
    reservedPercent: reserved,
    usage: usage as MkfsOptions['usage'],
    isZeroed: true,
  };
}

/** With both options: what fits the tree, and at least the size. */
async function sizeOf({ size, fit }: CreateOptions): Promise<number> {
  if (fit !== undefined) return Math.max(size ?? 0, await sizeThatFits(fit));
  if (size !== undefined) return size;
  throw new CommandError('say how large: --size 256M, or --fit HOSTDIR', EXIT_USAGE);
}

/** Twice what the tree takes in blocks of 4 KiB and inodes, in whole 64 MiB. */
async function sizeThatFits(tree: string): Promise<number> {
  try {
    const { totals, entries } = await scanTree(fs, Buffer.from(path.resolve(tree)));
    const bytes = 2 * (totals.pageBytes + entries.length * 4096);
    return Math.max(FIT_MIN_BYTES, Math.ceil(bytes / FIT_MIN_BYTES) * FIT_MIN_BYTES);
  } catch (error) {
    throw new CommandError(`cannot read ${tree}: ${reasonOf(error)}`);
  }
}

const FINDINGS_SHOWN = 100;

/** Tells what is wrong with the file system on an image. @returns 0: nothing; 1: something */
export async function checkCommand(image: string): Promise<number> {
  return withDevice(image, (device) => {
    const result = check(device);
    for (const { rule, message, inode, block, group } of result.findings.slice(0, FINDINGS_SHOWN)) {
      const where = [
        ...(inode === undefined ? [] : [`inode ${inode}`]),
        ...(block === undefined ? [] : [`block ${block}`]),
        ...(group === undefined ? [] : [`group ${group}`]),
      ];
      print(`${where.length === 0 ? '' : `${where.join(', ')}: `}${message} [${rule}]`);
    }
    const more = result.findings.length - FINDINGS_SHOWN;
    if (more > 0) print(`… and ${formatCount(more, 'more finding')}`);
    const cut = truncationOf(device);
    if (cut !== undefined) print(cut);
    const { inodesUsed, inodes, blocksUsed, blocks } = result;
    print(
      `${image}: ${result.clean ? 'clean' : formatCount(result.damaged, 'thing')}${result.clean ? '' : ' wrong'}, ` +
        `${inodesUsed.toLocaleString('en')} of ${formatCount(inodes, 'inode')} and ${blocksUsed.toLocaleString('en')} of ${formatCount(blocks, 'block')} in use` +
        `${result.needsRecovery ? '; its journal is to be replayed first (mounting does that)' : ''}`,
    );
    if (result.needsRecovery && !result.clean)
      print(
        'what is wrong may be no more than that: img tune --label, img mkdir, or whatever else writes, replays it; then check again',
      );
    return result.clean ? EXIT_OK : EXIT_FAILED;
  });
}

/** Tells what is on an image: its partitions, or what a file system says of itself. */
export async function infoCommand(image: string): Promise<number> {
  try {
    return await withDevice(
      image,
      (device) => {
        print(ext4Info(device).text.trimEnd());
        const cut = truncationOf(device);
        if (cut !== undefined) warn(`${image}: ${cut}`);
        return EXIT_OK;
      },
      {
        onPartitions: (partitions) => {
          print(listOf(image, partitions));
          return EXIT_OK;
        },
      },
    );
  } catch (error) {
    if (!(error instanceof NoFileSystemError)) throw error;
    throw new CommandError(`${image}: no ext2, ext3 or ext4, and no partitions`);
  }
}

export interface TuneCommandOptions {
  label?: string;
  uuid?: string;
}

/** Give a file system another label or UUID. @returns the exit code */
export async function tuneCommand(image: string, options: TuneCommandOptions): Promise<number> {
  if (options.label === undefined && options.uuid === undefined)
    throw new CommandError('say what to change: --label TEXT, --uuid UUID', EXIT_USAGE);
  try {
    // A journal that is to be replayed would bring the old superblock back.
    if (await withDevice(image, (device) => readSuper(device).incompat(INCOMPAT_RECOVER)))
      await withMounted(image, true, {}, async () => EXIT_OK);
    return await interruptible(() =>
      withDevice(
        image,
        (device) => {
          tune(device, options);
          const { label, uuidText } = readSuper(device);
          detail(`${image}: label ${label === '' ? '(none)' : label}, UUID ${uuidText}`);
          return EXIT_OK;
        },
        { write: true },
      ),
    );
  } catch (error) {
    if (error instanceof TuneError || error instanceof NoFileSystemError)
      throw new CommandError(
        `cannot tune ${image}: ${error.message}`,
        error instanceof TuneError && error.isOption ? EXIT_USAGE : EXIT_FAILED,
      );
    throw error;
  }
}
