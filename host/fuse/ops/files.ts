/** Opening and closing files. A file handle is a descriptor of the server's process. */
import { EACCES, EBADF, EINVAL, ENFILE } from '../../../assembly/abi/errno.ts';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  O_ACCMODE,
  O_CREAT,
  O_DSYNC,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  X_OK,
} from '../../../assembly/abi/flags.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';
import { nameAt, putEntry } from './lookup.ts';

/**
 * The flags that mean something here. O_APPEND does not: Linux says where each write goes, and one out of its
 * page cache may come by a file that was opened to append.
 */
const OPEN_FLAGS = O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC | O_NOATIME;
/** Linux opens a file to execute it: that asks for X_OK and not for R_OK. */
const FMODE_EXEC = 0x20;

function openOut(server: Server, at: number, fd: number, id: number): void {
  const { answer, nodes } = server;
  answer.put64(at + fuse.OPEN_OUT_FH, fd);
  answer.put32(
    at + fuse.OPEN_OUT_FLAGS,
    nodes.lasting(id) ? fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_PARALLEL_DIRECT_WRITES : fuse.FOPEN_DIRECT_IO,
  );
  answer.put32(at + fuse.OPEN_OUT_FLAGS + 4, 0);
}

/** With Linux's cache of writes it reads what it writes only a part of: also from a file opened to write. */
function toWriteBack(server: Server, flags: number): number {
  return server.options.writebackCache && (flags & O_ACCMODE) === O_WRONLY
    ? (flags & ~O_ACCMODE) | O_RDWR
    : flags;
}

export function open(server: Server, request: Request): number {
  if (server.files.full) return -ENFILE;
  const { exports, nodes, files } = server;
  const id = request.nodeid;
  const place = nodes.fd(id);
  if (place < 0) return place;
  const asked = request.u32(fuse.OPEN_IN_FLAGS);
  const flags = asked & OPEN_FLAGS;
  let fd: number;
  if (asked & FMODE_EXEC) {
    const allowed = exports.sys_faccessat(place, 0, X_OK, AT_EMPTY_PATH | AT_EACCESS);
    if (allowed < 0) return allowed;
    server.callers.root();
    fd = exports.sys_reopen(place, flags);
  } else {
    fd = exports.sys_reopen(place, toWriteBack(server, flags));
    if (fd === -EACCES && toWriteBack(server, flags) !== flags) fd = openToWriteBack(server, place, flags);
  }
  if (fd < 0) return fd;
  files.add(fd, id, false);
  openOut(server, 0, fd, id);
  return fuse.OPEN_OUT;
}

/** Who may write and not read: that is found out first, and then the server opens the file to do both. */
function openToWriteBack(server: Server, place: number, flags: number): number {
  const { exports } = server;
  const may = exports.sys_reopen(place, flags);
  if (may < 0) return may;
  exports.sys_close(may);
  server.callers.root();
  return exports.sys_reopen(place, toWriteBack(server, flags & ~O_TRUNC));
}

export function create(server: Server, request: Request): number {
  if (server.files.full) return -ENFILE;
  const { exports, nodes, files } = server;
  const dirfd = nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const length = nameAt(server, request, fuse.CREATE_IN);
  if (length < 0) return length;
  const asked = request.u32(fuse.CREATE_IN_FLAGS);
  const flags = toWriteBack(server, asked & (OPEN_FLAGS | O_EXCL)) | O_CREAT | O_NOFOLLOW;
  const fd = exports.sys_openat(dirfd, length, flags, request.u32(fuse.CREATE_IN_MODE) & 0o7777);
  if (fd < 0) return fd;
  exports.sys_fstat(fd);
  const id = nodes.tell(dirfd, length);
  if (id < 0) {
    exports.sys_close(fd);
    return id;
  }
  files.add(fd, id, false);
  putEntry(server, 0, id);
  openOut(server, fuse.ENTRY_OUT, fd, id);
  return fuse.ENTRY_OUT + fuse.OPEN_OUT;
}

/** A file without a name: until it gets one, a descriptor is all that keeps it. */
export function tmpfile(server: Server, request: Request): number {
  if (server.files.full) return -ENFILE;
  const { exports, nodes, files } = server;
  const dirfd = nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const asked = request.u32(fuse.CREATE_IN_FLAGS);
  const flags = toWriteBack(server, asked & (OPEN_FLAGS | O_EXCL) & ~O_TRUNC) | O_TMPFILE;
  const fd = exports.sys_openat(
    dirfd,
    server.putText1('.'),
    flags,
    request.u32(fuse.CREATE_IN_MODE) & 0o7777,
  );
  if (fd < 0) return fd;
  const pin = exports.sys_reopen(fd, O_PATH);
  if (pin < 0) {
    exports.sys_close(fd);
    return pin;
  }
  exports.sys_fstat(fd);
  const id = nodes.tell(dirfd, 1);
  nodes.unlinked(id, pin);
  files.add(fd, id, false);
  putEntry(server, 0, id);
  openOut(server, fuse.ENTRY_OUT, fd, id);
  return fuse.ENTRY_OUT + fuse.OPEN_OUT;
}

/** Each close(2) by a process: the locks that it had on the file go. */
export function flush(server: Server, request: Request): number {
  const file = server.files.get(request.u64(fuse.FLUSH_IN_FH));
  if (file === undefined) return -EBADF;
  if (server.locks.any) server.locks.closed(request.key(fuse.FLUSH_IN_LOCK_OWNER), file.id);
  return 0;
}

export function release(server: Server, request: Request): number {
  const { files, locks, exports } = server;
  const file = files.get(request.u64(fuse.RELEASE_IN_FH));
  if (file === undefined || file.directory) return -EBADF;
  files.remove(file.fd);
  if (locks.any) {
    locks.fileClosed(file.fd);
    server.enter();
  }
  exports.sys_close(file.fd);
  return 0;
}

export function openFile(server: Server, fh: number, id: number): number {
  const file = server.files.get(fh);
  if (file === undefined || file.directory) return -EBADF;
  // by way of another file's handle: Linux mixes up none
  return file.id === id ? file.fd : -EINVAL;
}
