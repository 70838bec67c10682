/** mke2fs and mkfs.ext4, fsck.ext4, tune2fs, dumpe2fs, blkid: the image tools, on a machine's own disks. */
import type { Finding } from '../ext4/check.ts';
import { check } from '../ext4/check.ts';
import { info, NoFileSystemError } from '../ext4/info.ts';
import {
  type Ext4Type,
  MkfsError,
  type MkfsOptions,
  mkfs,
  type MkfsResult,
  type Usage,
} from '../ext4/mkfs.ts';
import { TuneError, tune } from '../ext4/tune.ts';
import { DiskError } from '../devices/types.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { NodeDisk } from './lib/nodedisk.ts';
import { parseSize } from './lib/numbers.ts';

/** Run on a device, which is closed again; what the tools refuse becomes the command's failure. */
function onDevice<T>(
  tool: Tool,
  path: string,
  isWriting: boolean,
  status: number,
  use: (disk: NodeDisk) => T,
): T {
  const disk = NodeDisk.open(tool, path, isWriting, status);
  try {
    return use(disk);
  } catch (error) {
    if (
      error instanceof MkfsError ||
      error instanceof TuneError ||
      error instanceof NoFileSystemError ||
      error instanceof DiskError
    )
      throw new Failure(`${path}: ${error.message}`, status);
    throw error;
  } finally {
    disk.close();
  }
}

function onlyDevice(operands: readonly string[], most = 1): string {
  if (operands.length === 0) throw new Failure('missing device', 1, true);
  if (operands.length > most) throw new Failure(`extra operand '${operands[most]}'`, 1, true);
  return operands[0];
}

function number(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseSize(text);
  if (value === undefined) throw new Failure(`invalid ${what} - ${text}`);
  return value;
}

function percent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Failure(`invalid reserved blocks percent - ${text}`);
  return Number(text);
}

/** -E and -J: words with or without a value. */
function extended(lists: readonly string[]): Map<string, string> {
  const words = lists.flatMap((list) => list.split(',')).filter((word) => word !== '');
  return new Map(
    words.map((word) => [word.split('=', 1)[0], word.slice(word.split('=', 1)[0].length + 1)] as const),
  );
}

const EXTENDED = ['discard', 'nodiscard', 'resize', 'root_owner', 'lazy_itable_init', 'lazy_journal_init'];

function extendedOptions(lists: readonly string[]): MkfsOptions {
  const words = extended(lists);
  for (const word of words.keys())
    if (!EXTENDED.includes(word)) throw new Failure(`Bad option(s) specified: ${word}`);
  const owner = words.get('root_owner');
  const ids = /^(\d+):(\d+)$/.exec(owner || '0:0');
  if (ids === null) throw new Failure(`Invalid root_owner: '${owner}'`);
  const resize = words.get('resize');
  return {
    discard: !words.has('nodiscard'),
    rootOwner: { uid: Number(ids[1]), gid: Number(ids[2]) },
    ...(resize === undefined ? {} : { resizeBlocks: number(resize, 'resize') }),
  };
}

const TYPES: readonly string[] = ['ext2', 'ext3', 'ext4'] satisfies Ext4Type[];

function typeFor(tool: Tool, given: string | undefined): Ext4Type {
  const type = given ?? (tool.name.startsWith('mkfs.') ? tool.name.slice(5) : 'ext2');
  if (!TYPES.includes(type)) throw new Failure(`unknown file system type ${type}`);
  return type as Ext4Type;
}

function mkfsText(result: MkfsResult): string {
  const lines = [
    `Creating filesystem with ${result.blocks} ${result.blockSize / 1024}k blocks and ${result.inodes} inodes`,
    `Filesystem UUID: ${result.uuid}`,
    ...(result.backups.length === 0
      ? []
      : ['Superblock backups stored on blocks: ', `\t${result.backups.join(', ')}`]),
    ...(result.journalBlocks === 0 ? [] : [`Creating journal (${result.journalBlocks} blocks): done`]),
  ];
  return `${lines.join('\n')}\n`;
}

