/**
 * The pass-through's operations: each node is a path, each handle a descriptor of the host's.
 *
 * As many requests come as to a machine's mount, answered as far: locks are granted unseen and attributes by
 * name are not there, for Node can ask the host for neither. A file without a name is reached by its handle alone.
 */
import fs from 'node:fs';
import { EBADF, EINVAL, ENODATA, ESTALE } from '../../../assembly/abi/errno.ts';
import { F_UNLCK, O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC } from '../../../assembly/abi/flags.ts';
import { timeoutOf } from '../../../host/fuse/attributes.ts';
import { init } from '../../../host/fuse/ops/session.ts';
import { SERVE_DEFAULTS } from '../../../host/fuse/options.ts';
import * as fuse from '../../../host/fuse/protocol.ts';
import { type Answer, NO_ANSWER, type Request } from '../../../host/fuse/request.ts';
import { PassDirectories } from './passdirs.ts';

interface PassNode {
  path: string;
  count: number;
}

type PassOperation = (pass: PassFs, request: Request) => number;

const NO_ENTRY = { throwIfNoEntry: false } as const;
/** Where a write goes Linux says, so none is opened to append. */
const OPEN_FLAGS = O_ACCMODE | O_TRUNC | O_EXCL;

export class PassFs {
  readonly answer: Answer;
  readonly options = SERVE_DEFAULTS;
  ready = false;
  /** What INIT tells. */
  linuxMinor = 0;
  readonly directories = new PassDirectories();
  readonly #nodes = new Map<number, PassNode>();
  readonly #rootIno: number;
  /** The request's bytes, as what text can be taken from. */
  #text: Buffer = Buffer.alloc(0);
  readonly #entry = timeoutOf(SERVE_DEFAULTS.entryTimeout);
  readonly #attr = timeoutOf(SERVE_DEFAULTS.attrTimeout);
  readonly #negative = timeoutOf(SERVE_DEFAULTS.negativeTimeout);

  constructor(source: string, answer: Answer) {
    this.answer = answer;
    this.#rootIno = fs.statSync(source).ino;
    this.#nodes.set(fuse.FUSE_ROOT_ID, { path: source, count: 1 });
  }

  /** @throws an error of ESTALE's number, where the node is not known */
  path(id: number): string {
    const node = this.#nodes.get(id);
    if (node === undefined) throw Object.assign(new Error('a stale node'), { errno: -ESTALE });
    return node.path;
  }

