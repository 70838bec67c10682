/**
 * Bugs to plant: each an edit of one kernel source, such as a tired programmer makes. They exist
 * in this list alone. `make planted` builds a kernel with one of them at a time (variant.ts) and
 * shows that the model test finds it.
 */
export interface Bug {
  name: string;
  /** What goes wrong. */
  effect: string;
  /** The source, from the repository's root. */
  file: string;
  /** The lines that are changed, which stand there exactly once. */
  from: string;
  to: string;
}

const lines = (...list: string[]): string => list.join('\n');

export const BUGS: readonly Bug[] = [
  {
    name: 'rename-ctime',
    effect: 'rename leaves the ctime of what it renames as it was',
    file: 'assembly/fs/tmpfs/vnops.ts',
    from: lines('  fscacheTouchCtime(vp.v_fc);', '  fscacheTouch(fdvp.v_fc);'),
    to: '  fscacheTouch(fdvp.v_fc);',
  },
  {
    name: 'moved-directory-links',
    effect: 'a directory that moves to another parent is not counted in that one’s links',
    file: 'assembly/fs/tmpfs/vnops.ts',
    from: lines('  linksAdd(from, -1);', '  linksAdd(to, 1);'),
    to: '  linksAdd(from, -1);',
  },
  {
    name: 'append-position',
    effect: 'O_APPEND writes at the end only while the descriptor stands at 0',
    file: 'assembly/vfs/defaults.ts',
    from: 'if (ioflag & IO_APPEND) uio.uio_off',
    to: 'if (ioflag & IO_APPEND && uio.uio_off == 0) uio.uio_off',
  },
  {
    name: 'truncate-stale-bytes',
    effect: 'truncation leaves old bytes in the last page, which show when the file grows again',
    file: 'assembly/vfs/fscache.ts',
    from: lines('    fscacheZero(fc, size, ((size + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1)) - size);', '  }'),
    to: '  }',
  },
  {
    name: 'readdir-skips',
    effect: 'a listing skips the entry behind one that was removed',
    file: 'assembly/fs/tmpfs/vnops.ts',
    from: lines('      rd.rd_cookie = i + 1 + READDIR_FIRST;', '      continue;'),
    to: lines('      rd.rd_cookie = i + 1 + READDIR_FIRST;', '      i++;', '      continue;'),
  },
  {
    name: 'group-class',
    effect: 'members of the group also get what is granted to everybody else',
    file: 'assembly/vfs/access.ts',
    from: 'else if (credInGroup(cred, va.va_gid)) bits = (mode >> 3) & 7;',
    to: 'else if (credInGroup(cred, va.va_gid)) bits |= (mode >> 3) & 7;',
  },
  {
    name: 'seek-data-boundary',
    effect: 'SEEK_DATA from within a page of data goes on to the next one',
    file: 'assembly/vfs/fscache.ts',
    from: lines(
      'export function fscacheSeekData(fc: Fscache, off: u64): i64 {',
      '  const pg = fscacheNextPage(fc, <u32>(off >> PAGE_SHIFT));',
    ),
    to: lines(
      'export function fscacheSeekData(fc: Fscache, off: u64): i64 {',
      '  const pg = fscacheNextPage(fc, <u32>((off + PAGE_SIZE - 1) >> PAGE_SHIFT));',
    ),
  },
  {
    name: 'mknod-umask',
    effect: 'mknod ignores the umask',
    file: 'assembly/sys/names.ts',
    from: '  const va = newAttr(nl.nl_dvp, type, mode);',
    to: lines('  const va = newAttr(nl.nl_dvp, type, mode);', '  va.va_mode = type | (mode & 0o7777);'),
  },
  {
    name: 'xattr-create',
    effect: 'setxattr replaces a value although XATTR_CREATE was given',
    file: 'assembly/fs/tmpfs/xattr.ts',
    from: '  if (changetype<usize>(xa) != 0 && xflags & XATTR_CREATE) return -EEXIST;\n',
    to: '',
  },
  {
    name: 'stale-name',
    effect: 'after a rename over a file the namecache still leads from the old name to what was replaced',
    file: 'assembly/vfs/nametree.ts',
    from: lines('  if (spare) {', '    cacheClearVp(tncp);'),
    to: '  if (spare) {',
  },
  {
    name: 'flock-upgrade',
    effect: 'a shared flock is upgraded although others share it',
    file: 'assembly/vfs/advlock.ts',
    from: 'const blocked = !same && q.lr_type',
    to: 'const blocked = !same && old == 0 && q.lr_type',
  },
  {
    name: 'write-keeps-setgid',
    effect: 'a write by other than root takes setuid away and leaves setgid',
    file: 'assembly/sys/attr.ts',
    from: 'return (vp.v_fc.fc_attr.va_mode & (S_ISUID | S_ISGID)) != 0 &&',
    to: 'return (vp.v_fc.fc_attr.va_mode & S_ISUID) != 0 &&',
  },
];
