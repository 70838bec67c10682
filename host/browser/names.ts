/** The functions of a worker's objects that a page can call, by name. */

/** FileHandle's. */
export const FILE_CALLS = [
  'appendFile',
  'chmod',
  'chown',
  'close',
  'datasync',
  'read',
  'readFile',
  'readLines',
  'readv',
  'stat',
  'sync',
  'truncate',
  'utimes',
  'write',
  'writeFile',
  'writev',
] as const;

/** Dir's. */
export const DIR_CALLS = ['close'] as const;

/**
 * Process's: all but those that give out bare descriptors, for which the promises of fs have no
 * functions.
 */
export const PROCESS_CALLS = [
  'chdir',
  'chroot',
  'copyFileRange',
  'cwd',
  'exit',
  'faccessat',
  'fallocate',
  'fchdir',
  'fcntl',
  'fstatat',
  'getLock',
  'getrlimit',
  'getxattr',
  'linkat',
  'listxattr',
  'lseek',
  'mkdirat',
  'mkfifo',
  'mknod',
  'mount',
  'nameToHandle',
  'removexattr',
  'rename2',
  'renameat2',
  'revoke',
  'setCredentials',
  'setrlimit',
  'setxattr',
  'sync',
  'syncfs',
  'umask',
  'umount',
  'unlinkat',
  'utimensat',
] as const;

/** Those that may wait, and what waits for them in the worker: nothing here can block a page. */
export const WAITING_CALLS = { flock: 'flockLater', setLock: 'setLockLater', poll: 'pollLater' } as const;
