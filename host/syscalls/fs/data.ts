/**
 * Descriptors and the bytes behind them: open, close, read, write and their vectors, each in a
 * synchronous form and in one that may wait (`…Later`: a result or a promise of it), and the
 * calls on a descriptor that never wait.
 */
import { ERESTART } from '../../../assembly/abi/errno.ts';
import { AT_FDCWD, IOV_MAX, O_CLOEXEC } from '../../../assembly/abi/flags.ts';
import { IOV_SIZE, SA_IOV } from '../../../assembly/abi/layout.ts';
import type { Trap } from '../trap.ts';
import { bytesOf, type KernelPath, toFd, toLength } from './validate.ts';

/** Apply to a result that is there already or comes later. (A module that exports `then` is thenable.) */
export function after<T, U>(value: T | Promise<T>, next: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export function dataCalls(trap: Trap) {
  const { spaces } = trap.cpu;
  const { u32 } = trap.cpu;
  const iov = (trap.cpu.area + SA_IOV) >>> 2;
  const {
    sys_openat,
    sys_close,
    sys_read,
    sys_write,
    sys_pread,
    sys_pwrite,
    sys_readv,
    sys_writev,
    sys_preadv,
    sys_pwritev,
    sys_fsync,
    sys_fdatasync,
    sys_ftruncate,
  } = trap.exports;

  /** Open with the machine's flags. Throws. */
  function open(path: KernelPath, flags: number, mode: number): number {
    let fd = sys_openat(AT_FDCWD, trap.path1(path), flags | O_CLOEXEC, mode);
    if (fd < 0) {
      if (fd === -ERESTART)
        fd = trap.block(() => sys_openat(AT_FDCWD, trap.path1(path), flags | O_CLOEXEC, mode));
      if (fd < 0) throw trap.failure(fd, 'open', path);
    }
    trap.changed();
    return fd;
  }

  function openLater(
    path: KernelPath,
    flags: number,
    mode: number,
    signal?: AbortSignal,
  ): number | Promise<number> {
    const issue = () => sys_openat(AT_FDCWD, trap.path1(path), flags | O_CLOEXEC, mode);
    return after(trap.later(issue, signal), (fd) => {
      if (fd < 0) throw trap.failure(fd, 'open', path);
      return fd;
    });
  }

  function close(fd: number): void {
    trap.enter();
    const result = sys_close(fd);
    if (result < 0) throw trap.failure(result, 'close');
    trap.changed();
  }

  const closeSync = (fd: number) => close(toFd(fd));

  function transfer(
    call: Transfer,
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number {
    trap.enter();
    spaces[0] = bytes;
    switch (call) {
      case 'read':
        return position < 0 ? sys_read(fd, 0, offset, length) : sys_pread(fd, 0, offset, length, position);
      default:
        return position < 0 ? sys_write(fd, 0, offset, length) : sys_pwrite(fd, 0, offset, length, position);
    }
  }

  // A result that is not a count: the call must wait, or it failed.
  function afterTransfer(
    result: number,
    call: Transfer,
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number {
    let count = result;
    if (count === -ERESTART) count = trap.block(() => transfer(call, fd, bytes, offset, length, position));
    if (count < 0) throw trap.failure(count, call);
    trap.changed();
    return count;
  }

  /** Read into part of a buffer; position < 0: from the file's own. Throws. */
  function read(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    trap.enter();
    spaces[0] = bytes;
    const count = position < 0 ? sys_read(fd, 0, offset, length) : sys_pread(fd, 0, offset, length, position);
    if (count < 0) return afterTransfer(count, 'read', fd, bytes, offset, length, position);
    trap.changed();
    return count;
  }

  /** Write part of a buffer; position < 0: at the file's own. Throws. */
  function write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number {
    trap.enter();
    spaces[0] = bytes;
    const count =
      position < 0 ? sys_write(fd, 0, offset, length) : sys_pwrite(fd, 0, offset, length, position);
    if (count < 0) return afterTransfer(count, 'write', fd, bytes, offset, length, position);
    trap.changed();
    return count;
  }

  function transferLater(
    call: Transfer,
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
    signal?: AbortSignal,
  ): number | Promise<number> {
    const issue = () => transfer(call, fd, bytes, offset, length, position);
    return after(trap.later(issue, signal), (count) => {
      if (count < 0) throw trap.failure(count, call);
      return count;
    });
  }

  // One call takes at most IOV_MAX buffers; what is left over is the caller's short count.
  function vector(call: Transfer, fd: number, views: NodeJS.ArrayBufferView[], position: number): number {
    trap.enter();
    const count = Math.min(views.length, IOV_MAX);
    for (let i = 0; i < count; i++) {
      const bytes = bytesOf(views[i]);
      const at = iov + (i * IOV_SIZE) / 4;
      spaces[i] = bytes;
      u32[at] = i;
      u32[at + 1] = 0;
      u32[at + 2] = bytes.length;
    }
    if (call === 'read') return position < 0 ? sys_readv(fd, count) : sys_preadv(fd, count, position);
    return position < 0 ? sys_writev(fd, count) : sys_pwritev(fd, count, position);
  }

  function vectorSync(call: Transfer, fd: number, views: NodeJS.ArrayBufferView[], position: number): number {
    let count = vector(call, fd, views, position);
    if (count === -ERESTART) count = trap.block(() => vector(call, fd, views, position));
    if (count < 0) throw trap.failure(count, call);
    trap.changed();
    return count;
  }

  function vectorLater(
    call: Transfer,
    fd: number,
    views: NodeJS.ArrayBufferView[],
    position: number,
  ): number | Promise<number> {
    return after(
      trap.later(() => vector(call, fd, views, position)),
      (count) => {
        if (count < 0) throw trap.failure(count, call);
        return count;
      },
    );
  }

  function fsyncSync(fd: number): void {
    const file = toFd(fd);
    trap.enter();
    const result = sys_fsync(file);
    if (result < 0) throw trap.failure(result, 'fsync');
  }

  function fdatasyncSync(fd: number): void {
    const file = toFd(fd);
    trap.enter();
    const result = sys_fdatasync(file);
    if (result < 0) throw trap.failure(result, 'fdatasync');
  }

  function ftruncateSync(fd: number, len?: number | null): void {
    const file = toFd(fd);
    const length = toLength(len);
    trap.enter();
    const result = sys_ftruncate(file, length);
    if (result < 0) throw trap.failure(result, 'ftruncate');
    trap.changed();
  }

  return {
    open,
    openLater,
    close,
    closeSync,
    read,
    write,
    readLater: (
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
      position: number,
      signal?: AbortSignal,
    ) => transferLater('read', fd, bytes, offset, length, position, signal),
    writeLater: (
      fd: number,
      bytes: Uint8Array,
      offset: number,
      length: number,
      position: number,
      signal?: AbortSignal,
    ) => transferLater('write', fd, bytes, offset, length, position, signal),
    vectorSync,
    vectorLater,
    fsyncSync,
    fdatasyncSync,
    ftruncateSync,
  };
}

type Transfer = 'read' | 'write';

export type DataCalls = ReturnType<typeof dataCalls>;
