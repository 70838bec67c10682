/** The session's own: what both sides can do, its end; and statfs. */
import { EINVAL } from '../../../assembly/abi/errno.ts';
import {
  PAGE_SIZE,
  SA_DATA,
  SF_BAVAIL,
  SF_BFREE,
  SF_BLOCKS,
  SF_BSIZE,
  SF_FFREE,
  SF_FILES,
  SF_NAMELEN,
} from '../../../assembly/abi/layout.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import { MAX_TRANSFER, type Server } from '../server.ts';

const WANTED =
  fuse.FUSE_ASYNC_READ |
  fuse.FUSE_POSIX_LOCKS |
  fuse.FUSE_FLOCK_LOCKS |
  fuse.FUSE_ATOMIC_O_TRUNC |
  fuse.FUSE_EXPORT_SUPPORT |
  fuse.FUSE_BIG_WRITES |
  fuse.FUSE_DO_READDIRPLUS |
  fuse.FUSE_READDIRPLUS_AUTO |
  fuse.FUSE_ASYNC_DIO |
  fuse.FUSE_PARALLEL_DIROPS |
  fuse.FUSE_MAX_PAGES |
  fuse.FUSE_CACHE_SYMLINKS |
  fuse.FUSE_HANDLE_KILLPRIV_V2;

/** Requests that Linux may have under way in the background; one thread works on all. */
const MAX_BACKGROUND = 64;
const CONGESTION = 48;

/** What a session begins with needs of a server. */
export type Beginning = Pick<Server, 'answer' | 'options' | 'ready' | 'linuxMinor'>;

export function init(server: Beginning, request: Request): number {
  const { answer, options } = server;
  const major = request.u32(fuse.INIT_IN_MAJOR);
  const minor = request.u32(fuse.INIT_IN_MINOR);
  if (major < fuse.FUSE_MAJOR || (major === fuse.FUSE_MAJOR && minor < fuse.FUSE_MINOR_LEAST)) return -EINVAL;
  answer.zero(0, fuse.INIT_OUT);
  answer.put32(fuse.INIT_OUT_MAJOR, fuse.FUSE_MAJOR);
  answer.put32(fuse.INIT_OUT_MINOR, fuse.FUSE_MINOR);
  // a newer Linux asks again, in a version that is known here
  if (major > fuse.FUSE_MAJOR) return fuse.INIT_OUT;
  const offered = request.u32(fuse.INIT_IN_FLAGS);
  const wanted = options.writebackCache ? WANTED | fuse.FUSE_WRITEBACK_CACHE : WANTED;
  answer.put32(fuse.INIT_OUT_MAX_READAHEAD, request.u32(fuse.INIT_IN_MAX_READAHEAD));
  answer.put32(fuse.INIT_OUT_FLAGS, offered & wanted);
  answer.put32(fuse.INIT_OUT_MAX_BACKGROUND, MAX_BACKGROUND | (CONGESTION << 16));
  answer.put32(fuse.INIT_OUT_MAX_WRITE, MAX_TRANSFER);
  answer.put32(fuse.INIT_OUT_TIME_GRAN, 1);
  answer.put32(fuse.INIT_OUT_MAX_PAGES, MAX_TRANSFER / PAGE_SIZE);
  server.linuxMinor = minor;
  server.ready = true;
  return fuse.INIT_OUT;
}

/** The last request, where Linux sends one. What is open is closed with the server. */
export function destroy(server: Server): number {
  server.ready = false;
  server.exports.sys_sync();
  return 0;
}

export function statfs(server: Server, request: Request): number {
  const { answer, cpu, nodes, exports } = server;
  const fd = nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const result = exports.sys_fstatfs(fd);
  if (result < 0) return result;
  const { f64 } = cpu;
  const at = (cpu.area + SA_DATA) >>> 3;
  answer.zero(0, fuse.STATFS_OUT);
  answer.put64(fuse.STATFS_BLOCKS, f64[at + (SF_BLOCKS >> 3)]);
  answer.put64(fuse.STATFS_BFREE, f64[at + (SF_BFREE >> 3)]);
  answer.put64(fuse.STATFS_BAVAIL, f64[at + (SF_BAVAIL >> 3)]);
  answer.put64(fuse.STATFS_FILES, f64[at + (SF_FILES >> 3)]);
  answer.put64(fuse.STATFS_FFREE, f64[at + (SF_FFREE >> 3)]);
  answer.put32(fuse.STATFS_BSIZE, f64[at + (SF_BSIZE >> 3)]);
  answer.put32(fuse.STATFS_NAMELEN, f64[at + (SF_NAMELEN >> 3)]);
  answer.put32(fuse.STATFS_FRSIZE, f64[at + (SF_BSIZE >> 3)]);
  return fuse.STATFS_OUT;
}
