/** `img create`, `img info`, `img check`. */
import fs from 'node:fs';
import path from 'node:path';
import { FileDisk } from '../../devices/node/file.ts';
import { check } from '../../ext4/check.ts';
import { info as ext4Info, NoFileSystemError } from '../../ext4/info.ts';
import { type Ext4Type, MkfsError, type MkfsOptions, mkfs } from '../../ext4/mkfs.ts';
import { reasonOf } from '../../hostfiles/entry.ts';
import { scanTree } from '../../hostfiles/scan.ts';
import { CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../errors.ts';
import { detail, print } from '../output.ts';
import { formatBytes, formatCount } from '../values.ts';
import { boot } from '../../index.ts';
import { openImage, parseImage, partitionsOf, withDevice } from './open.ts';

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
/** The smallest image that --fit makes. */
const FIT_MIN_BYTES = 64 * MIB;

/** @returns the exit code */
export async function createCommand(image: string, options: CreateOptions): Promise<number> {
  const { type } = options;
  if (!TYPES.includes(type))
    throw new CommandError(`--type is ${TYPES.join(', ')}, and not ${type}`, EXIT_USAGE);
  if (/#\d+$|:(ro|scratch)$/.test(image))
    throw new CommandError(
      `${image}: a name that ends like this means something else to other commands`,
      EXIT_USAGE,
    );
  const sizeBytes = options.size ?? (await sizeThatFits(options.fit));
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
    throw new CommandError(`cannot make ${image}: ${reasonOf(error)}`, EXIT_USAGE);
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

/** Twice what the tree takes in blocks of 4 KiB and inodes, in whole 64 MiB. */
async function sizeThatFits(tree: string | undefined): Promise<number> {
  if (tree === undefined) throw new CommandError('say how large: --size 256M, or --fit HOSTDIR', EXIT_USAGE);
  try {
    const { totals, entries } = await scanTree(fs, Buffer.from(path.resolve(tree)));
    const bytes = 2 * (totals.pageBytes + entries.length * 4096);
    return Math.max(FIT_MIN_BYTES, Math.ceil(bytes / FIT_MIN_BYTES) * FIT_MIN_BYTES);
  } catch (error) {
    throw new CommandError(`cannot read ${tree}: ${reasonOf(error)}`, EXIT_USAGE);
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
    const { inodesUsed, inodes, blocksUsed, blocks } = result;
    print(
      `${image}: ${result.clean ? 'clean' : formatCount(result.damaged, 'thing')}${result.clean ? '' : ' wrong'}, ` +
        `${inodesUsed.toLocaleString('en')} of ${formatCount(inodes, 'inode')} and ${blocksUsed.toLocaleString('en')} of ${formatCount(blocks, 'block')} in use` +
        `${result.needsRecovery ? '; its journal is to be replayed first (mounting does that)' : ''}`,
    );
    return result.clean ? EXIT_OK : EXIT_FAILED;
  });
}

/** Tells what is on an image: its partitions, or what a file system says of itself. */
export async function infoCommand(image: string): Promise<number> {
  try {
    return await withDevice(image, (device) => {
      print(ext4Info(device).text.trimEnd());
      return EXIT_OK;
    });
  } catch (error) {
    if (!(error instanceof NoFileSystemError)) throw error;
    return showPartitions(image);
  }
}

/** No file system: are there partitions? */
async function showPartitions(image: string): Promise<number> {
  const { file, partition } = parseImage(image);
  const device = openImage(file, true);
  try {
    const machine = await boot({ disks: [device] });
    const names = partition === 0 ? partitionsOf(machine) : [];
    const sizes = machine.fs.readFileSync('/proc/partitions', 'utf8');
    machine.shutdown();
    if (names.length === 0) throw new CommandError(`${image}: no ext2, ext3 or ext4, and no partitions`);
    for (const name of names) {
      const kib = Number(new RegExp(`(\\d+) ${name}$`, 'm').exec(sizes)?.[1] ?? 0);
      print(`${file}#${name.slice('vbd0p'.length)}  ${formatBytes(kib * 1024)}`);
    }
    return EXIT_OK;
  } finally {
    device.close();
  }
}
