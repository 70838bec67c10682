/**
 * Locks of Linux's programs, kept by the machine's kernel, so that they bind whoever else uses it.
 *
 * A record lock belongs to an owner, which is a process of Linux's as it seems from here: each has a process
 * in the machine, whose locks are then what the kernel makes of them (conflicts, ranges, EDEADLK). It has the
 * locked files open, each once; when Linux closes a file for the owner that one is closed, and its locks go.
 * flock(2) belongs to the open file, and is the descriptor's that the request names.
 *
 *     setlk ─→ had, refused ─→ answered
 *     setlkw ─→ waits: its Lwp is kept ─ whoever unlocks wakes it ─→ asked again, until it is answered
 *                  └─ INTERRUPT, or the file is closed ─→ EINTR
 *
 * K1. An owner has a process from its first lock until nothing of it is open there.
 */
import { EINTR, ERESTART } from '../../assembly/abi/errno.ts';
import {
  F_GETLK,
  F_SETLK,
  F_SETLKW,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  SEEK_SET,
} from '../../assembly/abi/flags.ts';
import { FL_LEN, FL_PID, FL_START, FL_TYPE, SA_DATA } from '../../assembly/abi/layout.ts';
import * as fuse from './protocol.ts';
import { NO_ANSWER, type Request } from './request.ts';
import type { Server } from './server.ts';

interface Owner {
  /** The process of the machine that stands for it. */
  readonly pid: number;
  /** What Linux calls it. */
  readonly linuxPid: number;
  /** By file handle: the descriptor of the same open file in its process, and the node. */
  readonly files: Map<number, { readonly fd: number; readonly id: number }>;
}

interface Waiting {
  readonly pid: number;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  /** The call, as it is to be made again. */
  issue(): number;
}

/** Where the last byte of a range is "the end": FUSE says OFFSET_MAX, and numbers are exact below this. */
const TO_THE_END = 2 ** 53;

/** Start and length, as fcntl counts them. */
function rangeOf(request: Request): [start: number, length: number] {
  const start = request.u64(fuse.LK_IN_START);
  const end = request.u64(fuse.LK_IN_END);
  return [start, end >= TO_THE_END ? 0 : end - start + 1];
}

export class Locks {
  readonly #server: Server;
  readonly #owners = new Map<bigint, Owner>();
  /** By Lwp. */
  readonly #waiting = new Map<number, Waiting>();

  constructor(server: Server) {
    this.#server = server;
  }

  /** Has anybody a record lock, or waits for any lock? */
  get any(): boolean {
    return this.#owners.size !== 0;
  }

  /** What stands in the way of a lock. */
  get(request: Request, fh: number): number {
    const { server, owner, fd } = this.#as(request, fh);
    if (fd < 0) return fd;
    const [start, length] = rangeOf(request);
    const { exports, answer, cpu } = server;
    const result = exports.sys_fcntl_lock(fd, F_GETLK, request.u32(fuse.LK_IN_TYPE), SEEK_SET, start, length);
    if (result >= 0) {
      const { f64, u32 } = cpu;
      const at = cpu.area + SA_DATA;
      const from = f64[(at + FL_START) >>> 3];
      const size = f64[(at + FL_LEN) >>> 3];
      answer.put64(fuse.LK_OUT_START, from);
      answer.put64(fuse.LK_OUT_END, from + size - 1);
      if (size === 0) {
        answer.put32(fuse.LK_OUT_END, fuse.LK_TO_THE_END_LOW);
        answer.put32(fuse.LK_OUT_END + 4, fuse.LK_TO_THE_END_HIGH);
      }
      answer.put32(fuse.LK_OUT_TYPE, u32[(at + FL_TYPE) >>> 2]);
      answer.put32(fuse.LK_OUT_PID, this.#linuxPid(u32[(at + FL_PID) >>> 2]));
    }
    this.#settle(request.key(fuse.LK_IN_OWNER), owner);
    return result < 0 ? result : fuse.LK_OUT;
  }

  #linuxPid(pid: number): number {
    for (const owner of this.#owners.values()) if (owner.pid === pid) return owner.linuxPid;
    return 0;
  }

  /** Take or leave a lock: 0, a negated errno, or NO_ANSWER while it must wait. */
  set(request: Request, fh: number, wait: boolean): number {
    if (request.u32(fuse.LK_IN_FLAGS) & fuse.FUSE_LK_FLOCK) return this.#flock(request, fh, wait);
    const type = request.u32(fuse.LK_IN_TYPE);
    const key = request.key(fuse.LK_IN_OWNER);
    if (type === F_UNLCK && !this.#owners.has(key)) return 0;
    const { server, owner, fd } = this.#as(request, fh);
    if (fd < 0) return fd;
    const [start, length] = rangeOf(request);
    const command = wait ? F_SETLKW : F_SETLK;
    const issue = () => server.exports.sys_fcntl_lock(fd, command, type, SEEK_SET, start, length);
    return this.#issued(request, owner.pid, issue);
  }

  #flock(request: Request, fh: number, wait: boolean): number {
    const { exports, cpu } = this.#server;
    const type = request.u32(fuse.LK_IN_TYPE);
    const what = type === F_UNLCK ? LOCK_UN : type === F_WRLCK ? LOCK_EX : LOCK_SH;
    return this.#issued(request, cpu.pid, () => exports.sys_flock(fh, wait ? what : what | LOCK_NB));
  }

  #issued(request: Request, pid: number, issue: () => number): number {
    const { uniqueLow, uniqueHigh } = request;
    const result = issue();
    if (result === -ERESTART) this.#wait({ pid, uniqueLow, uniqueHigh, issue });
    this.#server.enter();
    return result === -ERESTART ? NO_ANSWER : result;
  }

