/** Attributes: getattr, statx, setattr, access. */
import { EBADF, EINVAL } from '../../../assembly/abi/errno.ts';
import { AT_EACCESS, AT_EMPTY_PATH, O_WRONLY, UTIME_NOW, UTIME_OMIT } from '../../../assembly/abi/flags.ts';
import {
  SA_DATA,
  ST_ATIME,
  ST_ATIME_NS,
  ST_BLKSIZE,
  ST_BLOCKS,
  ST_BTIME,
  ST_BTIME_NS,
  ST_CTIME,
  ST_CTIME_NS,
  ST_GID,
  ST_INO,
  ST_MODE,
  ST_MTIME,
  ST_MTIME_NS,
  ST_NLINK,
  ST_RDEV,
  ST_SIZE,
  ST_UID,
} from '../../../assembly/abi/layout.ts';
import { major, minor } from '../../syscalls/devices.ts';
import { NOT_AT_ALL, putAttrOut } from '../attributes.ts';
import { numberOf } from '../nodes.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';

/** The stat of a node, or of the open file that the request names, into the area. */
function stat(server: Server, request: Request, flagsAt: number, fhAt: number): number {
  const byFile = (request.u32(flagsAt) & fuse.FUSE_GETATTR_FH) !== 0;
  const file = byFile ? server.files.get(request.u64(fhAt)) : undefined;
  const fd = file?.id === request.nodeid ? file.fd : server.nodes.fd(request.nodeid);
  return fd < 0 ? fd : server.exports.sys_fstat(fd);
}

function attrValid(server: Server, id: number) {
  return server.nodes.lasting(id) ? server.attrValid : NOT_AT_ALL;
}

export function getattr(server: Server, request: Request): number {
  const result = stat(server, request, fuse.GETATTR_IN_FLAGS, fuse.GETATTR_IN_FH);
  if (result < 0) return result;
  const id = request.nodeid;
  return putAttrOut(server.answer, server.cpu, id, attrValid(server, id));
}

export function statx(server: Server, request: Request): number {
  const result = stat(server, request, fuse.STATX_IN_FLAGS, fuse.STATX_IN_FH);
  if (result < 0) return result;
  const { answer, cpu } = server;
  const id = request.nodeid;
  const valid = attrValid(server, id);
  const { f64, u32 } = cpu;
  const d = (cpu.area + SA_DATA) >>> 3;
  const w = (cpu.area + SA_DATA) >>> 2;
  answer.zero(0, fuse.STATX_OUT);
  answer.put64(fuse.STATX_OUT_VALID, valid.seconds);
  answer.put32(fuse.STATX_OUT_VALID_NS, valid.nanoseconds);
  const sx = fuse.STATX_OUT_STAT;
  answer.put32(sx + fuse.SX_MASK, fuse.STATX_BASIC_STATS | fuse.STATX_BTIME);
  answer.put32(sx + fuse.SX_BLKSIZE, u32[w + (ST_BLKSIZE >> 2)]);
  answer.put32(sx + fuse.SX_NLINK, f64[d + (ST_NLINK >> 3)]);
  answer.put32(sx + fuse.SX_UID, u32[w + (ST_UID >> 2)]);
  answer.put32(sx + fuse.SX_GID, u32[w + (ST_GID >> 2)]);
  answer.put32(sx + fuse.SX_MODE, u32[w + (ST_MODE >> 2)] & 0xffff);
  answer.put64(sx + fuse.SX_INO, numberOf(id, f64[d + (ST_INO >> 3)]));
  answer.put64(sx + fuse.SX_SIZE, f64[d + (ST_SIZE >> 3)]);
  answer.put64(sx + fuse.SX_BLOCKS, f64[d + (ST_BLOCKS >> 3)]);
  const times = [
    [fuse.SX_ATIME, ST_ATIME, ST_ATIME_NS],
    [fuse.SX_BTIME, ST_BTIME, ST_BTIME_NS],
    [fuse.SX_CTIME, ST_CTIME, ST_CTIME_NS],
    [fuse.SX_MTIME, ST_MTIME, ST_MTIME_NS],
  ];
  for (const [to, seconds, ns] of times) {
    answer.put64(sx + to, f64[d + (seconds >> 3)]);
    answer.put32(sx + to + 8, u32[w + (ns >> 2)]);
  }
  const rdev = f64[d + (ST_RDEV >> 3)];
  answer.put32(sx + fuse.SX_RDEV_MAJOR, major(rdev));
  answer.put32(sx + fuse.SX_RDEV_MINOR, minor(rdev));
  return fuse.STATX_OUT;
}

