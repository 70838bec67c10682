/** `img put` and `img get`: trees copied into an image and out of it, named as `cp -a` names them. */
import fs from 'node:fs';
import path from 'node:path';
import { copyIn, MachineFullError } from '../../hostfiles/copyin.ts';
import { copyOut } from '../../hostfiles/copyout.ts';
import { type CopyResult, codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { scanTree, type Tree } from '../../hostfiles/scan.ts';
import { CommandError, EXIT_FAILED, EXIT_NO_ROOM, EXIT_OK, EXIT_USAGE } from '../errors.ts';
import { detail, meter } from '../output.ts';
import { reportCopy } from '../report.ts';
import { formatBytes, formatCount, formatMs } from '../values.ts';
import { type ImageOptions, parseImage, withMounted } from './open.ts';

/** Copy `source` of the host to `target` in the image. @returns the exit code */
export async function putCommand(
  image: string,
  source: string,
  target: string,
  options: ImageOptions,
): Promise<number> {
  let tree: Tree;
  try {
    const without = [path.resolve(parseImage(image).file)];
    tree = await scanTree(fs, Buffer.from(path.resolve(source)), { without });
  } catch (error) {
    throw new CommandError(`cannot read ${source}: ${reasonOf(error)}`, EXIT_USAGE);
  }
  return withMounted(image, true, options, async ({ process }) => {
    const to = nameAsCp(absolute(target), path.basename(path.resolve(source)), (name) =>
      process.fs.statSync(name, { throwIfNoEntry: false })?.isDirectory(),
    );
    const { totals, entries } = tree;
    const progress = meter('copying', entries.length - totals.directories, totals.bytes);
    return told(`${source} to ${image}:${to}`, async () => {
      try {
        return await copyIn(process, tree, to, progress);
      } catch (error) {
        if (!(error instanceof MachineFullError)) throw error;
        throw new CommandError(`the image is full: ${error.message}`, EXIT_NO_ROOM);
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
  options: ImageOptions,
): Promise<number> {
  return withMounted(image, false, options, async ({ process }) => {
    const from = absolute(source);
    let tree: Tree;
    try {
      tree = await scanTree(process.fs, Buffer.from(from));
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      throw new CommandError(`cannot read ${source} in ${image}: ${reasonOf(error)}`);
    }
    const to = nameAsCp(path.resolve(target), path.posix.basename(from) || '.', (name) =>
      fs.statSync(name, { throwIfNoEntry: false })?.isDirectory(),
    );
    fs.mkdirSync(path.dirname(to), { recursive: true });
    const { totals, entries } = tree;
    const progress = meter('copying', entries.length - totals.directories, totals.bytes);
    return told(`${image}:${from} to ${to}`, async () => {
      try {
        return await copyOut(process, tree, to, progress);
      } finally {
        progress.stop();
      }
    });
  });
}

/** Into a directory that is there under its own name, otherwise as that name. */
function nameAsCp(target: string, name: string, isDirectory: (path: string) => boolean | undefined): string {
  return isDirectory(target) && name !== '.' && name !== '' ? path.posix.join(target, name) : target;
}

function absolute(name: string): string {
  return path.posix.resolve('/', name);
}

async function told(what: string, copy: () => Promise<CopyResult>): Promise<number> {
  const started = performance.now();
  const result = await copy();
  const took = formatMs(performance.now() - started);
  detail(`${what}: ${formatCount(result.entries, 'name')}, ${formatBytes(result.bytes)} in ${took}`);
  return reportCopy(result, 'not copied') ? EXIT_OK : EXIT_FAILED;
}