  /** Become the owner that the request names; its process, and the file's descriptor there or an errno. */
  #as(request: Request, fh: number) {
    const server = this.#server;
    const { exports, cpu } = server;
    const serverPid = cpu.pid;
    const key = request.key(fuse.LK_IN_OWNER);
    let owner = this.#owners.get(key);
    if (owner === undefined) {
      const pid = exports.proc_create(serverPid, 0, 0, 0, 0);
      if (pid < 0) return { server, owner: { pid: 0, linuxPid: 0, files: new Map() }, fd: pid };
      owner = { pid, linuxPid: request.u32(fuse.LK_IN_PID), files: new Map() };
      this.#owners.set(key, owner);
    }
    server.switchTo(owner.pid);
    let fd = owner.files.get(fh)?.fd;
    if (fd === undefined) {
      fd = exports.proc_fdcopy(serverPid, fh);
      if (fd >= 0) owner.files.set(fh, { fd, id: request.nodeid });
      else this.#settle(key, owner);
    }
    return { server, owner, fd };
  }

  /** Back to the server's process; an owner without any file is none any more. */
  #settle(key: bigint, owner: Owner): void {
    const server = this.#server;
    if (owner.files.size === 0 && owner.pid !== 0) {
      this.#owners.delete(key);
      for (const [lwp, { pid, uniqueLow, uniqueHigh }] of this.#waiting) {
        if (pid === owner.pid) this.#giveUp(lwp, pid, uniqueLow, uniqueHigh);
      }
      server.exports.proc_exit(owner.pid);
      server.cpu.pid = 0;
    }
    server.enter();
  }

  /** Linux closed a descriptor of the node for this owner: the locks that it has on it go. */
  closed(key: bigint, id: number): void {
    const owner = this.#owners.get(key);
    if (owner === undefined) return;
    this.#closeWhere(key, owner, (file) => file.id === id);
  }

  /** The open file itself is gone, for all. */
  fileClosed(fh: number): void {
    for (const [key, owner] of this.#owners) {
      if (owner.files.has(fh)) this.#closeWhere(key, owner, (_, handle) => handle === fh);
    }
  }

  #closeWhere(key: bigint, owner: Owner, wanted: (file: { id: number }, fh: number) => boolean): void {
    const server = this.#server;
    server.switchTo(owner.pid);
    for (const [fh, file] of owner.files) {
      if (!wanted(file, fh)) continue;
      owner.files.delete(fh);
      server.exports.sys_close(file.fd);
    }
    this.#settle(key, owner);
  }

  /** Linux gave this request up: if it waits, that is its answer. */
  interrupt(uniqueLow: number, uniqueHigh: number): void {
    const server = this.#server;
    for (const [lwp, waiting] of this.#waiting) {
      if (waiting.uniqueLow !== uniqueLow || waiting.uniqueHigh !== uniqueHigh) continue;
      this.#giveUp(lwp, waiting.pid, uniqueLow, uniqueHigh);
      server.enter();
      return;
    }
  }

  /** A wait ends without the lock. */
  #giveUp(lwp: number, pid: number, uniqueLow: number, uniqueHigh: number): void {
    const server = this.#server;
    this.#waiting.delete(lwp);
    server.cpu.scheduler.forget(lwp);
    server.switchTo(pid);
    server.reply(server.exports.sys_cancel(lwp), uniqueLow, uniqueHigh);
  }

  /** The call that was just made waits: the scheduler lets it go on when it may. */
  #wait(waiting: Waiting): void {
    const { exports, cpu } = this.#server;
    const lwp = exports.lwp_current();
    this.#waiting.set(lwp, waiting);
    cpu.scheduler.wait(lwp, {
      pid: waiting.pid,
      go: () => this.#again(lwp, waiting),
      killed: () => {
        this.#waiting.delete(lwp);
        this.#server.reply(-EINTR, waiting.uniqueLow, waiting.uniqueHigh);
      },
    });
  }

  /** Ask again: answered now, unless it has to wait once more. */
  #again(lwp: number, waiting: Waiting): void {
    const server = this.#server;
    this.#waiting.delete(lwp);
    if (server.exports.proc_switch(waiting.pid) < 0) return;
    server.cpu.pid = waiting.pid;
    server.exports.sys_resume(lwp);
    const result = waiting.issue();
    if (result === -ERESTART) this.#wait(waiting);
    else server.reply(result, waiting.uniqueLow, waiting.uniqueHigh);
  }

  /** Nobody waits any more, and nobody has anything. */
  close(): void {
    const server = this.#server;
    for (const [lwp, { pid }] of this.#waiting) {
      server.cpu.scheduler.forget(lwp);
      server.switchTo(pid);
      server.exports.sys_cancel(lwp);
    }
    this.#waiting.clear();
    for (const [key, owner] of this.#owners) this.#closeWhere(key, owner, () => true);
    server.enter();
  }
}
