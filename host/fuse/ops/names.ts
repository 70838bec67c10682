/** Operations that change names: each in directories that are known by their nodes. */
import { EINVAL } from '../../../assembly/abi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_NOFOLLOW,
  O_PATH,
  PATH_MAX,
  RENAME_EXCHANGE,
} from '../../../assembly/abi/flags.ts';
import { SA_DATA, ST_NLINK } from '../../../assembly/abi/layout.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';
import { madeEntry, nameAt } from './lookup.ts';

export function mknod(server: Server, request: Request): number {
  const dirfd = server.nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const length = nameAt(server, request, fuse.MKNOD_IN);
  if (length < 0) return length;
  const mode = request.u32(fuse.MKNOD_IN_MODE);
  const result = server.exports.sys_mknodat(dirfd, length, mode, request.u32(fuse.MKNOD_IN_RDEV));
  return result < 0 ? result : madeEntry(server, dirfd, length);
}

export function mkdir(server: Server, request: Request): number {
  const dirfd = server.nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const length = nameAt(server, request, fuse.MKDIR_IN);
  if (length < 0) return length;
  const result = server.exports.sys_mkdirat(dirfd, length, request.u32(fuse.MKDIR_IN_MODE));
  return result < 0 ? result : madeEntry(server, dirfd, length);
}

export function symlink(server: Server, request: Request): number {
  const dirfd = server.nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const named = request.name(0);
  if (named < 0) return named;
  const length = server.putName2();
  if (request.text(request.afterName) !== 0 || request.nameLength >= PATH_MAX) return -EINVAL;
  const result = server.exports.sys_symlinkat(server.putName1(), dirfd, length);
  if (result < 0) return result;
  request.name(0);
  return madeEntry(server, dirfd, server.putName1());
}

export function link(server: Server, request: Request): number {
  const { nodes, exports } = server;
  const dirfd = nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const fd = nodes.fd(request.u64(fuse.LINK_IN_OLDNODEID));
  if (fd < 0) return fd;
  const named = request.name(fuse.LINK_IN);
  if (named < 0) return named;
  const result = exports.sys_linkat(fd, 0, dirfd, server.putName2(), AT_EMPTY_PATH);
  return result < 0 ? result : madeEntry(server, dirfd, server.putName1());
}

export function readlink(server: Server, request: Request): number {
  const { cpu, answer, nodes, exports } = server;
  const fd = nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const length = exports.sys_readlinkat(fd, 0);
  if (length < 0) return length;
  const at = cpu.area + SA_DATA;
  answer.body.set(cpu.u8.subarray(at, at + length));
  return length;
}

// ── names that go ────────────────────────────────────────────────────────────────────────────

/** A descriptor of the file that is about to lose this name, if Linux knows it; -1: it does not. */
function victim(server: Server, dirfd: number, length: number): number {
  const { exports, nodes } = server;
  if (exports.sys_fstatat(dirfd, length, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  const id = nodes.idOfStat();
  if (id === 0 || !nodes.known(id)) return -1;
  return exports.sys_openat(dirfd, length, O_PATH | O_NOFOLLOW, 0);
}

/** The name is gone, or stayed: without any link left its file is kept for as long as Linux knows it. */
function settle(server: Server, fd: number, gone: boolean): void {
  if (fd < 0) return;
  const { exports, cpu, nodes } = server;
  if (gone && exports.sys_fstat(fd) === 0) {
    if (cpu.f64[(cpu.area + SA_DATA + ST_NLINK) >>> 3] === 0) {
      nodes.unlinked(nodes.idOfStat(), fd);
      return;
    }
  }
  exports.sys_close(fd);
}

function remove(server: Server, request: Request, flags: number): number {
  const dirfd = server.nodes.fd(request.nodeid);
  if (dirfd < 0) return dirfd;
  const length = nameAt(server, request, 0);
  if (length < 0) return length;
  const fd = victim(server, dirfd, length);
  const result = server.exports.sys_unlinkat(dirfd, length, flags);
  settle(server, fd, result >= 0);
  return result;
}

export function unlink(server: Server, request: Request): number {
  return remove(server, request, 0);
}

export function rmdir(server: Server, request: Request): number {
  return remove(server, request, AT_REMOVEDIR);
}

function move(server: Server, request: Request, namesAt: number, flags: number): number {
  const { nodes, exports } = server;
  const fromfd = nodes.fd(request.nodeid);
  if (fromfd < 0) return fromfd;
  const tofd = nodes.fd(request.u64(fuse.RENAME_IN_NEWDIR));
  if (tofd < 0) return tofd;
  const first = request.name(namesAt);
  if (first < 0) return first;
  const second = request.name(request.afterName);
  if (second < 0) return second;
  const toLength = server.putName1();
  const fd = flags & RENAME_EXCHANGE ? -1 : victim(server, tofd, toLength);
  server.putName2();
  request.name(namesAt);
  const result = exports.sys_renameat2(fromfd, server.putName1(), tofd, toLength, flags);
  settle(server, fd, result >= 0);
  return result;
}

export function rename(server: Server, request: Request): number {
  return move(server, request, fuse.RENAME_IN, 0);
}

export function rename2(server: Server, request: Request): number {
  return move(server, request, fuse.RENAME2_IN, request.u32(fuse.RENAME2_IN_FLAGS));
}
