/** Attributes that a copy takes along, and times given to utimensat. */
import { ENODATA, EOPNOTSUPP, EPERM } from '../../../assembly/abi/errno.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../../assembly/abi/flags.ts';
import type { Tool } from './command.ts';
import { errnoOf } from './errors.ts';
import { quoted } from './quote.ts';
import { type Info, isLink } from './stat.ts';

/** What --preserve names. */
export interface Preserve {
  mode: boolean;
  ownership: boolean;
  timestamps: boolean;
  links: boolean;
  xattr: boolean;
}

export const NOTHING: Preserve = {
  mode: false,
  ownership: false,
  timestamps: false,
  links: false,
  xattr: false,
};

const ID_BITS = 0o6000;

/** Extended attributes of one file given to another. */
function copyXattrs(tool: Tool, from: string, to: string, required: boolean): void {
  const { process } = tool;
  let names: string[];
  try {
    names = process.listxattr(from, false);
  } catch (error) {
    if (errnoOf(error) === EOPNOTSUPP && !required) return;
    throw error;
  }
  for (const name of names) {
    try {
      process.setxattr(to, name, process.getxattr(from, name, false), 0, false);
    } catch (error) {
      // Not for this user, or taken away meanwhile.
      if (required || ![EPERM, EOPNOTSUPP, ENODATA].includes(errnoOf(error))) throw error;
    }
  }
}

/** Give a copy its original's attributes. Failures are said; the copy stays. */
export async function preserveAttributes(
  tool: Tool,
  from: string,
  info: Info,
  to: string,
  keep: Preserve,
  requireXattrs = false,
): Promise<void> {
  const { process, fs } = tool;
  try {
    let mode = info.mode & 0o7777;
    if (keep.xattr) copyXattrs(tool, from, to, requireXattrs);
    if (keep.ownership) {
      try {
        fs.lchownSync(to, info.uid, info.gid);
      } catch (error) {
        if (errnoOf(error) !== EPERM) throw error;
        // Who cannot give a file away must not make it run as somebody else either.
        mode &= ~ID_BITS;
      }
    }
    if (keep.mode && !isLink(info)) fs.chmodSync(to, mode);
    if (keep.timestamps) process.utimensat(AT_FDCWD, to, info.atime, info.mtime, AT_SYMLINK_NOFOLLOW);
  } catch (error) {
    await tool.failed(`preserving attributes of ${quoted(to)}`, error);
  }
}
