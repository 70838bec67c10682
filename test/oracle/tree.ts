import * as F from '../../assembly/abi/flags.ts';
import { errnoName } from './errno.ts';
import type { PosixProcess, Result, Stat, TreeEntry } from './target.ts';

/** The tree under a path by plain calls: what the driver's +tree does in C (see tree.c). */

const CHUNK = 65536;

function must<T>(result: Result<T>, what: string): T {
  if (typeof result === 'number' && result < 0) throw new Error(`${what}: ${errnoName(result)}`);
  return result as T;
}

/** FNV-1a, 32 bits. */
export function checksum(bytes: Uint8Array, start = 0x811c9dc5): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i++) sum = Math.imul(sum ^ bytes[i], 0x01000193);
  return sum >>> 0;
}

function contentSum(p: PosixProcess, fd: number): number {
  let sum = checksum(new Uint8Array(0));
  for (;;) {
    const data = must(p.read(fd, CHUNK), 'read');
    if (typeof data === 'number' || data.length === 0) return sum;
    sum = checksum(data, sum);
  }
}

function dataExtents(p: PosixProcess, fd: number): string {
  const list: string[] = [];
  for (let to = 0; ; ) {
    const from = p.lseek(fd, to, F.SEEK_DATA);
    if (from < 0) return list.join(',');
    to = must(p.lseek(fd, from, F.SEEK_HOLE), 'SEEK_HOLE');
    list.push(`${from}-${to}`);
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function attributes(p: PosixProcess, path: string): string[] {
  const names = p.llistxattr(path, CHUNK);
  if (typeof names === 'number') return [];
  return names
    .filter((name) => !name.startsWith('system.') && name !== 'security.selinux')
    .map((name) => {
      const value = must(p.lgetxattr(path, name, CHUNK), `lgetxattr ${name}`);
      return `${name}=${typeof value === 'number' ? '' : hex(value)}`;
    })
    .sort();
}

function entry(p: PosixProcess, start: string, path: string): TreeEntry {
  const st = must(p.lstat(path), `lstat ${path}`) as Stat;
  const type = st.mode & F.S_IFMT;
  let sum = 0;
  let extents = '';
  if (type === F.S_IFREG) {
    const fd = must(p.open(path, F.O_RDONLY | F.O_NOATIME), `open ${path}`);
    sum = contentSum(p, fd);
    extents = dataExtents(p, fd);
    must(p.close(fd), 'close');
  }
  const { dev: _dev, blksize: _blksize, ...rest } = st;
  return {
    ...rest,
    path: path.slice(start.length),
    sum,
    extents,
    target: type === F.S_IFLNK ? (must(p.readlink(path), `readlink ${path}`) as string) : '',
    xattrs: attributes(p, path),
  };
}

function children(p: PosixProcess, path: string): string[] {
  const fd = must(p.open(path, F.O_RDONLY | F.O_DIRECTORY | F.O_NOATIME), `open ${path}`);
  const names: string[] = [];
  for (;;) {
    const part = must(p.getdents(fd), `getdents ${path}`);
    if (typeof part === 'number' || part.length === 0) break;
    names.push(...part.map((item) => item.name));
  }
  must(p.close(fd), 'close');
  return names.filter((name) => name !== '.' && name !== '..');
}

/** Every entry under `start`, parents first. Leaves no trace when made by root. */
export function walkTree(p: PosixProcess, start: string): TreeEntry[] {
  const root = start === '/' ? '' : start;
  const list: TreeEntry[] = [];
  const pending = [start];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const item = entry(p, root, path);
    list.push(path === start ? { ...item, path: '' } : item);
    if ((item.mode & F.S_IFMT) !== F.S_IFDIR) continue;
    const prefix = path === '/' ? '' : path;
    pending.push(...children(p, path).map((name) => `${prefix}/${name}`));
  }
  return list;
}
