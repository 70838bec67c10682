/**
 * The server of a mounted tree: requests of Linux's one by one, each to its operation, its answer back.
 *
 *     transport.read ─→ Request ─→ OPERATIONS[opcode] ─→ sys_* of the kernel ─→ Answer ─→ transport.write
 *
 * One process of the machine does all of it, as whoever the request is from. An operation is a function of
 * (server, request): it writes the answer's body and returns its length, or a negated errno, or NO_ANSWER.
 *
 * S1. Nothing that a request holds makes the server throw: only a panic of the machine's kernel does.
 * S2. A request is answered exactly once, unless its operation has no answer or Linux took it back.
 * S3. No request waits for another: a lock that must wait is answered when it is had (locks.ts).
 */
import { EAGAIN, EINVAL, EIO, ENOSYS, ERESTART } from '../../assembly/abi/errno.ts';
import { SA_PATH1, SA_PATH2, SA_SIZE } from '../../assembly/abi/layout.ts';
import { O_DIRECTORY, O_PATH, RLIMIT_NOFILE } from '../../assembly/abi/flags.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { KernelExports } from '../machine/exports.ts';
import type { Machine } from '../machine/machine.ts';
import type { Process } from '../syscalls/process.ts';
import { type Timeout, timeoutOf } from './attributes.ts';
import { Callers } from './credentials.ts';
import { Files } from './files.ts';
import { Locks } from './locks.ts';
import { Nodes } from './nodes.ts';
import { type Operation, OPERATIONS } from './ops/index.ts';
import { SERVE_DEFAULTS, type ServeOptions } from './options.ts';
import { FUSE_IN_HEADER, FUSE_OUT_HEADER } from './protocol.ts';
import { Answer, NO_ANSWER, Request } from './request.ts';

/** Where requests come from and answers go: /dev/fuse, or what a test has in its place. */
export interface Transport {
  /** The next request, into `into`: its length. 0: there will be none, since nothing is mounted any more. */
  read(into: Uint8Array): number;
  /** An answer. One to a request that Linux has given up is dropped. */
  write(bytes: Uint8Array, length: number): void;
}

/** The most that one read or write carries; Linux's own limit is 256 pages. */
export const MAX_TRANSFER = 1 << 20;
/** Of a request's buffer. */
export const MAX_REQUEST = MAX_TRANSFER + 4096;
const TICK_MS = 1000;

export class Server {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly exports: KernelExports;
  readonly options: ServeOptions;
  /** The one that is worked on. Whoever reads into several buffers puts in here which it is. */
  request = new Request(new ArrayBuffer(MAX_REQUEST));
  readonly answer = new Answer(MAX_TRANSFER);
  /** The syscall area. */
  readonly area: Uint8Array;
  readonly nodes: Nodes;
  readonly files = new Files();
  readonly callers: Callers;
  readonly locks: Locks;
  entryValid: Timeout;
  readonly attrValid: Timeout;
  negativeValid: Timeout;
  /** Requests that may have changed something. */
  changes = 0;
  /** Requests that were answered. */
  served = 0;
  /** The minor version that Linux offered; 0: it has not yet. */
  linuxMinor = 0;
  /** INIT has been, and DESTROY has not. */
  ready = false;
  readonly #transport: Transport;
  /** Who does all of it in the machine. */
  readonly process: Process;
  readonly #pid: number;
  #tickedMs = 0;

  /**
   * @param root  the directory of the machine that is served
   * @throws SyscallError when it cannot be
   */
  constructor(machine: Machine, root: string, transport: Transport, options: Partial<ServeOptions> = {}) {
    const process = machine.process();
    process.umask(0);
    const [, hard] = process.getrlimit(RLIMIT_NOFILE);
    process.setrlimit(RLIMIT_NOFILE, hard, hard);
    const rootFd = process.openat(-100, root, O_PATH | O_DIRECTORY);
    this.machine = machine;
    this.cpu = machine.cpu;
    this.exports = machine.cpu.exports;
    this.options = { ...SERVE_DEFAULTS, ...options };
    this.entryValid = timeoutOf(this.options.entryTimeout);
    this.attrValid = timeoutOf(this.options.attrTimeout);
    this.negativeValid = timeoutOf(this.options.negativeTimeout);
    this.area = new Uint8Array(this.cpu.memory.buffer, this.cpu.area, SA_SIZE);
    this.#transport = transport;
    this.process = process;
    this.#pid = process.pid;
    process.enter();
    this.nodes = new Nodes(this.cpu, rootFd);
    this.callers = new Callers(this.cpu);
    this.locks = new Locks(this);
  }

