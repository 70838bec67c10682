/**
 * The host side of a trap: what every system call of one process does before and after it enters
 * the kernel. The paths of a call and its results lie in the CPU's syscall area, so a result is
 * read before the next call is made.
 *
 * A call is written as a straight line: `enter` (or `path1`, which enters) makes this process the
 * CPU's current one, the export is called, and only a negative result leaves the line. Calls that
 * may wait are given as a function, to be issued again when the kernel says so.
 */
import { EDEADLK, ERESTART, ESRCH } from '../../assembly/abi/errno.ts';
import { PATH_MAX } from '../../assembly/abi/flags.ts';
import { SA_DATA, SA_DATA_SIZE, SA_PATH2, SA_SIZE } from '../../assembly/abi/layout.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { KernelExports } from '../machine/exports.ts';
import { AbortError } from './fs/errors.ts';
import { decodeBytes, encodeBytes } from './bytes.ts';
import { nullBytes } from './fs/validate.ts';
import { syscallError } from './errors.ts';
import { Buffer, textReader } from '#platform';

const encoder = new TextEncoder();

export class Trap {
  readonly cpu: Cpu;
  readonly pid: number;
  readonly exports: KernelExports;
  /** The syscall area. */
  readonly area: Uint8Array;
  /** The results part of the area, SA_DATA on. */
  readonly data: Uint8Array;
  readonly dataF64: Float64Array;
  readonly dataU32: Uint32Array;
  /** UTF-8 text of the area: (start, end), offsets in it. */
  text: (start: number, end: number) => string;
  #escaped = false;
  readonly #machine: Uint32Array;
  readonly #news: number;

  constructor(cpu: Cpu, pid: number) {
    this.cpu = cpu;
    this.pid = pid;
    this.exports = cpu.exports;
    const { buffer } = cpu.memory;
    this.area = new Uint8Array(buffer, cpu.area, SA_SIZE);
    this.data = new Uint8Array(buffer, cpu.area + SA_DATA, SA_DATA_SIZE);
    this.dataF64 = new Float64Array(buffer, cpu.area + SA_DATA, SA_DATA_SIZE / 8);
    this.dataU32 = new Uint32Array(buffer, cpu.area + SA_DATA, SA_DATA_SIZE / 4);
    this.text = textReader(this.area);
    this.#machine = cpu.u32;
    this.#news = cpu.news;
  }

  /** Make this process the CPU's current one. */
  enter(): void {
    if (this.cpu.pid !== this.pid) this.#switch();
  }

