import type { KnownDifferences } from './contract.ts';

function forBoth(title: (who: string) => string, reason: string): [string, string][] {
  return ['root', 'user'].map((who) => [title(who), reason]);
}

const FREE_LINKS = 'a further name of a file takes no inode; Linux counts one so that names cost memory';
const COPIES_ACROSS = 'the copy is made through the kernel’s own pages; Linux leaves it to the program';
const NO_DOT_DOT = 'rmdir removes dot-dot with the directory, as POSIX has it; Linux keeps its parent';

/** Where the kernel’s tmpfs differs from Linux’s and is right. */
export const tmpfsDifferences: KnownDifferences = Object.fromEntries([
  ...forBoth((who) => `link ENOSPC ${who}: no inode is left`, FREE_LINKS),
  ...forBoth((who) => `linkat ENOSPC ${who}: no inode is left`, FREE_LINKS),
  ...forBoth((who) => `copyFileRange EXDEV ${who}: to another file system`, COPIES_ACROSS),
  ...forBoth((who) => `names ${who}: a removed working directory still has a dot-dot`, NO_DOT_DOT),
]);