  /** The path of the name at `offset` of the request, in the directory that it names. */
  child(request: Request, id: number, offset: number): string {
    if (request.name(offset) < 0) throw Object.assign(new Error('no name'), { errno: -EINVAL });
    const { bytes, nameAt, nameLength } = request;
    if (this.#text.buffer !== bytes.buffer) this.#text = Buffer.from(bytes.buffer);
    return `${this.path(id)}/${this.#text.toString('utf8', nameAt, nameAt + nameLength)}`;
  }

  idOf(stats: fs.Stats): number {
    return stats.ino === this.#rootIno ? fuse.FUSE_ROOT_ID : stats.ino;
  }

  /** Linux is told of the file, in an entry at `at` of the answer. */
  tell(path: string, stats: fs.Stats, at: number): number {
    const id = this.idOf(stats);
    const node = this.#nodes.get(id);
    if (node === undefined) this.#nodes.set(id, { path, count: 1 });
    else {
      node.count++;
      node.path = path;
    }
    const { answer } = this;
    answer.put64(at + fuse.ENTRY_NODEID, id);
    answer.put64(at + fuse.ENTRY_GENERATION, 0);
    answer.put64(at + fuse.ENTRY_VALID, this.#entry.seconds);
    answer.put64(at + fuse.ENTRY_ATTR_VALID, this.#attr.seconds);
    answer.put32(at + fuse.ENTRY_VALID_NS, this.#entry.nanoseconds);
    answer.put32(at + fuse.ENTRY_ATTR_VALID_NS, this.#attr.nanoseconds);
    this.putAttr(at + fuse.ENTRY_ATTR, stats, id);
    return fuse.ENTRY_OUT;
  }

  negative(): number {
    this.answer.zero(0, fuse.ENTRY_OUT);
    this.answer.put64(fuse.ENTRY_VALID, this.#negative.seconds);
    this.answer.put32(fuse.ENTRY_VALID_NS, this.#negative.nanoseconds);
    return fuse.ENTRY_OUT;
  }

  forget(id: number, times: number): void {
    const node = this.#nodes.get(id);
    if (node === undefined || id === fuse.FUSE_ROOT_ID) return;
    node.count -= times;
    if (node.count <= 0) this.#nodes.delete(id);
  }

  /** A directory has moved, and all that is known below it. */
  moved(from: string, to: string): void {
    const below = `${from}/`;
    for (const node of this.#nodes.values()) {
      if (node.path === from) node.path = to;
      else if (node.path.startsWith(below)) node.path = to + node.path.slice(from.length);
    }
  }

  putAttr(at: number, stats: fs.Stats, id: number): void {
    const { answer } = this;
    answer.put64(at + fuse.ATTR_INO, id);
    answer.put64(at + fuse.ATTR_LENGTH, stats.size);
    answer.put64(at + fuse.ATTR_BLOCKS, stats.blocks);
    this.#putTime(at + fuse.ATTR_ATIME, at + fuse.ATTR_ATIME_NS, stats.atimeMs);
    this.#putTime(at + fuse.ATTR_MTIME, at + fuse.ATTR_MTIME_NS, stats.mtimeMs);
    this.#putTime(at + fuse.ATTR_CTIME, at + fuse.ATTR_CTIME_NS, stats.ctimeMs);
    answer.put32(at + fuse.ATTR_MODE, stats.mode);
    answer.put32(at + fuse.ATTR_NLINK, stats.nlink);
    answer.put32(at + fuse.ATTR_UID, stats.uid);
    answer.put32(at + fuse.ATTR_GID, stats.gid);
    answer.put32(at + fuse.ATTR_RDEV, stats.rdev);
    answer.put32(at + fuse.ATTR_BLKSIZE, stats.blksize);
    answer.put32(at + fuse.ATTR_BLKSIZE + 4, 0);
  }

  #putTime(at: number, nsAt: number, ms: number): void {
    const seconds = Math.floor(ms / 1000);
    this.answer.put64(at, seconds);
    this.answer.put32(nsAt, Math.floor((ms - seconds * 1000) * 1e6));
  }

  attrOut(stats: fs.Stats): number {
    this.answer.put64(fuse.ATTR_OUT_VALID, this.#attr.seconds);
    this.answer.put32(fuse.ATTR_OUT_VALID_NS, this.#attr.nanoseconds);
    this.answer.put32(fuse.ATTR_OUT_VALID_NS + 4, 0);
    this.putAttr(fuse.ATTR_OUT_ATTR, stats, this.idOf(stats));
    return fuse.ATTR_OUT;
  }

  openOut(at: number, fd: number, flags: number): void {
    this.answer.put64(at + fuse.OPEN_OUT_FH, fd);
    this.answer.put32(at + fuse.OPEN_OUT_FLAGS, flags);
    this.answer.put32(at + fuse.OPEN_OUT_FLAGS + 4, 0);
  }
}

const FILE_FLAGS = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_PARALLEL_DIRECT_WRITES;

const lookup: PassOperation = (pass, request) => {
  const path = pass.child(request, request.nodeid, 0);
  const stats = fs.lstatSync(path, NO_ENTRY);
  return stats === undefined ? pass.negative() : pass.tell(path, stats, 0);
};

const getattr: PassOperation = (pass, request) => {
  const byFile = request.u32(fuse.GETATTR_IN_FLAGS) & fuse.FUSE_GETATTR_FH;
  const stats = byFile
    ? fs.fstatSync(request.u64(fuse.GETATTR_IN_FH))
    : fs.lstatSync(pass.path(request.nodeid));
  return pass.attrOut(stats);
};

const setattr: PassOperation = (pass, request) => {
  const valid = request.u32(fuse.SETATTR_IN_VALID);
  const path = pass.path(request.nodeid);
  if (valid & fuse.FATTR_SIZE) {
    const size = request.u64(fuse.SETATTR_IN_SIZE);
    if (valid & fuse.FATTR_FH) fs.ftruncateSync(request.u64(fuse.SETATTR_IN_FH), size);
    else fs.truncateSync(path, size);
  }
  if (valid & (fuse.FATTR_UID | fuse.FATTR_GID)) {
    const old = fs.lstatSync(path);
    const uid = valid & fuse.FATTR_UID ? request.u32(fuse.SETATTR_IN_UID) : old.uid;
    fs.lchownSync(path, uid, valid & fuse.FATTR_GID ? request.u32(fuse.SETATTR_IN_GID) : old.gid);
  }
  if (valid & fuse.FATTR_MODE) fs.chmodSync(path, request.u32(fuse.SETATTR_IN_MODE) & 0o7777);
  if (valid & (fuse.FATTR_ATIME | fuse.FATTR_MTIME)) setTimes(request, path, valid);
  return pass.attrOut(fs.lstatSync(path));
};

function setTimes(request: Request, path: string, valid: number): void {
  const old = fs.lstatSync(path);
  const given = (bit: number, nowBit: number, at: number, nsAt: number, kept: number) => {
    if ((valid & bit) === 0) return kept / 1000;
    return valid & nowBit ? Date.now() / 1000 : request.i64(at) + request.u32(nsAt) / 1e9;
  };
  fs.lutimesSync(
    path,
    given(
      fuse.FATTR_ATIME,
      fuse.FATTR_ATIME_NOW,
      fuse.SETATTR_IN_ATIME,
      fuse.SETATTR_IN_ATIME_NS,
      old.atimeMs,
    ),
    given(
      fuse.FATTR_MTIME,
      fuse.FATTR_MTIME_NOW,
      fuse.SETATTR_IN_MTIME,
      fuse.SETATTR_IN_MTIME_NS,
      old.mtimeMs,
    ),
  );
}

const mkdir: PassOperation = (pass, request) => {
  const path = pass.child(request, request.nodeid, fuse.MKDIR_IN);
  fs.mkdirSync(path, request.u32(fuse.MKDIR_IN_MODE) & 0o7777);
  return pass.tell(path, fs.lstatSync(path), 0);
};

const unlink: PassOperation = (pass, request) => {
  fs.unlinkSync(pass.child(request, request.nodeid, 0));
  return 0;
};

const rmdir: PassOperation = (pass, request) => {
  fs.rmdirSync(pass.child(request, request.nodeid, 0));
  return 0;
};

const symlink: PassOperation = (pass, request) => {
  const path = pass.child(request, request.nodeid, 0);
  if (request.text(request.afterName) !== 0) return -EINVAL;
  const { bytes, nameAt, nameLength } = request;
  fs.symlinkSync(Buffer.from(bytes.buffer, nameAt, nameLength), path);
  return pass.tell(path, fs.lstatSync(path), 0);
};

const readlink: PassOperation = (pass, request) => {
  const text = fs.readlinkSync(pass.path(request.nodeid), { encoding: 'buffer' });
  pass.answer.body.set(text);
  return text.length;
};

const link: PassOperation = (pass, request) => {
  const path = pass.child(request, request.nodeid, fuse.LINK_IN);
  fs.linkSync(pass.path(request.u64(fuse.LINK_IN_OLDNODEID)), path);
  return pass.tell(path, fs.lstatSync(path), 0);
};

function rename(pass: PassFs, request: Request, namesAt: number): number {
  const from = pass.child(request, request.nodeid, namesAt);
  const to = pass.child(request, request.u64(fuse.RENAME_IN_NEWDIR), request.afterName);
  fs.renameSync(from, to);
  if (fs.lstatSync(to).isDirectory()) pass.moved(from, to);
  return 0;
}

const open: PassOperation = (pass, request) => {
  const flags = request.u32(fuse.OPEN_IN_FLAGS) & (O_ACCMODE | O_TRUNC);
  pass.openOut(0, fs.openSync(pass.path(request.nodeid), flags), FILE_FLAGS);
  return fuse.OPEN_OUT;
};

const create: PassOperation = (pass, request) => {
  const path = pass.child(request, request.nodeid, fuse.CREATE_IN);
  const flags = (request.u32(fuse.CREATE_IN_FLAGS) & OPEN_FLAGS) | O_CREAT;
  const fd = fs.openSync(path, flags, request.u32(fuse.CREATE_IN_MODE) & 0o7777);
  pass.tell(path, fs.fstatSync(fd), 0);
  pass.openOut(fuse.ENTRY_OUT, fd, FILE_FLAGS);
  return fuse.ENTRY_OUT + fuse.OPEN_OUT;
};

const release: PassOperation = (_pass, request) => {
  fs.closeSync(request.u64(fuse.RELEASE_IN_FH));
  return 0;
};

const read: PassOperation = (pass, request) =>
  fs.readSync(
    request.u64(fuse.READ_IN_FH),
    pass.answer.body,
    0,
    request.u32(fuse.READ_IN_SIZE),
    request.u64(fuse.READ_IN_OFFSET),
  );

const DATA_AT = fuse.FUSE_IN_HEADER + fuse.WRITE_IN;

const write: PassOperation = (pass, request) => {
  const size = request.u32(fuse.WRITE_IN_SIZE);
  if (size > request.length - DATA_AT) return -EINVAL;
  const offset = request.u64(fuse.WRITE_IN_OFFSET);
  pass.answer.put32(
    fuse.WRITE_OUT_SIZE,
    fs.writeSync(request.u64(fuse.WRITE_IN_FH), request.bytes, DATA_AT, size, offset),
  );
  pass.answer.put32(fuse.WRITE_OUT_SIZE + 4, 0);
  return fuse.WRITE_OUT;
};

const fsync: PassOperation = (_pass, request) => {
  const fd = request.u64(fuse.FSYNC_IN_FH);
  if (request.u32(fuse.FSYNC_IN_FLAGS) & fuse.FUSE_FSYNC_FDATASYNC) fs.fdatasyncSync(fd);
  else fs.fsyncSync(fd);
  return 0;
};

const statfs: PassOperation = (pass) => {
  const { answer } = pass;
  const { blocks, bfree, bavail, files, ffree, bsize } = fs.statfsSync(pass.path(fuse.FUSE_ROOT_ID));
  answer.zero(0, fuse.STATFS_OUT);
  answer.put64(fuse.STATFS_BLOCKS, blocks);
  answer.put64(fuse.STATFS_BFREE, bfree);
  answer.put64(fuse.STATFS_BAVAIL, bavail);
  answer.put64(fuse.STATFS_FILES, files);
  answer.put64(fuse.STATFS_FFREE, ffree);
  answer.put32(fuse.STATFS_BSIZE, bsize);
  answer.put32(fuse.STATFS_NAMELEN, 255);
  answer.put32(fuse.STATFS_FRSIZE, bsize);
  return fuse.STATFS_OUT;
};

const getlk: PassOperation = ({ answer }) => {
  answer.zero(0, fuse.LK_OUT);
  answer.put32(fuse.LK_OUT_TYPE, F_UNLCK);
  return fuse.LK_OUT;
};

const nothing: PassOperation = () => 0;

export const PASS_OPERATIONS: ReadonlyMap<number, PassOperation> = new Map<number, PassOperation>([
  [fuse.FUSE_INIT, init],
  [fuse.FUSE_DESTROY, nothing],
  [fuse.FUSE_STATFS, statfs],
  [fuse.FUSE_LOOKUP, lookup],
  [fuse.FUSE_GETATTR, getattr],
  [fuse.FUSE_SETATTR, setattr],
  [fuse.FUSE_MKDIR, mkdir],
  [fuse.FUSE_UNLINK, unlink],
  [fuse.FUSE_RMDIR, rmdir],
  [fuse.FUSE_SYMLINK, symlink],
  [fuse.FUSE_READLINK, readlink],
  [fuse.FUSE_LINK, link],
  [fuse.FUSE_RENAME, (pass, request) => rename(pass, request, fuse.RENAME_IN)],
  [fuse.FUSE_RENAME2, (pass, request) => rename(pass, request, fuse.RENAME2_IN)],
  [fuse.FUSE_OPEN, open],
  [fuse.FUSE_CREATE, create],
  [fuse.FUSE_RELEASE, release],
  [fuse.FUSE_READ, read],
  [fuse.FUSE_WRITE, write],
  [fuse.FUSE_FLUSH, nothing],
  [fuse.FUSE_FSYNC, fsync],
  [fuse.FUSE_FSYNCDIR, nothing],
  [fuse.FUSE_SYNCFS, nothing],
  [fuse.FUSE_GETLK, getlk],
  [fuse.FUSE_SETLK, nothing],
  [fuse.FUSE_SETLKW, nothing],
  [fuse.FUSE_GETXATTR, () => -ENODATA],
  [fuse.FUSE_LISTXATTR, nothing],
  [fuse.FUSE_INTERRUPT, () => NO_ANSWER],
  [
    fuse.FUSE_FORGET,
    (pass, request) => {
      pass.forget(request.nodeid, request.u64(fuse.FORGET_IN_NLOOKUP));
      return NO_ANSWER;
    },
  ],
  [fuse.FUSE_BATCH_FORGET, batchForget],
  [
    fuse.FUSE_OPENDIR,
    (pass, request) => {
      pass.openOut(
        0,
        pass.directories.open(pass.path(request.nodeid)),
        fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_CACHE_DIR,
      );
      return fuse.OPEN_OUT;
    },
  ],
  [fuse.FUSE_READDIR, (pass, request) => pass.directories.list(pass, request, 0)],
  [fuse.FUSE_READDIRPLUS, (pass, request) => pass.directories.list(pass, request, fuse.ENTRY_OUT)],
  [
    fuse.FUSE_RELEASEDIR,
    (pass, request) => (pass.directories.close(request.u64(fuse.RELEASE_IN_FH)) ? 0 : -EBADF),
  ],
]);

function batchForget(pass: PassFs, request: Request): number {
  const count = request.u32(fuse.BATCH_FORGET_IN_COUNT);
  for (let i = 0, at = fuse.BATCH_FORGET_IN; i < count; i++, at += fuse.FORGET_ONE) {
    pass.forget(request.u64(at + fuse.FORGET_ONE_NODEID), request.u64(at + fuse.FORGET_ONE_NLOOKUP));
  }
  return NO_ANSWER;
}
