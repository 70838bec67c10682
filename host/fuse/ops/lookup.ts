/** Names to nodes, and nodes forgotten. */
import { ENOENT } from '../../../assembly/abi/errno.ts';
import { AT_SYMLINK_NOFOLLOW } from '../../../assembly/abi/flags.ts';
import { NOT_AT_ALL, putAttr } from '../attributes.ts';
import * as fuse from '../protocol.ts';
import { NO_ANSWER, type Request } from '../request.ts';
import type { Server } from '../server.ts';

export function lookup(server: Server, request: Request): number {
  const { exports, nodes } = server;
  const id = request.nodeid;
  if (request.name(0) !== 0) return lookupDots(server, request);
  const dirfd = nodes.fd(id);
  if (dirfd < 0) return dirfd;
  const length = server.putName1();
  const result = exports.sys_fstatat(dirfd, length, AT_SYMLINK_NOFOLLOW);
  if (result === -ENOENT) return negative(server, id);
  return result < 0 ? result : tellEntry(server, dirfd, length);
}

/** "." of a node that is known by its handle only, and ".." of a directory that has no name there: exports ask so. */
function lookupDots(server: Server, request: Request): number {
  const { bytes } = request;
  const named = request.name(0);
  if (request.text(0) !== 0 || bytes[request.nameAt] !== 0x2e || request.nameLength > 2) return named;
  const up = request.nameLength === 2;
  if (up && bytes[request.nameAt + 1] !== 0x2e) return named;
  if (up && request.nodeid === fuse.FUSE_ROOT_ID) return -ENOENT;
  const fd = server.nodes.fd(request.nodeid);
  if (fd < 0) return fd;
  if (up) {
    const length = server.putName1();
    const result = server.exports.sys_fstatat(fd, length, AT_SYMLINK_NOFOLLOW);
    return result < 0 ? result : tellEntry(server, fd, length);
  }
  const result = server.exports.sys_fstat(fd);
  return result < 0 ? result : tellEntry(server, fd, server.putName1());
}

/** There is no such name: an answer that may be remembered, where the directory's own may. */
function negative(server: Server, dirId: number): number {
  const { answer, negativeValid } = server;
  const zero = negativeValid.seconds === 0 && negativeValid.nanoseconds === 0;
  if (zero || !server.nodes.lasting(dirId)) return -ENOENT;
  answer.zero(0, fuse.ENTRY_OUT);
  answer.put64(fuse.ENTRY_VALID, negativeValid.seconds);
  answer.put32(fuse.ENTRY_VALID_NS, negativeValid.nanoseconds);
  return fuse.ENTRY_OUT;
}

/**
 * Tell Linux of the file whose stat is in the syscall area, found in dirfd by the name at SA_PATH1.
 * @returns the answer's length, or a negated errno
 */
export function tellEntry(server: Server, dirfd: number, nameLength: number): number {
  const id = server.nodes.tell(dirfd, nameLength);
  if (id < 0) return id;
  putEntry(server, 0, id);
  return fuse.ENTRY_OUT;
}

/** An entry at `at` of the answer, from the stat in the area. */
export function putEntry(server: Server, at: number, id: number): void {
  const { answer, nodes } = server;
  const lasting = nodes.lasting(id);
  const name = lasting ? server.entryValid : NOT_AT_ALL;
  const attr = lasting ? server.attrValid : NOT_AT_ALL;
  answer.put64(at + fuse.ENTRY_NODEID, id);
  answer.put64(at + fuse.ENTRY_GENERATION, nodes.generation(id));
  answer.put64(at + fuse.ENTRY_VALID, name.seconds);
  answer.put64(at + fuse.ENTRY_ATTR_VALID, attr.seconds);
  answer.put32(at + fuse.ENTRY_VALID_NS, name.nanoseconds);
  answer.put32(at + fuse.ENTRY_ATTR_VALID_NS, attr.nanoseconds);
  putAttr(answer, at + fuse.ENTRY_ATTR, server.cpu, id);
}

export function forget(server: Server, request: Request): number {
  server.nodes.forget(request.nodeid, request.u64(fuse.FORGET_IN_NLOOKUP));
  return NO_ANSWER;
}

export function batchForget(server: Server, request: Request): number {
  const count = request.u32(fuse.BATCH_FORGET_IN_COUNT);
  const room = Math.floor((request.bodyLength - fuse.BATCH_FORGET_IN) / fuse.FORGET_ONE);
  for (let i = 0, at = fuse.BATCH_FORGET_IN; i < Math.min(count, room); i++, at += fuse.FORGET_ONE) {
    server.nodes.forget(request.u64(at + fuse.FORGET_ONE_NODEID), request.u64(at + fuse.FORGET_ONE_NLOOKUP));
  }
  return NO_ANSWER;
}

/** The name at `offset` of the request as the first path: its length, or a negated errno. */
export function nameAt(server: Server, request: Request, offset: number): number {
  const result = request.name(offset);
  return result < 0 ? result : server.putName1();
}

/** Of operations that make a name in a directory: what they answer once it is there. */
export function madeEntry(server: Server, dirfd: number, nameLength: number): number {
  const result = server.exports.sys_fstatat(dirfd, nameLength, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? result : tellEntry(server, dirfd, nameLength);
}
