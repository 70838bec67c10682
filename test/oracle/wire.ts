import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';

const NEWLINE = 10;

/** What a driver process answered: its result and the bytes of each output argument. */
export interface Reply {
  result: number;
  out: string[];
}

/** The driver process went away in the middle of a conversation. */
export class DriverGone extends Error {
  override name = 'DriverGone';
}

/**
 * One conversation with a driver process over two fifos, synchronous: a request is written, the
 * thread waits for the line that answers it.
 */
export class Wire {
  #request: number;
  #reply: number;
  /** The reply fifo once more, with O_NONBLOCK. */
  #peek: number;
  #buffer = Buffer.allocUnsafe(1 << 20);
  #have = 0;
  /** Bytes of the buffer known to hold no newline. */
  #scanned = 0;
  /** Replies still to come. */
  #owed = 0;

  private constructor(request: number, reply: number, peek: number) {
    this.#request = request;
    this.#reply = reply;
    this.#peek = peek;
  }

  /** Meet a process that opens PATH.in for reading, then PATH.out for writing. */
  static meet(path: string): Wire {
    const request = openSync(`${path}.in`, constants.O_WRONLY);
    const reply = openSync(`${path}.out`, constants.O_RDONLY);
    return new Wire(request, reply, openSync(`${path}.out`, constants.O_RDONLY | constants.O_NONBLOCK));
  }

  send(line: string): void {
    const bytes = Buffer.from(`${line}\n`, 'latin1');
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#request, bytes, at);
    this.#owed++;
  }

  /** The next line from the process; waits for it. @throws DriverGone */
  receive(): string {
    for (;;) {
      const line = this.#takeLine();
      if (line !== undefined) return line;
      this.#fill(this.#reply);
    }
  }

  /** The next line from the process, or undefined when none has come yet. */
  tryReceive(): string | undefined {
    try {
      this.#fill(this.#peek);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return this.#takeLine();
  }

  #takeLine(): string | undefined {
    const end = this.#buffer.subarray(this.#scanned, this.#have).indexOf(NEWLINE);
    if (end < 0) {
      this.#scanned = this.#have;
      return undefined;
    }
    const length = this.#scanned + end;
    const line = this.#buffer.toString('latin1', 0, length);
    this.#buffer.copyWithin(0, length + 1, this.#have);
    this.#have -= length + 1;
    this.#scanned = 0;
    this.#owed--;
    return line;
  }

  #fill(fd: number): void {
    if (this.#have === this.#buffer.length)
      this.#buffer = Buffer.concat([this.#buffer], 2 * this.#buffer.length);
    const n = readSync(fd, this.#buffer, this.#have, this.#buffer.length - this.#have, null);
    if (n === 0) throw new DriverGone('the driver process ended');
    this.#have += n;
  }

  /** One request, one reply. */
  call(line: string): Reply {
    if (this.#owed > 0) throw new Error(`a blocked call is still owed its reply: ${line.slice(0, 60)}`);
    this.send(line);
    return parseReply(this.receive(), line);
  }

  /** Several requests in one go; the process sees them together. */
  callAll(lines: readonly string[]): Reply[] {
    for (const line of lines) this.send(line);
    return lines.map((line) => parseReply(this.receive(), line));
  }

  /** The numbers a process says when it is there, before any request. */
  greeting(): number[] {
    this.#owed++;
    return this.receive().split(' ').map(Number);
  }

  close(): void {
    closeSync(this.#request);
    closeSync(this.#reply);
    closeSync(this.#peek);
  }
}

export function parseReply(line: string, request: string): Reply {
  const [result, ...out] = line.split(' ');
  if (out[0] === 'badrequest') throw new Error(`the driver did not understand: ${request.slice(0, 200)}`);
  return { result: Number(result), out };
}

/**
 * True when a driver process waits in a system call that is not about its own conversation
 * (descriptors from `ownFds` on). A process that only sleeps on a kernel mutex for a moment is
 * seen in state D, or moves on between two looks.
 */
export function waitsInCall(pid: number, ownFds: number): boolean {
  const look = (): string => {
    // "NUMBER 0xARG0 …" while it sleeps in a call, "running" or "-1 …" while it does not.
    const call = readFileSync(`/proc/${pid}/syscall`, 'latin1');
    const [number, arg0] = call.split(' ');
    const own = Number(arg0) >= ownFds && Number(arg0) < ownFds + 8;
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1];
    return number === 'running' || number?.startsWith('-1') || own || !state?.startsWith('S') ? '' : call;
  };
  const first = look();
  if (first === '') return false;
  pause(1);
  return look() === first;
}

/** Block the thread. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
