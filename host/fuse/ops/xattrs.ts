/** Extended attributes. */
import { EINVAL, ERANGE } from '../../../assembly/abi/errno.ts';
import { AT_EMPTY_PATH, XATTR_NAME_MAX, XATTR_SIZE_MAX } from '../../../assembly/abi/flags.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';

/** The attribute's name at `offset` of the request as the second path: its length, or a negated errno. */
function attributeName(server: Server, request: Request, offset: number): number {
  if (request.text(offset) !== 0) return -EINVAL;
  return request.nameLength === 0 || request.nameLength > XATTR_NAME_MAX ? -ERANGE : server.putName2();
}

export function setxattr(server: Server, request: Request): number {
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const length = attributeName(server, request, fuse.SETXATTR_IN);
  if (length < 0) return length;
  const size = request.u32(fuse.SETXATTR_IN_SIZE);
  const at = request.nameAt + request.nameLength + 1;
  if (size > request.length - at) return -EINVAL;
  server.cpu.spaces[0] = request.bytes;
  const flags = request.u32(fuse.SETXATTR_IN_FLAGS);
  return server.exports.sys_setxattr(fd, 0, AT_EMPTY_PATH, length, 0, at, size, flags);
}

/** The value's or list's size, or as much of it as was asked for. */
function sized(server: Server, size: number, result: number): number {
  if (result < 0 || size !== 0) return result;
  server.answer.put32(0, result);
  server.answer.put32(4, 0);
  return fuse.GETXATTR_OUT;
}

export function getxattr(server: Server, request: Request): number {
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const length = attributeName(server, request, fuse.GETXATTR_IN);
  if (length < 0) return length;
  const size = Math.min(request.u32(fuse.GETXATTR_IN_SIZE), XATTR_SIZE_MAX);
  server.cpu.spaces[0] = server.answer.body;
  return sized(server, size, server.exports.sys_getxattr(fd, 0, AT_EMPTY_PATH, length, 0, 0, size));
}

export function listxattr(server: Server, request: Request): number {
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const size = Math.min(request.u32(fuse.GETXATTR_IN_SIZE), XATTR_SIZE_MAX);
  server.cpu.spaces[0] = server.answer.body;
  return sized(server, size, server.exports.sys_listxattr(fd, 0, AT_EMPTY_PATH, 0, 0, size));
}

export function removexattr(server: Server, request: Request): number {
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  const length = attributeName(server, request, 0);
  return length < 0 ? length : server.exports.sys_removexattr(fd, 0, AT_EMPTY_PATH, length);
}
