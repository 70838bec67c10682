import type { Dirent, FileLock, InotifyEvent, Path, Stat, StatFs, Timespec, TreeEntry } from './target.ts';

/**
 * Arguments and structures of Linux's calls, to and from the driver's text (see driver.h).
 * statx, linux_dirent64, flock and timespec look alike on every 64-bit Linux.
 */

const utf8 = new TextDecoder();

/** A pointer to a path or a name. */
export function text(path: Path): string {
  return `x${Buffer.from(path as string).toString('hex')}`;
}

export function bytes(data: Uint8Array): string {
  return `x${Buffer.from(data.buffer, data.byteOffset, data.length).toString('hex')}`;
}

/** A buffer of which everything comes back. */
export function whole(size: number): string {
  return `o${size}`;
}

/** A buffer of which as many bytes come back as the call returned. */
export function used(size: number): string {
  return `r${size}`;
}

export function inout(data: Uint8Array): string {
  return `b${Buffer.from(data.buffer, data.byteOffset, data.length).toString('hex')}`;
}

export function filledVector(list: readonly Uint8Array[]): string {
  return `w${list.map((item) => bytes(item).slice(1)).join(',')}`;
}

export function emptyVector(sizes: readonly number[]): string {
  return `i${sizes.join(',')}`;
}

export function decodeBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function decodeText(hex: string): string {
  return utf8.decode(Buffer.from(hex, 'hex'));
}

export function encodeTimes(times: readonly Timespec[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * times.length));
  times.forEach((time, i) => {
    view.setBigInt64(16 * i, BigInt(time.sec), true);
    view.setBigInt64(16 * i + 8, BigInt(time.nsec), true);
  });
  return new Uint8Array(view.buffer);
}

export const STATX_BASIC_STATS = 0x7ff;
export const STATX_SIZE = 256;

export function decodeStatx(hex: string): Stat {
  const b = Buffer.from(hex, 'hex');
  const time = (at: number): Timespec => ({
    sec: Number(b.readBigInt64LE(at)),
    nsec: b.readUInt32LE(at + 8),
  });
  return {
    blksize: b.readUInt32LE(4),
    nlink: b.readUInt32LE(16),
    uid: b.readUInt32LE(20),
    gid: b.readUInt32LE(24),
    mode: b.readUInt16LE(28),
    ino: Number(b.readBigUInt64LE(32)),
    size: Number(b.readBigUInt64LE(40)),
    blocks: Number(b.readBigUInt64LE(48)),
    atime: time(64),
    ctime: time(96),
    mtime: time(112),
    rdev: (b.readUInt32LE(128) << 8) | b.readUInt32LE(132),
    dev: b.readUInt32LE(136) * 0x100000 + b.readUInt32LE(140),
  };
}

export const STATFS_SIZE = 120;

export function decodeStatfs(hex: string): StatFs {
  const b = Buffer.from(hex, 'hex');
  const word = (i: number): number => Number(b.readBigUInt64LE(8 * i));
  return {
    type: word(0),
    bsize: word(1),
    blocks: word(2),
    bfree: word(3),
    bavail: word(4),
    files: word(5),
    ffree: word(6),
    namelen: word(8),
  };
}

export function decodeDirents(hex: string): Dirent[] {
  const b = Buffer.from(hex, 'hex');
  const list: Dirent[] = [];
  for (let at = 0; at < b.length; at += b.readUInt16LE(at + 16)) {
    const end = b.indexOf(0, at + 19);
    list.push({
      ino: Number(b.readBigUInt64LE(at)),
      cookie: Number(b.readBigInt64LE(at + 8)),
      type: b.readUInt8(at + 18),
      name: utf8.decode(b.subarray(at + 19, end)),
    });
  }
  return list;
}

export function encodeFlock(lock: FileLock): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setInt16(0, lock.type, true);
  view.setInt16(2, lock.whence, true);
  view.setBigInt64(8, BigInt(lock.start), true);
  view.setBigInt64(16, BigInt(lock.len), true);
  return new Uint8Array(view.buffer);
}

export function decodeFlock(hex: string): FileLock {
  const b = Buffer.from(hex, 'hex');
  return {
    type: b.readInt16LE(0),
    whence: b.readInt16LE(2),
    start: Number(b.readBigInt64LE(8)),
    len: Number(b.readBigInt64LE(16)),
    pid: b.readInt32LE(24),
  };
}

/** struct inotify_event, as read(2) of an inotify descriptor gives it. */
export function decodeInotify(data: Uint8Array): InotifyEvent[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const list: InotifyEvent[] = [];
  for (let at = 0; at < data.length; at += 16 + view.getUint32(at + 12, true)) {
    const field = data.subarray(at + 16, at + 16 + view.getUint32(at + 12, true));
    const end = field.indexOf(0);
    list.push({
      wd: view.getInt32(at, true),
      mask: view.getUint32(at + 4, true),
      cookie: view.getUint32(at + 8, true),
      name: utf8.decode(end < 0 ? field : field.subarray(0, end)),
    });
  }
  return list;
}

/** One OUT of the driver's +tree (see tree.c). */
export function decodeTreeEntry(line: string): TreeEntry {
  const f = line.split(':') as [string, ...string[]];
  const time = (i: number): Timespec => {
    const [sec, nsec] = f[i].split('.');
    return { sec: Number(sec), nsec: Number(nsec) };
  };
  return {
    path: decodeText(f[0]),
    ino: Number(f[1]),
    mode: Number(f[2]),
    nlink: Number(f[3]),
    uid: Number(f[4]),
    gid: Number(f[5]),
    rdev: Number(f[6]),
    size: Number(f[7]),
    blocks: Number(f[8]),
    atime: time(9),
    mtime: time(10),
    ctime: time(11),
    sum: Number(f[12]),
    extents: f[13],
    target: decodeText(f[14]),
    xattrs: f[15] === '' ? [] : f[15].split(',').map(decodeXattr).sort(),
  };
}

function decodeXattr(pair: string): string {
  const [name, value] = pair.split('=');
  return `${decodeText(name)}=${value}`;
}
