/** Data of open files. It goes from the request's buffer into RAM, and from RAM into the answer's, once copied. */
import { EINVAL, ENXIO } from '../../../assembly/abi/errno.ts';
import { SEEK_DATA, SEEK_HOLE } from '../../../assembly/abi/flags.ts';
import { SA_DATA } from '../../../assembly/abi/layout.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import { MAX_TRANSFER, type Server } from '../server.ts';
import { openFile } from './files.ts';

/** Others wait while a range is copied. */
const COPY_MAX = 16 << 20;

export function read(server: Server, request: Request): number {
  const { exports, answer } = server;
  const fd = openFile(server, request.u64(fuse.READ_IN_FH), request.nodeid);
  if (fd < 0) return fd;
  server.cpu.spaces[0] = answer.body;
  const size = Math.min(request.u32(fuse.READ_IN_SIZE), MAX_TRANSFER);
  return exports.sys_pread(fd, 0, 0, size, request.u64(fuse.READ_IN_OFFSET));
}

const DATA_AT = fuse.FUSE_IN_HEADER + fuse.WRITE_IN;

export function write(server: Server, request: Request): number {
  const { exports, answer, callers } = server;
  const fd = openFile(server, request.u64(fuse.WRITE_IN_FH), request.nodeid);
  if (fd < 0) return fd;
  const size = request.u32(fuse.WRITE_IN_SIZE);
  if (size > request.length - DATA_AT) return -EINVAL;
  // Linux says who keeps set-id bits; the kernel takes them from all but root
  const flags = request.u32(fuse.WRITE_IN_FLAGS);
  if (flags & fuse.FUSE_WRITE_CACHE) callers.root();
  else if (flags & fuse.FUSE_WRITE_KILL_SUIDGID && request.uid === 0) callers.nobody();
  server.cpu.spaces[0] = request.bytes;
  const result = exports.sys_pwrite(fd, 0, DATA_AT, size, request.u64(fuse.WRITE_IN_OFFSET));
  if (result < 0) return result;
  answer.put32(fuse.WRITE_OUT_SIZE, result);
  answer.put32(fuse.WRITE_OUT_SIZE + 4, 0);
  return fuse.WRITE_OUT;
}

export function fallocate(server: Server, request: Request): number {
  const fd = openFile(server, request.u64(fuse.FALLOCATE_IN_FH), request.nodeid);
  if (fd < 0) return fd;
  const offset = request.u64(fuse.FALLOCATE_IN_OFFSET);
  return server.exports.sys_fallocate(
    fd,
    request.u32(fuse.FALLOCATE_IN_MODE),
    offset,
    request.u64(fuse.FALLOCATE_IN_LENGTH),
  );
}

/** Linux asks for data and holes only: the rest it knows. */
export function lseek(server: Server, request: Request): number {
  const { cpu, answer, exports } = server;
  const fd = openFile(server, request.u64(fuse.LSEEK_IN_FH), request.nodeid);
  if (fd < 0) return fd;
  const whence = request.u32(fuse.LSEEK_IN_WHENCE);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return -EINVAL;
  const offset = request.i64(fuse.LSEEK_IN_OFFSET);
  if (!Number.isSafeInteger(offset) || offset < 0) return -ENXIO;
  const result = exports.sys_lseek(fd, offset, whence);
  if (result < 0) return result;
  answer.put64(0, cpu.f64[(cpu.area + SA_DATA) >>> 3]);
  return fuse.LSEEK_OUT;
}

export function copyFileRange(server: Server, request: Request): number {
  const { answer, exports } = server;
  const from = openFile(server, request.u64(fuse.COPY_IN_FH), request.nodeid);
  if (from < 0) return from;
  const to = openFile(server, request.u64(fuse.COPY_IN_FH_OUT), request.u64(fuse.COPY_IN_NODEID_OUT));
  if (to < 0) return to;
  if (request.u64(fuse.COPY_IN_FLAGS) !== 0) return -EINVAL;
  const result = exports.sys_copy_file_range(
    from,
    request.u64(fuse.COPY_IN_OFFSET),
    to,
    request.u64(fuse.COPY_IN_OFFSET_OUT),
    Math.min(request.u64(fuse.COPY_IN_LENGTH), COPY_MAX),
    0,
  );
  if (result < 0) return result;
  answer.put64(0, result);
  return fuse.WRITE_OUT;
}

/** POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM. */
const ALWAYS = 0x145;

/** Only regular files come here, and those are always ready: fifos and devices are Linux's own. */
export function poll(server: Server, request: Request): number {
  const fd = openFile(server, request.u64(fuse.POLL_IN_FH), request.nodeid);
  if (fd < 0) return fd;
  server.answer.put32(0, request.u32(fuse.POLL_IN_EVENTS) & ALWAYS);
  server.answer.put32(4, 0);
  return fuse.POLL_OUT;
}
