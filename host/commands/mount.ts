/** mount and umount. */
import {
  AT_FDCWD,
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  O_DIRECTORY,
  O_RDONLY,
  S_IFBLK,
  S_IFMT,
} from '../../assembly/abi/flags.ts';
import { EBUSY, EINVAL, EIO, ENODEV, ENOENT, ENOSPC, ENOTBLK, EPERM } from '../../assembly/abi/errno.ts';
import { command, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { mounts } from './lib/mounts.ts';
import { canonical } from './lib/paths.ts';
import { tryStat } from './lib/stat.ts';

/** Options that are flags: what they set, what they clear. */
const FLAGS: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [MS_RDONLY, 0],
  rw: [0, MS_RDONLY],
  nosuid: [MS_NOSUID, 0],
  suid: [0, MS_NOSUID],
  nodev: [MS_NODEV, 0],
  dev: [0, MS_NODEV],
  noexec: [MS_NOEXEC, 0],
  exec: [0, MS_NOEXEC],
  sync: [MS_SYNCHRONOUS, 0],
  async: [0, MS_SYNCHRONOUS],
  noatime: [MS_NOATIME, MS_RELATIME | MS_STRICTATIME],
  atime: [0, MS_NOATIME],
  relatime: [MS_RELATIME, MS_NOATIME | MS_STRICTATIME],
  norelatime: [0, MS_RELATIME],
  strictatime: [MS_STRICTATIME, MS_RELATIME | MS_NOATIME],
  remount: [MS_REMOUNT, 0],
  bind: [MS_BIND, 0],
  rbind: [MS_BIND | MS_REC, 0],
  defaults: [0, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS],
};

interface Wanted {
  readonly flags: number;
  /** For the file system itself. */
  readonly data: string;
}

/** @param flags  those there are already */
function wantedOf(lists: readonly string[], flags: number): Wanted {
  let result = flags;
  const data: string[] = [];
  for (const word of lists.flatMap((list) => list.split(',')).filter((text) => text !== '')) {
    if (Object.hasOwn(FLAGS, word)) result = (result & ~FLAGS[word][1]) | FLAGS[word][0];
    else data.push(word);
  }
  return { flags: result, data: data.join(',') };
}

const OWN_FLAGS =
  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

/** What a call that failed with ENOENT did not find: mount(8) looks at the target first. */
function missing(tool: Tool, source: string, target: string): string {
  const isSource = source.startsWith('/') && tryStat(tool.process, target) !== undefined;
  return isSource && tryStat(tool.process, source) === undefined
    ? `special device ${source} does not exist.`
    : 'mount point does not exist.';
}

const WHY: ReadonlyMap<number, (source: string, target: string, type: string) => string> = new Map([
  [EPERM, () => 'must be superuser to use mount.'],
  [ENODEV, (_s: string, _t: string, type: string) => `unknown filesystem type '${type}'.`],
  [EBUSY, () => 'mount point is busy.'],
  [ENOTBLK, (source: string) => `${source} is not a block device.`],
  [
    EINVAL,
    (source: string, target: string) =>
      `wrong fs type, bad option, bad source ${source}, or ${target} is not a mount point.`,
  ],
]);

/** What a source is mounted as when nobody says: a disk has an ext4, anything else a tmpfs. */
function typeOf(tool: Tool, source: string): string {
  const info = tryStat(tool.process, source);
  // A device that is not there is no tmpfs: mounting it says what is wrong.
  const isDisk = info === undefined ? source.startsWith('/dev/') : (info.mode & S_IFMT) === S_IFBLK;
  return isDisk ? 'ext4' : 'tmpfs';
}

async function list(tool: Tool, type: string | undefined): Promise<void> {
  for (const entry of mounts(tool)) {
    if (type !== undefined && !type.split(',').includes(entry.type)) continue;
    await tool.out(`${entry.source} on ${entry.target} type ${entry.type} (${entry.options})\n`);
  }
}

/** A remount changes what is named and keeps the rest. */
function flagsOf(tool: Tool, target: string): number {
  const full = canonical(tool, target, 'all');
  const entry = mounts(tool).findLast((mount) => mount.target === full);
  return entry === undefined ? 0 : wantedOf([entry.options], 0).flags & OWN_FLAGS;
}

