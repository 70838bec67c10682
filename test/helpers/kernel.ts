/**
 * The bare kernel with the few calls that most tests need spelled out: path and buffers in, the
 * result as the kernel gives it (negative: an errno) out.
 */
import { AT_FDCWD, AT_REMOVEDIR, O_CREAT, O_RDONLY, O_RDWR } from '../../assembly/abi/flags.ts';
import {
  GD_COUNT,
  GD_HEADER,
  GD_REC_NAMELEN,
  GD_REC_SIZE,
  GD_REC_TYPE,
  SA_DATA,
  SA_PATH1,
  SA_PATH2,
  ST_INO,
  ST_MODE,
  ST_NLINK,
  ST_SIZE,
} from '../../assembly/abi/layout.ts';
import { errnoName } from '../oracle/errno.ts';
import { BareMachine, type MachineOptions } from '../oracle/bare.ts';
import { checkRam } from './ram.ts';

export interface Entry {
  name: string;
  /** DT_* */
  type: number;
}

export interface Status {
  ino: number;
  mode: number;
  nlink: number;
  size: number;
}

const encoder = new TextEncoder();

export class Kernel extends BareMachine {
  /** The process that the calls below act for. */
  pid: number;

  constructor(options: MachineOptions) {
    super(options);
    this.pid = this.kernel.proc_create(0, 0, 0, 0, 0);
    this.ok(this.pid, 'proc_create');
    this.enter(this.pid);
    this.kernel.sys_umask(0);
  }

  /** @throws Error when a call that must not fail did */
  ok(result: number, what: string): number {
    if (result < 0) throw new Error(`${what}: ${errnoName(result)}`);
    return result;
  }

  /** Write a path into the syscall area; returns its length in bytes. */
  path(text: string, at: number = SA_PATH1): number {
    const area = this.area + at;
    // most paths are short and ASCII
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c >= 128) {
        const bytes = encoder.encode(text);
        this.u8.set(bytes, area);
        return bytes.length;
      }
      this.u8[area + i] = c;
    }
    return text.length;
  }

  open(path: string, flags: number = O_RDONLY, mode = 0o644): number {
    return this.kernel.sys_openat(AT_FDCWD, this.path(path), flags, mode);
  }

  close(fd: number): number {
    return this.kernel.sys_close(fd);
  }

  mkdir(path: string, mode = 0o755): number {
    return this.kernel.sys_mkdirat(AT_FDCWD, this.path(path), mode);
  }

  unlink(path: string): number {
    return this.kernel.sys_unlinkat(AT_FDCWD, this.path(path), 0);
  }

  rmdir(path: string): number {
    return this.kernel.sys_unlinkat(AT_FDCWD, this.path(path), AT_REMOVEDIR);
  }

  rename(from: string, to: string, flags = 0): number {
    const fromLength = this.path(from);
    return this.kernel.sys_renameat2(AT_FDCWD, fromLength, AT_FDCWD, this.path(to, SA_PATH2), flags);
  }

  link(from: string, to: string): number {
    const fromLength = this.path(from);
    return this.kernel.sys_linkat(AT_FDCWD, fromLength, AT_FDCWD, this.path(to, SA_PATH2), 0);
  }

  symlink(target: string, path: string): number {
    const targetLength = this.path(target);
    return this.kernel.sys_symlinkat(targetLength, AT_FDCWD, this.path(path, SA_PATH2));
  }

  /** An empty file (or the file as it is): 0 or an errno. */
  touch(path: string, mode = 0o644): number {
    const fd = this.open(path, O_CREAT | O_RDWR, mode);
    return fd < 0 ? fd : this.close(fd);
  }

  mount(type: string, target: string, options = '', flags = 0, source = 'none'): number {
    const sourceLength = this.path(source);
    const targetLength = this.path(target, SA_PATH2);
    const typeLength = this.path(type, SA_DATA);
    const optionsLength = this.path(options, SA_DATA + typeLength);
    return this.kernel.sys_mount(sourceLength, targetLength, typeLength, optionsLength, flags);
  }

  umount(path: string, flags = 0): number {
    return this.kernel.sys_umount2(this.path(path), flags);
  }

  pwrite(fd: number, bytes: Uint8Array, offset: number): number {
    this.spaces[0] = bytes;
    return this.kernel.sys_pwrite(fd, 0, 0, bytes.length, offset);
  }

  pread(fd: number, bytes: Uint8Array, offset: number): number {
    this.spaces[0] = bytes;
    return this.kernel.sys_pread(fd, 0, 0, bytes.length, offset);
  }

  setxattr(path: string, name: string, value: Uint8Array): number {
    this.spaces[0] = value;
    const length = this.path(path);
    return this.kernel.sys_setxattr(AT_FDCWD, length, 0, this.path(name, SA_PATH2), 0, 0, value.length, 0);
  }

  /** 0 and the attributes read from the syscall area by {@link status}, or an errno. */
  lstat(path: string): number {
    return this.kernel.sys_lstat(this.path(path));
  }

  /** What the last stat call wrote. */
  status(): Status {
    const at = this.area + SA_DATA;
    return {
      ino: this.f64[(at + ST_INO) >>> 3],
      nlink: this.f64[(at + ST_NLINK) >>> 3],
      size: this.f64[(at + ST_SIZE) >>> 3],
      mode: this.u32[(at + ST_MODE) >>> 2],
    };
  }

  /** The entries that the last getdents call wrote. */
  entries(): Entry[] {
    const at = this.area + SA_DATA;
    const count = this.u32[(at + GD_COUNT) >>> 2];
    const entries: Entry[] = [];
    let name = this.area + SA_PATH1;
    for (let i = 0; i < count; i++) {
      const record = at + GD_HEADER + i * GD_REC_SIZE;
      const length = this.u32[(record + GD_REC_NAMELEN) >>> 2];
      let text = '';
      for (let j = 0; j < length; j++) text += String.fromCharCode(this.u8[name + j]);
      entries.push({ name: text, type: this.u8[record + GD_REC_TYPE] });
      name += length + 1;
    }
    return entries;
  }

  /** Every entry of a directory but dot and dot-dot, or an errno. */
  readdir(path: string): Entry[] | number {
    const fd = this.open(path);
    if (fd < 0) return fd;
    const all: Entry[] = [];
    let n = this.kernel.sys_getdents(fd, 0);
    for (; n > 0; n = this.kernel.sys_getdents(fd, 0)) {
      for (const entry of this.entries()) if (entry.name !== '.' && entry.name !== '..') all.push(entry);
    }
    this.ok(this.close(fd), 'close');
    return n < 0 ? n : all;
  }

  /** Frames free, as the boot block says. */
  get framesFree(): number {
    return checkRam(this).free;
  }
}
