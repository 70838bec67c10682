/** Locks of Linux's processes: answered at once, or when they are had. */
import * as fuse from '../protocol.ts';
import { NO_ANSWER, type Request } from '../request.ts';
import type { Server } from '../server.ts';
import { openFile } from './files.ts';

export function getlk(server: Server, request: Request): number {
  const fd = openFile(server, request.u64(fuse.LK_IN_FH), request.nodeid);
  return fd < 0 ? fd : server.locks.get(request, fd);
}

export function setlk(server: Server, request: Request): number {
  const fd = openFile(server, request.u64(fuse.LK_IN_FH), request.nodeid);
  return fd < 0 ? fd : server.locks.set(request, fd, false);
}

export function setlkw(server: Server, request: Request): number {
  const fd = openFile(server, request.u64(fuse.LK_IN_FH), request.nodeid);
  return fd < 0 ? fd : server.locks.set(request, fd, true);
}

/** Only locks are waited for here; whatever else was asked for is answered already. */
export function interrupt(server: Server, request: Request): number {
  server.locks.interrupt(request.u32(fuse.INTERRUPT_IN_UNIQUE), request.u32(fuse.INTERRUPT_IN_UNIQUE + 4));
  return NO_ANSWER;
}
