/** Children: what runs in the foreground, what in the background, and who has the terminal. */
import { SIGINT, SIGPIPE } from '../../assembly/abi/signals.ts';
import type { ExitStatus } from '../programs/program.ts';
import { isEnded, isSyscallError } from './errors.ts';
import type { Shell } from './shell.ts';
import { signalDescription } from './signals.ts';
import { setForeground } from './terminal.ts';

export interface Job {
  /** From 1; 0 for what is not in the list. */
  id: number;
  readonly text: string;
  readonly background: boolean;
  /** Its process group under job control; 0 before there is one. */
  group: number;
  readonly pids: number[];
  /** How those that ended did. */
  readonly ended: Map<number, ExitStatus>;
  /** The user has been told that it ended. */
  told: boolean;
}

const UNKNOWN_CHILD = 127;

export class Jobs {
  readonly #shell: Shell;
  /** Background jobs, the oldest first. */
  #jobs: Job[] = [];
  /** Children whose status nobody wants: writers of here-documents. */
  readonly #strays = new Set<number>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  create(text: string, background: boolean): Job {
    return { id: 0, text, background, group: 0, pids: [], ended: new Map(), told: false };
  }

  /** A background job has started: it is in the list. */
  add(job: Job): void {
    job.id = 1;
    for (const { id } of this.#jobs) job.id = Math.max(job.id, id + 1);
    this.#jobs.push(job);
  }

  get list(): readonly Job[] {
    return this.#jobs;
  }

  addStray(pid: number): void {
    this.#strays.add(pid);
  }

  /** `%n`, `%+`, `%-`, `%text`, or a pid. */
  find(spec: string): Job | undefined {
    if (!spec.startsWith('%')) {
      const pid = Number(spec);
      return this.#jobs.findLast((each) => each.pids.includes(pid));
    }
    const what = spec.slice(1);
    if (what === '' || what === '%' || what === '+') return this.#jobs.at(-1);
    if (what === '-') return this.#jobs.at(-2) ?? this.#jobs.at(-1);
    if (/^\d+$/.test(what)) return this.#jobs.find(({ id }) => id === Number(what));
    if (what.startsWith('?')) return this.#jobs.findLast(({ text }) => text.includes(what.slice(1)));
    return this.#jobs.findLast(({ text }) => text.startsWith(what));
  }

  remove(job: Job): void {
    this.#jobs = this.#jobs.filter((each) => each !== job);
  }

  /** Forget all: what a subshell's parent started is not its own. */
  clear(): void {
    this.#jobs = [];
    this.#strays.clear();
  }

  isDone(job: Job): boolean {
    return job.ended.size === job.pids.length;
  }

  /** What the job's last process, or with pipefail the last that failed, ended with. */
  status(job: Job): number {
    const codes = job.pids.map((pid) => job.ended.get(pid)?.code ?? UNKNOWN_CHILD);
    const failed = codes.findLast((code) => code !== 0);
    return this.#shell.state.options.has('pipefail') && failed !== undefined ? failed : (codes.at(-1) ?? 0);
  }

  /** See which children have ended meanwhile. */
  poll(): void {
    for (const pid of this.#strays) if (this.#now(pid) !== undefined) this.#strays.delete(pid);
    for (const job of this.#jobs) {
      for (const pid of job.pids) {
        if (job.ended.has(pid)) continue;
        const status = this.#now(pid);
        if (status !== undefined) job.ended.set(pid, status);
      }
    }
  }

  #now(pid: number): ExitStatus | undefined {
    try {
      return this.#shell.context.waitNow(pid);
    } catch (error) {
      if (isEnded(error) || !isSyscallError(error)) throw error;
      return { pid, code: UNKNOWN_CHILD, signal: 0 };
    }
  }

  /** Wait for a child, going on after signals. */
  async #wait(pid: number): Promise<ExitStatus> {
    return this.#shell.retry(() => this.waitOnce(pid));
  }

  /** Wait for a child. @throws SyscallError EINTR */
  async waitOnce(pid: number): Promise<ExitStatus> {
    try {
      return await this.#shell.context.wait(pid);
    } catch (error) {
      if (!isSyscallError(error) || error.code !== 'ECHILD') throw error;
      return { pid, code: UNKNOWN_CHILD, signal: 0 };
    }
  }

  /** Wait for one child that is no job: its status for `$?`. */
  async waitPid(pid: number): Promise<number> {
    const { code } = await this.#wait(pid);
    return code;
  }

  /** Wait for a foreground job, which has the terminal meanwhile. */
  async waitForeground(job: Job): Promise<number> {
    const shell = this.#shell;
    try {
      for (const pid of job.pids) {
        if (!job.ended.has(pid)) job.ended.set(pid, await this.#wait(pid));
      }
    } finally {
      if (job.group !== 0 && shell.terminal !== undefined) {
        setForeground(shell.process, shell.terminal, shell.process.getpgid());
      }
    }
    const last = job.ended.get(job.pids.at(-1) ?? 0);
    if (last !== undefined && last.signal !== 0) this.#tellSignal(last.signal);
    if (this.#strays.size > 0) this.poll();
    return this.status(job);
  }

  #tellSignal(signal: number): void {
    if (signal === SIGINT) {
      if (this.#shell.interactive) this.#shell.complain('');
    } else if (signal !== SIGPIPE) this.#shell.complain(signalDescription(signal));
  }

  // ── groups ───────────────────────────────────────────────────────────────────────────────

  /** The parent's half of putting a child into its job's group; the child does the same. */
  putInGroup(pid: number, job: Job): void {
    if (job.group === 0) job.group = pid;
    const { process, terminal } = this.#shell;
    try {
      process.setpgid(pid, job.group);
      if (!job.background && terminal !== undefined) setForeground(process, terminal, job.group);
    } catch (error) {
      // It may have ended by now.
      if (isEnded(error) || !isSyscallError(error)) throw error;
    }
  }

  /** In a new child. @param group  0: one of its own */
  joinGroup(group: number, background: boolean, terminal: number | undefined): void {
    const { process } = this.#shell;
    process.setpgid(0, group);
    if (!background && terminal !== undefined) setForeground(process, terminal, process.getpgid());
  }
}
