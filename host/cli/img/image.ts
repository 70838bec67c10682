/** Images as the command line names them. */
import fs from 'node:fs';
import { FileDisk } from '../../devices/node/file.ts';
import { codeOf, reasonOf } from '../../hostfiles/entry.ts';
import { CommandError, EXIT_USAGE } from '../errors.ts';

const PARTITION_MAX = 15;

/** IMG, or IMG#2 for its second partition. */
export interface ImageName {
  readonly file: string;
  /** 0: the whole disk. */
  readonly partition: number;
}

export function parseImage(text: string): ImageName {
  const how = /:(ro|scratch)$/.exec(text)?.[1];
  if (how !== undefined && !fs.existsSync(text))
    throw new CommandError(
      `${text}: :${how} is for boot --disk; here an image is only opened for writing by what writes`,
      EXIT_USAGE,
    );
  const match = /^(.+)#(\d+)$/.exec(text);
  if (match === null) return { file: text, partition: 0 };
  const partition = Number(match[2]);
  if (partition < 1 || partition > PARTITION_MAX)
    throw new CommandError(`${text}: partitions are numbered from 1 to ${PARTITION_MAX}`, EXIT_USAGE);
  return { file: match[1], partition };
}

/** @throws CommandError that says what is wrong with the file */
export function openImage(file: string, readOnly: boolean): FileDisk {
  try {
    return FileDisk.open(file, { readOnly });
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (error instanceof RangeError && fs.statSync(file).isFile())
      throw new CommandError(
        `cannot open ${file}: it is empty, or less than a sector: too small for a file system`,
      );
    if (code === 'ENOENT' && !fs.existsSync(file))
      throw new CommandError(`cannot open ${file}: there is no such file`);
    if (!readOnly && ['EACCES', 'EPERM', 'EROFS'].includes(code))
      throw new CommandError(`${file} cannot be written: ${reasonOf(error)}`);
    throw new CommandError(`cannot open ${file}: ${reasonOf(error)}`);
  }
}
