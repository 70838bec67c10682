/** `img ls`, `img cat` and their kin, and `img tar`: the machine's own commands on an image. */
import path from 'node:path';
import { runInside } from './inside.ts';
import { withMounted } from './open.ts';

/** Commands that change nothing, so that the image is opened to be read. */
const READERS: ReadonlySet<string> = new Set(['ls', 'cat', 'tree', 'stat', 'find', 'du', 'tar']);

/** @returns the command's exit code */
export function lookCommand(name: string, image: string, words: readonly string[]): Promise<number> {
  const writes =
    !READERS.has(name) || words.some((word) => name === 'find' && /^-(delete|exec|ok)/.test(word));
  return withMounted(image, writes, {}, async ({ machine, interruption }) => {
    const code = await runInside(machine, [name, ...words]);
    if (interruption.signal.aborted && writes)
      throw interruption.error(`${name}: what it did in ${image} until then stays`);
    return code;
  });
}

export function tarCommand(image: string, tree: string): Promise<number> {
  const { dir, base } = split(tree);
  return lookCommand('tar', image, ['-c', '--xattrs', '-C', dir, base]);
}

/** The root is archived as ".", anything else under its own name. */
function split(tree: string): { dir: string; base: string } {
  const whole = path.posix.resolve('/', tree);
  return whole === '/'
    ? { dir: '/', base: '.' }
    : { dir: path.posix.dirname(whole), base: path.posix.basename(whole) };
}
