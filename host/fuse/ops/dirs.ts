/** Listing directories. */
import { EBADF, EINVAL, ENFILE } from '../../../assembly/abi/errno.ts';
import { AT_SYMLINK_NOFOLLOW, O_DIRECTORY, SEEK_SET } from '../../../assembly/abi/flags.ts';
import {
  GD_HEADER,
  GD_REC_COOKIE,
  GD_REC_INO,
  GD_REC_NAMELEN,
  GD_REC_SIZE,
  GD_REC_TYPE,
  SA_DATA,
  SA_PATH1,
  SA_SIZE,
} from '../../../assembly/abi/layout.ts';
import type { OpenFile } from '../files.ts';
import * as fuse from '../protocol.ts';
import type { Request } from '../request.ts';
import { MAX_TRANSFER, type Server } from '../server.ts';
import { putEntry } from './lookup.ts';

export function opendir(server: Server, request: Request): number {
  if (server.files.full) return -ENFILE;
  const { exports, nodes, files, answer } = server;
  const id = request.nodeid;
  const place = nodes.fd(id);
  if (place < 0) return place;
  const fd = exports.sys_reopen(place, O_DIRECTORY);
  if (fd < 0) return fd;
  files.add(fd, id, true);
  answer.put64(fuse.OPEN_OUT_FH, fd);
  answer.put32(fuse.OPEN_OUT_FLAGS, nodes.lasting(id) ? fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_CACHE_DIR : 0);
  answer.put32(fuse.OPEN_OUT_FLAGS + 4, 0);
  return fuse.OPEN_OUT;
}

export function releasedir(server: Server, request: Request): number {
  const { files, exports } = server;
  const file = files.get(request.u64(fuse.RELEASE_IN_FH));
  if (file === undefined || !file.directory) return -EBADF;
  files.remove(file.fd);
  exports.sys_close(file.fd);
  return 0;
}

export function readdir(server: Server, request: Request): number {
  return list(server, request, 0);
}

export function readdirplus(server: Server, request: Request): number {
  return list(server, request, fuse.ENTRY_OUT);
}

/** A copy of the syscall area: a listing's names and records, while the kernel is asked about each. */
const listed = new Uint8Array(SA_SIZE);
const listedU32 = new Uint32Array(listed.buffer);
const listedF64 = new Float64Array(listed.buffer);

const RECORDS = SA_DATA + GD_HEADER;

/** The shortest name that fills the rest of a record. */
const NAME_LEAST = 8;

/** As many entries as fit, each preceded by `extra` bytes of an entry's attributes. */
function list(server: Server, request: Request, extra: number): number {
  const { exports } = server;
  const file = server.files.get(request.u64(fuse.READ_IN_FH));
  if (file === undefined || !file.directory) return -EBADF;
  const position = request.u64(fuse.READ_IN_OFFSET);
  if (!Number.isSafeInteger(position)) return -EINVAL;
  const size = Math.min(request.u32(fuse.READ_IN_SIZE), MAX_TRANSFER);
  let used = 0;
  let at = position;
  for (;;) {
    const room = Math.floor((size - used) / (extra + fuse.DIRENT + NAME_LEAST));
    if (room === 0) return used;
    const moved = moveTo(server, file, at);
    if (moved < 0) return used > 0 ? used : moved;
    const count = exports.sys_getdents(file.fd, room);
    if (count < 0) return used > 0 ? used : count;
    if (count === 0) return used;
    const put = putListed(server, file, count, { used, size, extra });
    if (put.full) return put.used;
    used = put.used;
    at = file.position;
  }
}

/** Let the directory's descriptor stand at this cookie. */
function moveTo(server: Server, file: OpenFile, cookie: number): number {
  if (file.position === cookie) return 0;
  const result = server.exports.sys_lseek(file.fd, cookie, SEEK_SET);
  if (result >= 0) file.position = cookie;
  return result;
}

interface Room {
  readonly used: number;
  readonly size: number;
  readonly extra: number;
}

/** The entries in the syscall area into the answer. The descriptor stands behind all of them, `position` too. */
function putListed(server: Server, file: OpenFile, count: number, { used, size, extra }: Room) {
  const { area, answer } = server;
  listed.set(area);
  let name = 0;
  let full = false;
  for (let i = 0, record = RECORDS; i < count; i++, record += GD_REC_SIZE) {
    const length = listedU32[(record + GD_REC_NAMELEN) >> 2];
    const end = used + extra + ((fuse.DIRENT + length + 7) & ~7);
    file.position = listedF64[(record + GD_REC_COOKIE) >> 3];
    if (!full && end > size) full = true;
    if (!full) {
      if (extra !== 0) putPlus(server, file, used, name, length);
      const at = used + extra;
      const ino = listedF64[(record + GD_REC_INO) >> 3];
      answer.put64(at + fuse.DIRENT_INO, server.nodes.listed(file.id, ino));
      answer.put64(at + fuse.DIRENT_OFF, file.position);
      answer.put32(at + fuse.DIRENT_NAMELEN, length);
      answer.put32(at + fuse.DIRENT_TYPE, listed[record + GD_REC_TYPE]);
      for (let k = 0; k < length; k++) answer.body[at + fuse.DIRENT + k] = listed[name + k];
      answer.body.fill(0, at + fuse.DIRENT + length, end);
      used = end;
    }
    name += length + 1;
  }
  return { used, full };
}

/** What a lookup of the name would say; nothing for "." and "..", and where it fails: Linux asks again then. */
function putPlus(server: Server, file: OpenFile, at: number, name: number, length: number): void {
  const { area, answer, exports, nodes } = server;
  const dots = listed[name] === 0x2e && (length === 1 || (length === 2 && listed[name + 1] === 0x2e));
  if (!dots) {
    for (let k = 0; k < length; k++) area[SA_PATH1 + k] = listed[name + k];
    const id =
      exports.sys_fstatat(file.fd, length, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : nodes.tell(file.fd, length);
    if (id > 0) {
      putEntry(server, at, id);
      return;
    }
  }
  answer.zero(at, fuse.ENTRY_OUT);
}
