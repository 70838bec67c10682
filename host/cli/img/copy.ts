/** `img put` and `img get`: trees copied into an image and out of it, named as `cp -a` names them. */
import fs from 'node:fs';
import path from 'node:path';
import { copyIn, MachineFullError } from '../../hostfiles/copyin.ts';
import { copyOut } from '../../hostfiles/copyout.ts';
import { type CopyResult, codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { scanTree, type Tree } from '../../hostfiles/scan.ts';
import type { NodeFs } from '../../index.ts';
import { CommandError, EXIT_FAILED, EXIT_OK } from '../errors.ts';
import type { Interruption } from '../interrupt.ts';
import { detail, meter, warn } from '../output.ts';
import { reportCopy } from '../report.ts';
import { formatBytes, formatCount, formatMs } from '../values.ts';
import { fullError } from './full.ts';
import { parseImage } from './image.ts';
import { type ImageOptions, withMounted } from './open.ts';

export interface CopyOptions extends ImageOptions {
  /** Make the directories on the way to the target. */
  parents?: boolean;
}

/** What is copied where, in words. */
interface Copy {
  readonly from: string;
  readonly to: string;
  /** How many names. */
  readonly total: number;
  readonly interruption: Interruption;
  /** Is what was written on the image? */
  readonly arrived?: () => boolean;
}

/** Copy `source` of the host to `target` in the image. @returns the exit code */
export async function putCommand(
  image: string,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<number> {
  let tree: Tree;
  try {
    const without = [path.resolve(parseImage(image).file)];
    tree = await scanTree(fs, Buffer.from(path.resolve(source)), { without });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot read ${source}: ${reasonOf(error)}`);
  }
  return withMounted(image, true, options, async ({ machine, process, interruption }) => {
    const name = path.basename(path.resolve(source));
    const to = nameAsCp(process.fs, absolute(target), name, options, `${image}:`);
    const { totals, entries } = tree;
    const progress = await meter('copying', entries.length - totals.directories, totals.bytes);
    const arrived = () => {
      process.sync();
      return machine.disks.every(({ stats }) => stats.errors === 0);
    };
    const copy = { from: source, to: `${image}:${to}`, total: entries.length, interruption, arrived };
    return told(copy, async () => {
      try {
        return await copyIn(process, tree, to, progress, { signal: interruption.signal });
      } catch (error) {
        if (!(error instanceof MachineFullError)) throw error;
        const at = error.path.toString();
        const what = `${path.join(source, at)} to ${image}:${path.posix.join(to, at)}`;
        const copied = `${error.result.entries} of ${formatCount(entries.length, 'name')} were copied`;
        throw fullError(process.fs, image, error, `${what} was not copied`, copied);
      } finally {
        progress.stop();
      }
    });
  });
}

/** Copy `source` in the image to `target` on the host. @returns the exit code */
export async function getCommand(
  image: string,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<number> {
  return withMounted(image, false, options, async ({ process, interruption }) => {
    const from = path.posix.resolve('/', source);
    let tree: Tree;
    try {
      tree = await scanTree(process.fs, Buffer.from(from));
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      throw new CommandError(`cannot read ${source} in ${image}: ${reasonOf(error)}`);
    }
    const given = target.endsWith('/') ? `${path.resolve(target)}/` : path.resolve(target);
    const to = nameAsCp(fs, given, path.posix.basename(from), options, '');
    const { totals, entries } = tree;
    const progress = await meter('copying', entries.length - totals.directories, totals.bytes);
    const copy = { from: `${image}:${from}`, to, total: entries.length, interruption };
    return told(copy, async () => {
      try {
        return await copyOut(process, tree, to, progress, interruption.signal);
      } finally {
        progress.stop();
      }
    });
  });
}

/**
 * Into a directory that is there under its own name, otherwise as that name. A name that ends in a slash is
 * a directory that is there, and so is what a name lies in.
 * @throws CommandError
 */
function nameAsCp(
  files: Pick<NodeFs, 'statSync' | 'mkdirSync'>,
  target: string,
  name: string,
  { parents = false }: CopyOptions,
  where: string,
): string {
  const isDirectory = (path: string) => files.statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const wanted = target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : path.dirname(target);
  if (!isDirectory(wanted)) {
    if (!parents)
      throw new CommandError(`there is no directory ${where}${wanted} (--parents makes what is missing)`);
    try {
      files.mkdirSync(wanted, { recursive: true });
    } catch (error) {
      throw new CommandError(`cannot make the directory ${where}${wanted}: ${reasonOf(error)}`);
    }
  }
  const plain = target.replace(/(?<=.)\/$/, '');
  return isDirectory(plain) && name !== '' ? path.posix.join(plain, name) : plain;
}

/** From the root; a slash at the end stays, and says that a directory is meant. */
function absolute(name: string): string {
  const whole = path.posix.resolve('/', name);
  return whole !== '/' && /\/\.?$/.test(name) ? `${whole}/` : whole;
}

async function told(
  { from, to, total, interruption, arrived = () => true }: Copy,
  copy: () => Promise<CopyResult>,
): Promise<number> {
  const started = performance.now();
  const result = await copy();
  const good = reportCopy(result, 'not copied', (at) => `${path.join(from, at)} to ${path.join(to, at)}`);
  if (result.stopped) {
    const done = `${result.entries} of ${formatCount(total, 'name')} were copied`;
    throw interruption.error(`${from} to ${to}: ${done}, and are there`);
  }
  if (!arrived()) {
    // What the disk said follows, when it is closed.
    warn(`${from} to ${to}: not all of it could be written to the image: remove it, or have it checked`);
    return EXIT_FAILED;
  }
  const took = formatMs(performance.now() - started);
  detail(`${from} to ${to}: ${formatCount(result.entries, 'name')}, ${formatBytes(result.bytes)} in ${took}`);
  return good ? EXIT_OK : EXIT_FAILED;
}
