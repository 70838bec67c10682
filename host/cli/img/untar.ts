/** `img untar`: the machine's own tar, watched, so that it can be stopped between two files. */
import path from 'node:path';
import type { ExtractWatch } from '../../commands/tar.ts';
import { codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { CommandError, EXIT_FAILED, EXIT_OK } from '../errors.ts';
import { warn } from '../output.ts';
import { formatCount } from '../values.ts';
import { fullError } from './full.ts';
import { runInside } from './inside.ts';
import { type ImageOptions, withMounted } from './open.ts';

/** @returns the exit code */
export function untarCommand(image: string, target: string, options: ImageOptions): Promise<number> {
  const to = path.posix.resolve('/', target);
  return withMounted(image, true, options, async ({ machine, process, interruption }) => {
    const { signal } = interruption;
    const input = new AbortController();
    signal.addEventListener('abort', () => input.abort(), { once: true });
    let full: { error: unknown; what: string } | undefined;
    let count = 0;
    let failures = 0;
    const watch: ExtractWatch = {
      get stops() {
        return signal.aborted || full !== undefined;
      },
      extracted: () => void count++,
      failed: (member, at, error) => {
        const what = `${member} to ${image}:${path.posix.join(to, at)}`;
        if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'ENOMEM') {
          full ??= { error, what };
          input.abort();
        } else {
          failures++;
          warn(`not unpacked: ${what}: ${reasonOf(error)}`);
        }
        return true;
      },
    };
    try {
      process.fs.mkdirSync(to, { recursive: true });
    } catch (error) {
      throw new CommandError(`cannot make the directory ${image}:${to}: ${reasonOf(error)}`);
    }
    const { tarProgram } = await import('../../commands/tar.ts');
    const code = await runInside(machine, ['tar', '-x', '-p', '--xattrs', '-C', to], {
      program: tarProgram(watch),
      until: input.signal,
    });
    const unpacked = `${formatCount(count, 'member')} were unpacked`;
    if (full !== undefined) {
      const error = { code: codeOf(full.error), message: reasonOf(full.error) };
      throw fullError(process.fs, image, error, `${full.what} was not unpacked`, unpacked);
    }
    if (signal.aborted) throw interruption.error(`untar: ${unpacked} to ${image}:${to}, and are there`);
    return code === EXIT_OK && failures > 0 ? EXIT_FAILED : code;
  });
}
