/** The whole tree as text, to be compared: every attribute a program can rely on, and contents. */
import { createHash } from 'node:crypto';
import { ENXIO } from '../../assembly/abi/errno.ts';
import {
  SEEK_DATA,
  SEEK_HOLE,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_RDONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../assembly/abi/flags.ts';
import { SA_DATA, ST_BLOCKS, ST_GID, ST_MODE, ST_RDEV, ST_UID } from '../../assembly/abi/layout.ts';
import type { Kernel } from './kernel.ts';

const CHUNK = new Uint8Array(65536);

/** The offset, or a negated errno (-ENXIO: there is no data any more). */
function seek(k: Kernel, fd: number, from: number, whence: number): number {
  const result = k.kernel.sys_lseek(fd, from, whence);
  if (result < 0 && result !== -ENXIO) k.ok(result, 'lseek');
  return result < 0 ? result : k.f64[(k.area + SA_DATA) >>> 3];
}

/** A digest of where a file has data and what it is; holes are not read. */
function contents(k: Kernel, path: string): string {
  const fd = k.ok(k.open(path, O_RDONLY), `open ${path}`);
  const hash = createHash('sha1');
  for (let at = seek(k, fd, 0, SEEK_DATA); at >= 0; at = seek(k, fd, at, SEEK_DATA)) {
    const end = seek(k, fd, at, SEEK_HOLE);
    hash.update(`${at}-${end}:`);
    while (at < end) {
      const n = k.ok(k.pread(fd, CHUNK.subarray(0, Math.min(CHUNK.length, end - at)), at), `read ${path}`);
      if (n === 0) throw new Error(`${path}: no data at ${at}, before its hole at ${end}`);
      hash.update(CHUNK.subarray(0, n));
      at += n;
    }
  }
  k.ok(k.close(fd), `close ${path}`);
  return hash.digest('hex').slice(0, 12);
}

function attributes(k: Kernel, path: string): string {
  k.spaces[0] = CHUNK;
  const n = k.kernel.sys_listxattr(AT_FDCWD, k.path(path), AT_SYMLINK_NOFOLLOW, 0, 0, CHUNK.length);
  if (n <= 0) return '';
  return Buffer.from(CHUNK.subarray(0, n)).toString('latin1').split('\0').sort().join(',');
}

function describe(k: Kernel, path: string): { line: string; mode: number; nlink: number } {
  k.ok(k.lstat(path), `lstat ${path}`);
  const at = k.area + SA_DATA;
  const { mode, nlink, size } = k.status();
  const owner = `${k.u32[(at + ST_UID) >>> 2]}:${k.u32[(at + ST_GID) >>> 2]}`;
  const extra = `b${k.f64[(at + ST_BLOCKS) >>> 3]} r${k.f64[(at + ST_RDEV) >>> 3]}`;
  let line = `${path} ${mode.toString(8)} n${nlink} ${owner} ${size} ${extra}`;
  if ((mode & S_IFMT) === S_IFREG) line += ` ${contents(k, path)}`;
  if ((mode & S_IFMT) === S_IFLNK) {
    const n = k.ok(k.kernel.sys_readlinkat(AT_FDCWD, k.path(path)), `readlink ${path}`);
    line += ` -> ${Buffer.from(k.u8.slice(at, at + n)).toString('latin1')}`;
  }
  const xattrs = attributes(k, path);
  return { line: xattrs === '' ? line : `${line} [${xattrs}]`, mode, nlink };
}

/**
 * Walk everything below `root`, in order of names, checking as it goes what must always hold: each
 * listed name resolves, to the type it was listed with; a directory has two links and one for each
 * directory in it (mounts excepted). /proc and /dev are the kernel's own and are left out.
 * @returns one line per file
 */
export function dump(k: Kernel, root: string, mounts = false): string[] {
  const lines: string[] = [];
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { line, mode, nlink } = describe(k, path);
    lines.push(line);
    if ((mode & S_IFMT) !== S_IFDIR) continue;
    let entries = k.readdir(path);
    if (typeof entries === 'number') throw new Error(`readdir ${path}: ${entries}`);
    const names = new Set(entries.map(({ name }) => name));
    if (names.size !== entries.length) throw new Error(`${path} lists a name twice`);
    let directories = 2;
    if (path === '/') entries = entries.filter(({ name }) => name !== 'proc' && name !== 'dev');
    for (const { name, type } of entries.sort((a, b) => (a.name < b.name ? 1 : -1))) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`;
      // what /proc shows changes with every call, this walk's own included
      if (child === '/proc') continue;
      k.ok(k.lstat(child), `lstat ${child}`);
      if (!mounts && k.u32[(k.area + SA_DATA + ST_MODE) >>> 2] >>> 12 !== type)
        throw new Error(`${child} is listed with type ${type}`);
      if (type === S_IFDIR >>> 12) directories++;
      pending.push(child);
    }
    if (!mounts && directories !== nlink)
      throw new Error(`${path} has ${nlink} links and ${directories - 2} directories`);
  }
  return lines;
}