export const mke2fs = command(
  {
    summary: 'create an ext2/ext3/ext4 file system',
    usage: ['[OPTION]... DEVICE [BLOCKS]'],
    options: {
      type: { short: 't', shortOnly: true, value: 'TYPE', about: 'ext2, ext3 or ext4' },
      usage: {
        short: 'T',
        shortOnly: true,
        value: 'USAGE',
        about: 'what it is for: small, largefile4, news, ...',
      },
      label: { short: 'L', shortOnly: true, value: 'LABEL', about: 'name of the volume' },
      uuid: { short: 'U', shortOnly: true, value: 'UUID', about: 'its UUID, instead of a random one' },
      block: { short: 'b', shortOnly: true, value: 'BYTES', about: 'size of a block: 1024, 2048 or 4096' },
      inode: { short: 'I', shortOnly: true, value: 'BYTES', about: 'size of an inode' },
      ratio: { short: 'i', shortOnly: true, value: 'BYTES', about: 'an inode for so many bytes' },
      inodes: { short: 'N', shortOnly: true, value: 'NUMBER', about: 'so many inodes at least' },
      reserved: { short: 'm', shortOnly: true, value: 'PERCENT', about: "blocks that are the superuser's" },
      mounted: { short: 'M', shortOnly: true, value: 'DIR', about: 'where it was last mounted' },
      features: {
        short: 'O',
        shortOnly: true,
        value: 'LIST',
        many: true,
        about: 'features to set, with ^ to clear',
      },
      journal: {
        short: 'J',
        shortOnly: true,
        value: 'LIST',
        many: true,
        about: 'size=MEBIBYTES of the journal',
      },
      withJournal: { short: 'j', shortOnly: true, about: 'with a journal: as -O has_journal' },
      extended: { short: 'E', shortOnly: true, value: 'LIST', many: true, about: EXTENDED.join(', ') },
      force: { short: 'F', shortOnly: true, about: 'accepted: nothing is asked' },
      quiet: { short: 'q', shortOnly: true, about: 'say nothing' },
      verbose: { short: 'v', shortOnly: true, about: 'accepted: all is said' },
    },
    details: [
      'Called as mkfs.ext3 or mkfs.ext4 that is the type; called as mke2fs it is ext2. Defaults are those of mke2fs 1.47.',
    ],
  },
  async (tool, { options, operands }) => {
    const path = onlyDevice(operands, 2);
    const size = extended(options.journal).get('size');
    const features = [...options.features, ...(options.withJournal ? ['has_journal'] : [])].join(',');
    const wanted: MkfsOptions = {
      ...extendedOptions(options.extended),
      type: typeFor(tool, options.type),
      features,
      label: options.label,
      uuid: options.uuid,
      usage: options.usage as Usage | undefined,
      blockSize: number(options.block, 'block size'),
      inodeSize: number(options.inode, 'inode size'),
      bytesPerInode: number(options.ratio, 'inode ratio'),
      inodes: number(options.inodes, 'number of inodes'),
      blocks: number(operands[1], 'blocks count'),
      reservedPercent: percent(options.reserved),
      lastMounted: options.mounted,
      journalMiB: number(size, 'journal size'),
      time: tool.now().seconds,
    };
    const result = onDevice(tool, path, true, 1, (disk) => mkfs(disk, wanted));
    for (const warning of result.warnings) await tool.say(warning);
    if (options.quiet) return undefined;
    await tool.out(mkfsText(result));
    return undefined;
  },
);

function findingText({ rule, message, fixable, note }: Finding): string {
  const kind = note ? 'note' : fixable ? 'fixable' : 'damage';
  return `${message} [${rule}, ${kind}]\n`;
}

export const fsck = command(
  {
    summary: 'check an ext2/ext3/ext4 file system, without changing it',
    usage: ['-n [OPTION]... DEVICE'],
    options: {
      no: { short: 'n', shortOnly: true, about: 'change nothing: there is no other way yet' },
      force: { short: 'f', shortOnly: true, about: 'accepted: all is always looked at' },
      verbose: { short: 'v', shortOnly: true, about: 'accepted: all is said' },
    },
    exits: { 0: 'no damage', 4: 'damage', 8: 'operational error', 16: 'usage error' },
    usageStatus: 16,
  },
  async (tool, { options, operands }) => {
    const path = onlyDevice(operands);
    if (!options.no) throw new Failure('only checks without changes can be done: use -n', 16, true);
    const result = onDevice(tool, path, false, 8, (disk) => check(disk, { now: tool.now().seconds }));
    for (const finding of result.findings) await tool.out(findingText(finding));
    const more = result.damaged - result.findings.filter(({ note }) => !note).length;
    if (more > 0) await tool.out(`and ${more} more\n`);
    if (!result.clean)
      await tool.out(`\n${path}: ********** WARNING: Filesystem still has errors **********\n\n`);
    if (result.inodes > 0)
      await tool.out(
        `${path}: ${result.inodesUsed}/${result.inodes} files, ${result.blocksUsed}/${result.blocks} blocks\n`,
      );
    return result.clean ? 0 : 4;
  },
);