  /** Serve until nothing is mounted any more. @throws KernelPanic */
  run(): void {
    const { bytes } = this.request;
    for (;;) {
      const length = this.#transport.read(bytes);
      if (length === 0) return;
      this.serve(length);
    }
  }

  /** Work on the request of `length` bytes that was read. */
  serve(length: number): void {
    const { request, cpu } = this;
    this.#passTime();
    // what has no header cannot even be refused
    if (!request.arrived(length)) {
      if (length >= FUSE_IN_HEADER) this.reply(-EINVAL, request.uniqueLow, request.uniqueHigh);
      return;
    }
    const result = this.#perform(OPERATIONS[request.opcode]);
    if (result !== NO_ANSWER) this.reply(result, request.uniqueLow, request.uniqueHigh);
    this.served++;
    // whoever waits for a lock that this gave back, and in a machine that others use, they too
    if (cpu.runnable) cpu.scheduler.drain();
  }

  #perform(operation: Operation | undefined): number {
    const { request, cpu } = this;
    if (operation === undefined) return -ENOSYS;
    if (!this.ready && !operation.early) return operation.silent ? NO_ANSWER : -EIO;
    if (request.bodyLength < operation.least) return operation.silent ? NO_ANSWER : -EINVAL;
    if (cpu.pid !== this.#pid) this.enter();
    if (operation.changes) this.changes++;
    const result = operation.asCaller ? this.callers.become(request.uid, request.gid, request.pid) : 0;
    if (result < 0) return result;
    const done = operation.run(this, request);
    if (done !== -ERESTART) return done;
    // nothing that is served here waits, and whoever would has somebody else's requests behind it
    this.exports.sys_cancel(this.exports.lwp_current());
    return -EAGAIN;
  }

  /** The server's own process is the current one from now on. */
  enter(): void {
    this.switchTo(this.#pid);
  }

  /** @throws KernelPanic, or an error: then the process is gone, which nothing but the machine's end explains */
  switchTo(pid: number): void {
    if (this.exports.proc_switch(pid) < 0) throw this.cpu.panic ?? new Error(`process ${pid} is gone`);
    this.cpu.pid = pid;
  }

  /** Answer a request: with an error, or with a body of `result` bytes. */
  reply(result: number, uniqueLow: number, uniqueHigh: number): void {
    const length = Math.max(result, 0);
    this.answer.head(Math.min(result, 0), length, uniqueLow, uniqueHigh);
    this.#transport.write(this.answer.bytes, FUSE_OUT_HEADER + length);
  }

  /** Once a second the kernel writes back what has grown old. Requests are what moves time on here. */
  #passTime(): void {
    const nowMs = performance.now();
    if (nowMs - this.#tickedMs < TICK_MS) return;
    this.#tickedMs = nowMs;
    this.exports.machine_tick();
    this.exports.clock_tick();
  }

  /** The request's last name as the kernel's first path: its length. */
  putName1(): number {
    return this.#putName(SA_PATH1);
  }

  putName2(): number {
    return this.#putName(SA_PATH2);
  }

  #putName(at: number): number {
    const { area } = this;
    const { bytes, nameAt, nameLength } = this.request;
    if (nameLength > 64) area.set(bytes.subarray(nameAt, nameAt + nameLength), at);
    else for (let i = 0; i < nameLength; i++) area[at + i] = bytes[nameAt + i];
    return nameLength;
  }

  /** Text of our own as the kernel's first path. */
  putText1(text: string): number {
    for (let i = 0; i < text.length; i++) this.area[SA_PATH1 + i] = text.charCodeAt(i);
    return text.length;
  }

  /** Let go of all that is open. The machine stays. */
  close(): void {
    this.enter();
    this.locks.close();
    this.files.close((fd) => this.exports.sys_close(fd));
    this.nodes.close();
  }
}
