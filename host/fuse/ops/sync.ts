/** What must be on the disk when it is answered. */
import { EBADF } from '../../../assembly/abi/errno.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';

export function fsync(server: Server, request: Request): number {
  const { exports, files } = server;
  const file = files.get(request.u64(fuse.FSYNC_IN_FH));
  if (file === undefined) return -EBADF;
  const dataOnly = request.u32(fuse.FSYNC_IN_FLAGS) & fuse.FUSE_FSYNC_FDATASYNC;
  return dataOnly ? exports.sys_fdatasync(file.fd) : exports.sys_fsync(file.fd);
}

export function fsyncdir(server: Server, request: Request): number {
  return fsync(server, request);
}

export function syncfs(server: Server, request: Request): number {
  const { exports, nodes } = server;
  const fd = nodes.fd(request.nodeid);
  return fd < 0 ? fd : exports.sys_syncfs(fd);
}