export const tune2fs = command(
  {
    summary: 'change the label or the UUID of an ext2/ext3/ext4 file system',
    usage: ['[-L LABEL] [-U UUID] DEVICE'],
    options: {
      label: { short: 'L', shortOnly: true, value: 'LABEL', about: 'name of the volume, at most 16 bytes' },
      uuid: { short: 'U', shortOnly: true, value: 'UUID', about: 'a UUID, random, time or clear' },
      force: { short: 'f', shortOnly: true, about: 'accepted: nothing is asked' },
    },
    details: [
      'With metadata_csum and no metadata_csum_seed a new UUID writes all checksums anew; the file system must be clean.',
    ],
  },
  async (tool, { options, operands }) => {
    const path = onlyDevice(operands);
    const { label } = options;
    const uuid = options.uuid === 'time' ? 'random' : options.uuid;
    if (label === undefined && uuid === undefined) throw new Failure('nothing to change', 1, true);
    onDevice(tool, path, true, 1, (disk) => tune(disk, { label, uuid }));
    return undefined;
  },
);

export const dumpe2fs = command(
  {
    summary: "print an ext2/ext3/ext4 file system's superblock",
    usage: ['-h DEVICE'],
    options: {
      header: { short: 'h', shortOnly: true, about: 'only the superblock: there is no other way yet' },
    },
  },
  async (tool, { options, operands }) => {
    const path = onlyDevice(operands);
    if (!options.header) throw new Failure('only the superblock can be printed: use -h', 1, true);
    await tool.out(onDevice(tool, path, false, 1, (disk) => info(disk).text));
    return undefined;
  },
);

/** Tags of what is on a device, or undefined. */
function tagsOf(tool: Tool, path: string): Map<string, string> | undefined {
  try {
    return onDevice(tool, path, false, 2, (disk) => {
      const { label, uuid, blockSize, type } = info(disk);
      const tags: [string, string][] = label === '' ? [] : [['LABEL', label]];
      return new Map([...tags, ['UUID', uuid], ['BLOCK_SIZE', `${blockSize}`], ['TYPE', type]]);
    });
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

function allDisks(tool: Tool): string[] {
  const names = tool.fs.readdirSync('/dev').filter((name) => /^vbd\d+(p\d+)?$/.test(name));
  return names.sort().map((name) => `/dev/${name}`);
}

export const blkid = command(
  {
    summary: 'locate and print the attributes of block devices',
    usage: ['[OPTION]... [DEVICE]...'],
    options: {
      match: {
        short: 's',
        also: ['match-tag'],
        shortOnly: true,
        value: 'TAG',
        many: true,
        about: 'show only this tag',
      },
      output: { short: 'o', value: 'FORMAT', about: 'full, value, export or device' },
      probe: { short: 'p', about: 'accepted: devices are always looked at' },
    },
    exits: { 0: 'something was found', 2: 'nothing was', 4: 'usage error' },
    usageStatus: 4,
  },
  async (tool, { options, operands }) => {
    const format = options.output ?? 'full';
    if (!['full', 'value', 'export', 'device'].includes(format))
      throw new Failure(`unsupported output format ${format}`, 4, true);
    let found = 0;
    for (const path of operands.length > 0 ? operands : allDisks(tool)) {
      const tags = tagsOf(tool, path);
      const shown = [...(tags ?? [])].filter(
        ([tag]) => options.match.length === 0 || options.match.includes(tag),
      );
      if (shown.length === 0) continue;
      found++;
      if (format === 'device') await tool.out(`${path}\n`);
      else if (format === 'value') await tool.out(shown.map(([, value]) => `${value}\n`).join(''));
      else if (format === 'export')
        await tool.out(`DEVNAME=${path}\n${shown.map(([tag, value]) => `${tag}=${value}\n`).join('')}`);
      else await tool.out(`${path}: ${shown.map(([tag, value]) => `${tag}="${value}"`).join(' ')}\n`);
    }
    return found > 0 ? 0 : 2;
  },
);
