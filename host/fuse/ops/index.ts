/** Which operation does what: the table by opcode. */
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';
import { fsync, fsyncdir, syncfs } from './sync.ts';
import { access, getattr, setattr, statx } from './attr.ts';
import { copyFileRange, fallocate, lseek, poll, read, write } from './data.ts';
import { opendir, readdir, readdirplus, releasedir } from './dirs.ts';
import { create, flush, open, release, tmpfile } from './files.ts';
import { batchForget, forget, lookup } from './lookup.ts';
import { getlk, interrupt, setlk, setlkw } from './locks.ts';
import { link, mkdir, mknod, readlink, rename, rename2, rmdir, symlink, unlink } from './names.ts';
import { destroy, init, statfs } from './session.ts';
import { getxattr, listxattr, removexattr, setxattr } from './xattrs.ts';

export interface Operation {
  /** The answer's length, a negated errno, or NO_ANSWER. */
  run(server: Server, request: Request): number;
  /** Bytes that its body has at least. */
  readonly least: number;
  /** It decides something by who asks. */
  readonly asCaller?: boolean;
  readonly changes?: boolean;
  /** It is never answered, not even when it is wrong. */
  readonly silent?: boolean;
  /** It may come before INIT. */
  readonly early?: boolean;
}

const ASKS = { asCaller: true } as const;
const CHANGES = { asCaller: true, changes: true } as const;

export const OPERATIONS: readonly (Operation | undefined)[] = table({
  [fuse.FUSE_INIT]: { run: init, least: fuse.INIT_IN_LEAST, early: true },
  [fuse.FUSE_DESTROY]: { run: destroy, least: 0, early: true },
  [fuse.FUSE_STATFS]: { run: statfs, least: 0 },
  [fuse.FUSE_LOOKUP]: { run: lookup, least: 1, ...ASKS },
  [fuse.FUSE_FORGET]: { run: forget, least: fuse.FORGET_IN, silent: true },
  [fuse.FUSE_BATCH_FORGET]: { run: batchForget, least: fuse.BATCH_FORGET_IN, silent: true },
  [fuse.FUSE_GETATTR]: { run: getattr, least: fuse.GETATTR_IN },
  [fuse.FUSE_STATX]: { run: statx, least: fuse.STATX_IN },
  [fuse.FUSE_SETATTR]: { run: setattr, least: fuse.SETATTR_IN, ...CHANGES },
  [fuse.FUSE_ACCESS]: { run: access, least: fuse.ACCESS_IN, ...ASKS },
  [fuse.FUSE_READLINK]: { run: readlink, least: 0 },
  [fuse.FUSE_SYMLINK]: { run: symlink, least: 2, ...CHANGES },
  [fuse.FUSE_MKNOD]: { run: mknod, least: fuse.MKNOD_IN, ...CHANGES },
  [fuse.FUSE_MKDIR]: { run: mkdir, least: fuse.MKDIR_IN, ...CHANGES },
  [fuse.FUSE_UNLINK]: { run: unlink, least: 1, ...CHANGES },
  [fuse.FUSE_RMDIR]: { run: rmdir, least: 1, ...CHANGES },
  [fuse.FUSE_RENAME]: { run: rename, least: fuse.RENAME_IN, ...CHANGES },
  [fuse.FUSE_RENAME2]: { run: rename2, least: fuse.RENAME2_IN, ...CHANGES },
  [fuse.FUSE_LINK]: { run: link, least: fuse.LINK_IN, ...CHANGES },
  [fuse.FUSE_OPEN]: { run: open, least: fuse.OPEN_IN, ...CHANGES },
  [fuse.FUSE_CREATE]: { run: create, least: fuse.CREATE_IN, ...CHANGES },
  [fuse.FUSE_TMPFILE]: { run: tmpfile, least: fuse.CREATE_IN, ...CHANGES },
  [fuse.FUSE_FLUSH]: { run: flush, least: fuse.FLUSH_IN },
  [fuse.FUSE_RELEASE]: { run: release, least: fuse.RELEASE_IN, changes: true },
  [fuse.FUSE_READ]: { run: read, least: fuse.READ_IN, changes: true },
  [fuse.FUSE_WRITE]: { run: write, least: fuse.WRITE_IN, ...CHANGES },
  [fuse.FUSE_FALLOCATE]: { run: fallocate, least: fuse.FALLOCATE_IN, ...CHANGES },
  [fuse.FUSE_LSEEK]: { run: lseek, least: fuse.LSEEK_IN },
  [fuse.FUSE_COPY_FILE_RANGE]: { run: copyFileRange, least: fuse.COPY_IN, ...CHANGES },
  [fuse.FUSE_POLL]: { run: poll, least: fuse.POLL_IN },
  [fuse.FUSE_FSYNC]: { run: fsync, least: fuse.FSYNC_IN },
  [fuse.FUSE_FSYNCDIR]: { run: fsyncdir, least: fuse.FSYNC_IN },
  [fuse.FUSE_SYNCFS]: { run: syncfs, least: 0 },
  [fuse.FUSE_OPENDIR]: { run: opendir, least: fuse.OPEN_IN, ...ASKS },
  [fuse.FUSE_READDIR]: { run: readdir, least: fuse.READ_IN, changes: true },
  [fuse.FUSE_READDIRPLUS]: { run: readdirplus, least: fuse.READ_IN, ...CHANGES },
  [fuse.FUSE_RELEASEDIR]: { run: releasedir, least: fuse.RELEASE_IN },
  [fuse.FUSE_SETXATTR]: { run: setxattr, least: fuse.SETXATTR_IN, ...CHANGES },
  [fuse.FUSE_GETXATTR]: { run: getxattr, least: fuse.GETXATTR_IN, ...ASKS },
  [fuse.FUSE_LISTXATTR]: { run: listxattr, least: fuse.GETXATTR_IN, ...ASKS },
  [fuse.FUSE_REMOVEXATTR]: { run: removexattr, least: 1, ...CHANGES },
  [fuse.FUSE_GETLK]: { run: getlk, least: fuse.LK_IN },
  [fuse.FUSE_SETLK]: { run: setlk, least: fuse.LK_IN },
  [fuse.FUSE_SETLKW]: { run: setlkw, least: fuse.LK_IN },
  [fuse.FUSE_INTERRUPT]: { run: interrupt, least: fuse.INTERRUPT_IN, silent: true },
});

/** An array without holes: what is not there is `undefined` like everything beyond it. */
function table(by: Readonly<Record<number, Operation>>): readonly (Operation | undefined)[] {
  return Array.from({ length: fuse.FUSE_OPCODES }, (_, opcode) => by[opcode]);
}
