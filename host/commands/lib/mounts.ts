/** What is mounted, as /proc tells it. */
import type { Tool } from './command.ts';
import { canonical } from './paths.ts';
import { stat } from './stat.ts';

export interface MountEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

const plain = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));

/** In the order in which they were mounted. @throws SyscallError when there is no /proc */
export function mounts(tool: Tool): MountEntry[] {
  return tool.fs
    .readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source, target, type, options] = line.split(' ').map(plain);
      return { source, target, type, options };
    });
}

/** The mount that a file is on. @throws SyscallError */
export function mountOf(tool: Tool, path: string): MountEntry {
  const full = canonical(tool, path, 'all');
  const { dev } = stat(tool.process, full);
  const above = mounts(tool).filter(
    ({ target }) => target === '/' || full === target || full.startsWith(`${target}/`),
  );
  above.sort((a, b) => a.target.length - b.target.length);
  const sameDevice = above.filter(({ target }) => stat(tool.process, target).dev === dev);
  return (sameDevice.at(-1) ?? above.at(-1)) as MountEntry;
}
