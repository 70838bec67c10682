/**
 * Who a request is from, as credentials of the process that works on it.
 *
 * A request tells the caller's ids and its thread. The other groups that it is in stand in /proc; they are
 * read for callers that permissions bind, and believed for a moment, for programs come with many requests
 * at once. A thread that is gone by now, or that this process cannot see, is in none.
 */
import fs from 'node:fs';
import { SA_DATA } from '../../assembly/abi/layout.ts';
import type { Cpu } from '../machine/cpu.ts';

/** As many as a process of the machine can have. */
const GROUPS_MAX = 32;
const BELIEVED_MS = 500;
const REMEMBERED_MAX = 256;
/** Of a process without any privilege: what it writes loses its set-id bits. */
const NOBODY = 65534;

const NONE: readonly number[] = [];

interface Known {
  readonly groups: readonly number[];
  readonly untilMs: number;
}

export class Callers {
  readonly #cpu: Cpu;
  readonly #groupsOf: (pid: number) => readonly number[];
  readonly #known = new Map<number, Known>();
  /** What the process acts as: its credentials are replaced only when they change. */
  #uid = 0;
  #gid = 0;
  #groups: readonly number[] = NONE;

  /** @param groupsOf  the supplementary groups of a thread of the host */
  constructor(cpu: Cpu, groupsOf: (pid: number) => readonly number[] = groupsOfThread) {
    this.#cpu = cpu;
    this.#groupsOf = groupsOf;
  }

  /** The current process acts as this caller from now on. 0 or a negated errno. */
  become(uid: number, gid: number, pid: number): number {
    if (uid === 0) return uid === this.#uid && gid === this.#gid ? 0 : this.#set(uid, gid, NONE);
    const groups = this.#groupsNow(pid);
    if (uid === this.#uid && gid === this.#gid && groups === this.#groups) return 0;
    return this.#set(uid, gid, groups);
  }

  root(): number {
    return this.#uid === 0 ? 0 : this.#set(0, 0, NONE);
  }

  nobody(): number {
    return this.#uid === NOBODY ? 0 : this.#set(NOBODY, NOBODY, NONE);
  }

  #groupsNow(pid: number): readonly number[] {
    if (pid === 0) return NONE;
    const nowMs = performance.now();
    const known = this.#known.get(pid);
    if (known !== undefined && nowMs < known.untilMs) return known.groups;
    let groups = this.#groupsOf(pid);
    // the same list is the same object: comparing them is what every request does
    if (known !== undefined && sameNumbers(known.groups, groups)) groups = known.groups;
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.set(pid, { groups, untilMs: nowMs + BELIEVED_MS });
    return groups;
  }

  #set(uid: number, gid: number, groups: readonly number[]): number {
    const { u32, area, exports } = this.#cpu;
    const at = (area + SA_DATA) >>> 2;
    const count = Math.min(groups.length, GROUPS_MAX);
    for (let i = 0; i < count; i++) u32[at + i] = groups[i];
    const result = exports.proc_setcred(uid, gid, count);
    if (result < 0) return result;
    this.#uid = uid;
    this.#gid = gid;
    this.#groups = groups;
    return 0;
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function groupsOfThread(pid: number): readonly number[] {
  let status: string;
  try {
    status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return NONE;
  }
  const groups = /^Groups:[ \t]*([\d ]*)$/m.exec(status)?.[1].trim() ?? '';
  return groups === '' ? NONE : groups.split(' ').map(Number);
}
