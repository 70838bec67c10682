import type { KnownDifferences } from './contract.ts';

function forBoth(title: (who: string) => string, reason: string): [string, string][] {
  return ['root', 'user'].map((who) => [title(who), reason]);
}

const FREE_LINKS = 'a further name of a file takes no inode; Linux counts one so that names cost memory';
const COPIES_ACROSS = 'the copy is made through the kernel’s own pages; Linux leaves it to the program';
const NO_DOT_DOT = 'rmdir removes dot-dot with the directory, as POSIX has it; Linux keeps its parent';

const ONE_BLOCK =
  'attributes of a file are in its inode and one block, as Linux’s ext4 has them without ea_inode';
const NO_UNWRITTEN = 'block maps have no unwritten blocks, so fallocate is EOPNOTSUPP, as on Linux';
const TABLES = 'a disk has its own size, and holds the tables of its file system as well';
const SHORT_LINKS = 'the text of a symlink is in one block, so it is shorter than 1 KiB here, as on Linux’s';

/** Where the kernel’s tmpfs differs from Linux’s and is right. */
export const tmpfsDifferences: KnownDifferences = Object.fromEntries([
  ...forBoth((who) => `link ENOSPC ${who}: no inode is left`, FREE_LINKS),
  ...forBoth((who) => `linkat ENOSPC ${who}: no inode is left`, FREE_LINKS),
  ...forBoth((who) => `copyFileRange EXDEV ${who}: to another file system`, COPIES_ACROSS),
  ...forBoth((who) => `names ${who}: a removed working directory still has a dot-dot`, NO_DOT_DOT),
]);

/** Where the kernel’s ext4 differs and is right. */
export const ext4Differences: KnownDifferences = {
  ...tmpfsDifferences,
  ...Object.fromEntries(forBoth((who) => `attributes ${who}: a value of 64 KiB`, ONE_BLOCK)),
  ...Object.fromEntries(
    forBoth((who) => `descriptors ${who}: statfs tells the size that was asked for`, TABLES),
  ),
};

/** ext2, with blocks of 1 KiB. */
export const ext2Differences: KnownDifferences = {
  ...ext4Differences,
  ...Object.fromEntries([
    ...forBoth((who) => `data ${who}: fallocate grows the file, keep-size does not`, NO_UNWRITTEN),
    ...forBoth(
      (who) => `times ${who}: fallocate marks the change, and the modification when it grows`,
      NO_UNWRITTEN,
    ),
    ...forBoth((who) => `fallocate ENOSPC ${who}: more than the file system has`, NO_UNWRITTEN),
    ['modes user: a user’s fallocate clears them', NO_UNWRITTEN],
  ]),
  ...Object.fromEntries(
    forBoth(
      (who) => `names ${who}: a symlink’s size is its target’s length, its text is kept as it is`,
      SHORT_LINKS,
    ),
  ),
};

const NO_MOUNT_TOLD = 'FUSE does not tell by which of its mounts a file is read';
const CLOSED_LATER = 'Linux closes a file of FUSE’s a moment after close(2), and knows it till then';
const ASKER_TOLD = 'Linux tells a FUSE server of an open file description’s lock who asked for it';

/** A mounted machine, by way of Linux. */
export const fuseDifferences: KnownDifferences = Object.fromEntries([
  ...forBoth((who) => `times ${who}: a read-only mount keeps the access`, NO_MOUNT_TOLD),
  ...forBoth((who) => `locks ${who}: F_GETLK calls an open file description’s lock pid -1`, ASKER_TOLD),
  ['openByHandleAt ESTALE root: the file is gone', CLOSED_LATER],
]);

/** One that serves an ext4. */
export const fuseExt4Differences: KnownDifferences = {
  ...fuseDifferences,
  ...Object.fromEntries(forBoth((who) => `attributes ${who}: a value of 64 KiB`, ONE_BLOCK)),
};