  /**
   * From now on text stands for any bytes, in paths and in names that calls give (bytes.ts): programs
   * hand names from one to another, and none may change on the way. Otherwise U+FFFD stands for what
   * is not UTF-8, as Node has it.
   */
  escapeText(): void {
    if (this.#escaped) return;
    this.#escaped = true;
    const plain = this.text;
    this.text = (start, end) => {
      const text = plain(start, end);
      return text.includes('\uFFFD') ? decodeBytes(this.area.slice(start, end)) : text;
    };
  }

  /** A name's bytes as text. */
  decode(bytes: Uint8Array): string {
    return this.#escaped ? decodeBytes(bytes) : Buffer.from(bytes).toString();
  }

  /** Enter, and write the call's first path. Returns its length in bytes, PATH_MAX if too long.
   *  `name` is the argument's, for the error when the path holds a NUL. */
  path1(path: string | Uint8Array, name = 'path'): number {
    if (this.cpu.pid !== this.pid) this.#switch();
    if (typeof path !== 'string') return this.#putBytes(path, 0);
    const { area } = this;
    const { length } = path;
    if (length >= PATH_MAX) return PATH_MAX;
    for (let i = 0; i < length; i++) {
      const c = path.charCodeAt(i);
      if ((c - 1) >>> 0 >= 0x7f) return this.#putText(path, 0, name);
      area[i] = c;
    }
    return length;
  }

  /** Write the call's second path. Returns its length in bytes, PATH_MAX if too long.
   *  `name` is the argument's, for the error when the path holds a NUL. */
  path2(path: string | Uint8Array, name = 'path'): number {
    if (typeof path !== 'string') return this.#putBytes(path, SA_PATH2);
    const { area } = this;
    const { length } = path;
    if (length >= PATH_MAX) return PATH_MAX;
    for (let i = 0; i < length; i++) {
      const c = path.charCodeAt(i);
      if ((c - 1) >>> 0 >= 0x7f) return this.#putText(path, SA_PATH2, name);
      area[SA_PATH2 + i] = c;
    }
    return length;
  }

  /** A call that changes something is over: whoever it woke may go on. */
  changed(): void {
    if (this.#machine[this.#news] !== 0) this.cpu.scheduler.kick();
  }

  /**
   * A synchronous call returned -ERESTART. Others who may go on are let go on, and the call is
   * issued again once that woke it. Returns its result; -EDEADLK when nobody could wake it.
   */
  block(issue: () => number): number {
    const { exports } = this;
    for (;;) {
      const lwp = exports.lwp_current();
      if (!this.cpu.scheduler.runUntil(lwp)) {
        this.enter();
        const done = exports.sys_cancel(lwp);
        return done > 0 ? done : -EDEADLK;
      }
      this.enter();
      exports.sys_resume(lwp);
      const result = issue();
      if (result !== -ERESTART) return result;
    }
  }

  /**
   * Issue a call that may have to wait: its result, or a promise of it. The promise is rejected
   * with an AbortError when `signal` aborts the wait, and with ESRCH when the process ends.
   */
  later(issue: () => number, signal?: AbortSignal): number | Promise<number> {
    const result = issue();
    if (result === -ERESTART) return this.#sleep(issue, signal);
    this.changed();
    return result;
  }

  #sleep(issue: () => number, signal: AbortSignal | undefined): Promise<number> {
    const { exports, cpu, pid } = this;
    return new Promise((resolve, reject) => {
      let lwp = exports.lwp_current();
      const abort = () => {
        cpu.scheduler.forget(lwp);
        this.enter();
        exports.sys_cancel(lwp);
        reject(new AbortError(signal?.reason));
      };
      const waiter = {
        pid,
        go: () => {
          try {
            this.enter();
            exports.sys_resume(lwp);
            const result = issue();
            if (result === -ERESTART) {
              lwp = exports.lwp_current();
              cpu.scheduler.wait(lwp, waiter);
              return;
            }
            signal?.removeEventListener('abort', abort);
            this.changed();
            resolve(result);
          } catch (error) {
            reject(error);
          }
        },
        killed: () => {
          signal?.removeEventListener('abort', abort);
          reject(cpu.panic ?? syscallError(ESRCH, 'wait'));
        },
      };
      cpu.scheduler.wait(lwp, waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The error for a call's negative result. */
  failure(result: number, syscall: string, path?: string | Uint8Array, dest?: string | Uint8Array): Error {
    return this.cpu.panic ?? syscallError(-result, syscall, shown(path), shown(dest));
  }

  /** A path that is not all ASCII, or holds a NUL. */
  #putText(path: string, at: number, name: string): number {
    if (path.includes('\0')) throw nullBytes(name, path);
    return this.#putBytes(this.#escaped ? encodeBytes(path) : encoder.encode(path), at);
  }

  #putBytes(bytes: Uint8Array, at: number): number {
    if (bytes.length >= PATH_MAX) return PATH_MAX;
    this.area.set(bytes, at);
    return bytes.length;
  }

  #switch(): void {
    const result = this.exports.proc_switch(this.pid);
    if (result < 0) throw this.failure(result, 'proc_switch');
    this.cpu.pid = this.pid;
  }
}

/** A path as an error shows it. (TextDecoder refuses shared memory in browsers.) */
function shown(path: string | Uint8Array | undefined): string | undefined {
  return path === undefined || typeof path === 'string' ? path : Buffer.from(path).toString();
}
