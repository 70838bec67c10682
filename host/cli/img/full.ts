/** An image that is full, in words: what did not fit, what is there, and how to get a larger one. */
import type { NodeFs } from '../../index.ts';
import { CommandError, EXIT_NO_ROOM } from '../errors.ts';
import { formatBytes } from '../values.ts';

/** @param what  what failed; @param copied  what is in the image all the same */
export function fullError(
  files: Pick<NodeFs, 'statfsSync'>,
  image: string,
  { code, message }: { code?: string; message: string },
  what: string,
  copied: string,
): CommandError {
  const rest = `${what}: ${message}; ${copied}, and are in the image`;
  if (code === 'ENOMEM')
    return new CommandError(
      `the machine that does it is full: ${rest}: give it more RAM with --ram`,
      EXIT_NO_ROOM,
    );
  const { blocks, bsize, files: inodes, ffree } = files.statfsSync('/');
  const [full, larger] =
    ffree === 0
      ? [`has no inodes left of ${inodes}`, '--inodes or --size']
      : [`is full (${formatBytes(blocks * bsize)})`, '--size, or --fit HOSTDIR'];
  return new CommandError(
    `${image} ${full}: ${rest}. damselfly img create makes a larger one: ${larger}`,
    EXIT_NO_ROOM,
  );
}