export const mount = command(
  {
    summary: 'mount a file system, or list what is mounted',
    usage: [
      '[-l] [-t TYPE]',
      '[OPTION]... -t TYPE SOURCE TARGET',
      '[OPTION]... --bind SOURCE TARGET',
      '-o remount[,OPTIONS] TARGET',
    ],
    options: {
      all: { short: 'l', shortOnly: true, about: 'list what is mounted' },
      bind: { short: 'B', about: 'mount a subtree somewhere else' },
      rbind: { short: 'R', about: 'mount a subtree and all submounts somewhere else' },
      options: { short: 'o', value: 'LIST', many: true, about: 'comma-separated list of mount options' },
      'read-only': { short: 'r', about: 'mount the filesystem read-only (same as -o ro)' },
      'read-write': { short: 'w', also: ['rw'], about: 'mount the filesystem read-write (default)' },
      types: {
        short: 't',
        value: 'TYPE',
        about: 'limit the listing, or the type of the file system to mount',
      },
      verbose: { short: 'v', about: 'say what is being done' },
    },
    details: [
      `Options: ${Object.keys(FLAGS).join(' ')}, and those of the file system (tmpfs: size, nr_inodes, mode, uid, gid; ext4: commit, data, errors, noload …). Without -t a disk is mounted as ext4, anything else as a tmpfs.`,
    ],
    exits: { 0: 'success', 1: 'incorrect invocation or permissions', 32: 'mount failure' },
  },
  async (tool, { options, operands }) => {
    if (operands.length === 0) {
      await list(tool, options.types);
      return undefined;
    }
    const words = [...options.options];
    if (options.bind) words.push('bind');
    if (options.rbind) words.push('rbind');
    if (options['read-only']) words.push('ro');
    const named = wantedOf(words, 0);
    const isRemount = (named.flags & MS_REMOUNT) !== 0;
    const isBind = (named.flags & MS_BIND) !== 0;
    const target = operands.at(-1) as string;
    const source = operands.length === 1 ? 'none' : operands[0];
    if (operands.length > 2) throw new Failure('bad usage', 1, true);
    if (operands.length === 1 && !isRemount) throw new Failure(`${target}: can't find in /etc/fstab.`, 1);
    const type = options.types ?? (isRemount || isBind ? 'none' : typeOf(tool, source));
    try {
      const wanted = isRemount ? wantedOf(words, flagsOf(tool, target)) : named;
      tool.process.mount(
        source,
        target,
        type === 'none' ? '' : type,
        wanted.flags & ~(isBind && !isRemount ? MS_RDONLY : 0),
        wanted.data,
      );
      // A new bind mount takes its flags by a remount, as on Linux.
      if (isBind && !isRemount && wanted.flags & (OWN_FLAGS & ~MS_RELATIME)) {
        tool.process.mount(source, target, '', (wanted.flags & ~MS_REC) | MS_REMOUNT, '');
      }
    } catch (error) {
      const errno = errnoOf(error);
      const why =
        errno === ENOENT
          ? missing(tool, source, target)
          : (WHY.get(errno)?.(source, target, type) ?? `${strerror(error)}.`);
      await tool.warn(`${target}: ${why}`, 32);
      return undefined;
    }
    if (options.verbose) await tool.out(`mount: ${source} mounted on ${target}.\n`);
    return undefined;
  },
);

export const umount = command(
  {
    summary: 'unmount file systems',
    usage: ['[OPTION]... TARGET...'],
    options: {
      all: { short: 'a', about: 'unmount all filesystems but the root, /proc and /dev' },
      force: { short: 'f', about: 'force unmount: open files give errors from now on' },
      lazy: { short: 'l', about: 'detach the filesystem now, clean up things later' },
      recursive: { short: 'R', about: 'recursively unmount a target with all its children' },
      types: { short: 't', value: 'LIST', about: 'limit -a to these filesystem types' },
      verbose: { short: 'v', about: 'say what is being done' },
    },
    exits: { 0: 'success', 1: 'incorrect invocation or permissions', 32: 'unmount failure' },
  },
  async (tool, { options, operands }) => {
    const flags = (options.force ? MNT_FORCE : 0) | (options.lazy ? MNT_DETACH : 0);
    let targets: string[] = [...operands];
    if (options.all) {
      targets = mounts(tool)
        .filter(
          ({ target, type }) =>
            !['/', '/proc', '/dev'].includes(target) &&
            (options.types === undefined || options.types.split(',').includes(type)),
        )
        .map(({ target }) => target)
        .reverse();
    } else if (operands.length === 0) throw new Failure('bad usage', 1, true);
    for (const target of targets) {
      for (const path of options.recursive ? below(tool, target) : [target])
        await unmount(tool, path, flags, options.verbose);
    }
    return undefined;
  },
);

/** Mounts at and below a place, the deepest first. */
function below(tool: Tool, target: string): string[] {
  const full = canonical(tool, target, 'all');
  return mounts(tool)
    .map((entry) => entry.target)
    .filter((path) => path === full || path.startsWith(`${full}/`))
    .reverse();
}

/** Write what is to be written while it can be told whether that goes well: umount(2) says nothing of it. */
async function write(tool: Tool, target: string): Promise<void> {
  let fd = -1;
  try {
    fd = tool.process.openat(AT_FDCWD, target, O_RDONLY | O_DIRECTORY);
    tool.process.syncfs(fd);
  } catch (error) {
    if (errnoOf(error) === EIO || errnoOf(error) === ENOSPC)
      await tool.warn(`${target}: not all could be written: ${strerror(error)}.`, 32);
  } finally {
    if (fd >= 0) tool.process.close(fd);
  }
}

async function unmount(tool: Tool, target: string, flags: number, verbose: boolean): Promise<void> {
  if ((flags & MNT_DETACH) === 0 && mounts(tool).some((entry) => entry.target === target))
    await write(tool, target);
  try {
    tool.process.umount(target, flags);
  } catch (error) {
    const why: Record<number, string> = {
      [EPERM]: 'must be superuser to unmount.',
      [EINVAL]: 'not mounted.',
      [EBUSY]: 'target is busy.',
      [ENOENT]: 'no mount point specified.',
    };
    await tool.warn(`${target}: ${why[errnoOf(error)] ?? `${strerror(error)}.`}`, 32);
    return;
  }
  if (verbose) await tool.out(`umount: ${target} unmounted\n`);
}