const OWNED = fuse.FATTR_UID | fuse.FATTR_GID;
const ALL =
  OWNED | fuse.FATTR_SIZE | fuse.FATTR_MODE | fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_CTIME;
const TIMES = fuse.FATTR_ATIME | fuse.FATTR_MTIME;
const KEEP = 0xffffffff;

/** Length, owner, mode, times, in this order: what may fail changes nothing before it, and chown takes bits of the mode. */
export function setattr(server: Server, request: Request): number {
  const { exports, nodes } = server;
  const valid = request.u32(fuse.SETATTR_IN_VALID);
  const id = request.nodeid;
  const fd = nodes.fd(id);
  if (fd < 0) return fd;
  let result = 0;
  if (valid & fuse.FATTR_SIZE) result = truncate(server, request, fd, valid);
  // chown to nobody in particular comes as a request for nothing; what it takes away it still takes
  if (result >= 0 && (valid & OWNED || (valid & ALL) === 0)) {
    const uid = valid & fuse.FATTR_UID ? request.u32(fuse.SETATTR_IN_UID) : KEEP;
    const gid = valid & fuse.FATTR_GID ? request.u32(fuse.SETATTR_IN_GID) : KEEP;
    result = exports.sys_fchownat(fd, 0, uid, gid, AT_EMPTY_PATH);
  }
  if (result >= 0 && valid & fuse.FATTR_MODE) {
    result = exports.sys_fchmodat(fd, 0, request.u32(fuse.SETATTR_IN_MODE) & 0o7777, AT_EMPTY_PATH);
  }
  if (result >= 0 && valid & TIMES) result = setTimes(server, request, fd, valid);
  if (result >= 0) result = exports.sys_fstat(fd);
  return result < 0 ? result : putAttrOut(server.answer, server.cpu, id, attrValid(server, id));
}

function truncate(server: Server, request: Request, fd: number, valid: number): number {
  const { exports, callers } = server;
  const size = request.u64(fuse.SETATTR_IN_SIZE);
  if (!Number.isSafeInteger(size)) return -EINVAL;
  if (valid & fuse.FATTR_KILL_SUIDGID && request.uid === 0) callers.nobody();
  if (valid & fuse.FATTR_FH) {
    const file = server.files.get(request.u64(fuse.SETATTR_IN_FH));
    const result = file === undefined ? -EBADF : exports.sys_ftruncate(file.fd, size);
    if (request.uid === 0) callers.root();
    return result;
  }
  if (request.uid === 0) callers.root();
  const writer = exports.sys_reopen(fd, O_WRONLY);
  if (writer < 0) return writer;
  const result = exports.sys_ftruncate(writer, size);
  exports.sys_close(writer);
  return result;
}

function setTimes(server: Server, request: Request, fd: number, valid: number): number {
  // what Linux collected of an open file's times it sends on its own, for whoever wrote
  if (valid & fuse.FATTR_FH && server.options.writebackCache) server.callers.root();
  const atimeNs = timeNs(request, valid, fuse.FATTR_ATIME, fuse.FATTR_ATIME_NOW, fuse.SETATTR_IN_ATIME_NS);
  const mtimeNs = timeNs(request, valid, fuse.FATTR_MTIME, fuse.FATTR_MTIME_NOW, fuse.SETATTR_IN_MTIME_NS);
  return server.exports.sys_utimensat(
    fd,
    0,
    AT_EMPTY_PATH,
    request.i64(fuse.SETATTR_IN_ATIME),
    atimeNs,
    request.i64(fuse.SETATTR_IN_MTIME),
    mtimeNs,
  );
}

function timeNs(request: Request, valid: number, given: number, now: number, at: number): number {
  if ((valid & given) === 0) return UTIME_OMIT;
  return valid & now ? UTIME_NOW : request.u32(at);
}

export function access(server: Server, request: Request): number {
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  return server.exports.sys_faccessat(
    fd,
    0,
    request.u32(fuse.ACCESS_IN_MASK) & 7,
    AT_EMPTY_PATH | AT_EACCESS,
  );
}
