/**
 * Plays calls, given as data, on a machine's bare exports. What a caller must remember between two
 * calls (which processes there are, which calls wait) is plain data too, so that the same calls can
 * go on on a copy of the machine.
 */
import { ERESTART, ESRCH } from '../../assembly/abi/errno.ts';
import { SA_DATA, SA_PATH2, SA_SIZE } from '../../assembly/abi/layout.ts';
import type { KernelExports } from '../../host/machine/exports.ts';
import { KernelPanic } from '../../host/machine/panic.ts';
import type { Machine } from '../../host/machine/machine.ts';

type Name = keyof KernelExports;

/** One call by one of the processes; or, by the host, something that happens to all of them. */
export interface Call {
  readonly name: Name | 'let go on' | 'give up' | 'fork' | 'end';
  /** Who calls: number in the list of processes, modulo its length. */
  readonly actor: number;
  /** Strings are paths, the first one at SA_PATH1, the second one at SA_PATH2; their lengths are passed. */
  readonly args: readonly (number | string)[];
  /** u32s at the start of the syscall area: iovecs, pollfds. */
  readonly words?: readonly number[];
  /** Text at SA_DATA. */
  readonly text?: string;
  /** The call's only buffer, filled anew before each attempt: text, or bytes made from a number. */
  readonly buffer?: { readonly bytes: number; readonly from: number } | { readonly text: string };
}

interface Waiting {
  readonly call: Call;
  readonly pid: number;
}

const encoder = new TextEncoder();

/** Process 1 is the host's own; more than these are not made. */
const PROCESSES_MAX = 6;

export class Player {
  readonly machine: Machine;
  /** Processes that are alive. */
  readonly pids: number[];
  /** Calls that wait, by their Lwp. */
  readonly waiting: Map<number, Waiting>;

  constructor(machine: Machine, before?: Player) {
    this.machine = machine;
    this.pids = [...(before?.pids ?? [])];
    this.waiting = new Map(before?.waiting);
  }

  /** A process of this user, whose calls the new one's descriptors come from. */
  spawn(uid: number, parent = 1, inherit = 0): number {
    const pid = this.machine.cpu.exports.proc_create(parent, uid, uid, 0, inherit);
    if (pid > 0) this.pids.push(pid);
    return pid;
  }

  /** Play a call: its result, and what it and those that it let go on wrote into their buffers. */
  play(call: Call): { result: number; written: string } {
    const { exports } = this.machine.cpu;
    switch (call.name) {
      case 'let go on':
        return this.#letGoOn();
      case 'give up': {
        const lwp = [...this.waiting.keys()][call.actor];
        if (lwp === undefined) return { result: 0, written: '' };
        this.waiting.delete(lwp);
        return { result: exports.sys_cancel(lwp), written: '' };
      }
      case 'fork': {
        if (this.pids.length >= PROCESSES_MAX) return { result: 0, written: '' };
        return { result: this.spawn(call.actor * 500, this.#pid(call.actor), 1), written: '' };
      }
      case 'end': {
        if (this.pids.length < 3) return { result: 0, written: '' };
        const pid = this.#pid(call.actor);
        this.pids.splice(this.pids.indexOf(pid), 1);
        for (const [lwp, other] of this.waiting) if (other.pid === pid) this.waiting.delete(lwp);
        return { result: exports.proc_exit(pid), written: '' };
      }
      default:
        return this.#attempt(call, this.#pid(call.actor));
    }
  }

  #pid(actor: number): number {
    return this.pids[actor % this.pids.length];
  }

  #letGoOn(): { result: number; written: string } {
    const { exports } = this.machine.cpu;
    let result = 0;
    let written = '';
    // what goes on may wake others, and so on; each step of it is one more
    for (let steps = 0; steps < 50; steps++) {
      const lwp = exports.lwp_next();
      if (lwp <= 0) break;
      const waiting = this.waiting.get(lwp);
      if (waiting === undefined) throw new Error(`Lwp ${lwp} goes on, and nobody issued it`);
      this.waiting.delete(lwp);
      const played = this.#attempt(waiting.call, waiting.pid, lwp);
      result = (Math.imul(result, 31) + played.result) | 0;
      written += played.written;
    }
    if (!this.machine.cpu.runnable) return { result, written };
    return { result: result ^ 1, written };
  }

  #attempt(call: Call, pid: number, lwp = 0): { result: number; written: string } {
    const { cpu } = this.machine;
    const { exports } = cpu;
    if (exports.proc_switch(pid) === -ESRCH) throw new Error(`process ${pid} is gone`);
    const args = this.#arguments(call);
    const buffer = bufferOf(call);
    cpu.spaces[0] = buffer;
    if (lwp !== 0 && exports.sys_resume(lwp) !== 0) throw new Error(`Lwp ${lwp} cannot go on`);
    const result = (exports[call.name as Name] as (...all: number[]) => number)(...args);
    if (cpu.panic !== undefined) throw new KernelPanic(cpu.panic.message);
    if (result === -ERESTART) this.waiting.set(exports.lwp_current(), { call, pid });
    const area = cpu.u8.slice(cpu.area, cpu.area + SA_SIZE);
    return { result, written: digest(buffer) + digest(area) };
  }

  #arguments({ args, words, text }: Call): number[] {
    const { u8, u32, area } = this.machine.cpu;
    if (words !== undefined) u32.set(words, area >>> 2);
    if (text !== undefined) u8.set(encoder.encode(text), area + SA_DATA);
    let at = area;
    return args.map((arg) => {
      if (typeof arg === 'number') return arg;
      const bytes = encoder.encode(arg);
      u8.set(bytes, at);
      at = area + SA_PATH2;
      return bytes.length;
    });
  }
}

function bufferOf({ buffer }: Call): Uint8Array {
  if (buffer === undefined) return new Uint8Array(0);
  if ('text' in buffer) return encoder.encode(buffer.text);
  const bytes = new Uint8Array(buffer.bytes);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (buffer.from + i * 7 + (i >>> 9)) & 0xff;
  return bytes;
}

/** FNV-1a, by words where they are aligned: enough to tell a difference. */
function digest(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  const words = bytes.byteOffset % 4 === 0 ? bytes.length >>> 2 : 0;
  const view = new Uint32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  for (let i = 0; i < words; i++) a = Math.imul(a ^ view[i], 0x01000193) ^ (a >>> 15);
  for (let i = words * 4; i < bytes.length; i++) a = Math.imul(a ^ bytes[i], 0x01000193);
  return `${(a >>> 0).toString(16)} `;
}
