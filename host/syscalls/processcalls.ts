/**
 * System calls about processes: exec, exit, wait, signals, groups, sessions, ids. (fork is with the
 * class that it makes another of, {@link Process}.)
 */
import { EINVAL, ERESTART } from '../../assembly/abi/errno.ts';
import { encodeBytes } from './bytes.ts';
import * as at from '../../assembly/abi/layout.ts';
import { WNOHANG } from '../../assembly/abi/signals.ts';
import { SystemCalls } from './calls.ts';
import { after } from './fs/data.ts';

/** A child that has ended. */
export interface WaitResult {
  readonly pid: number;
  /** As wait(2) gives it: exit code << 8 | signal. */
  readonly status: number;
}

export interface ProcessIds {
  readonly pid: number;
  /** 0: none. */
  readonly ppid: number;
  /** Process group. */
  readonly pgid: number;
  /** Session. */
  readonly sid: number;
  /** Real, effective, saved. */
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** An id that stays what it is. */
const KEEP = 0xffffffff;
const ARGV_MAX = at.SA_SIZE - at.SA_PATH2;

export class ProcessCalls extends SystemCalls {
  /**
   * First bytes, at most 256, of a file that this process may execute.
   * @throws SyscallError EACCES: no permission, not a regular file, mounted noexec
   */
  exechead(path: string | Uint8Array): Uint8Array {
    const length = this.check(this.exports.sys_exechead(this.path1(path)), 'execve', path);
    return this.data.slice(0, length);
  }

  /**
   * Become the program in a file, as far as the kernel goes: descriptors marked close-on-exec are
   * closed, caught signals are default again, set-id bits take effect, and /proc shows `argv`, as
   * much of it as fits in 4,064 bytes.
   * @throws SyscallError EACCES, ENOMEM, or what the lookup of the path gives: nothing has changed
   */
  execve(path: string | Uint8Array, argv: readonly string[]): void {
    const length = this.path1(path);
    let end = 0;
    for (const argument of argv) {
      const bytes = encodeBytes(argument);
      const room = ARGV_MAX - end - 1;
      if (room <= 0) break;
      this.area.set(bytes.subarray(0, room), at.SA_PATH2 + end);
      end += Math.min(bytes.length, room);
      this.area[at.SA_PATH2 + end++] = 0;
    }
    this.check(this.exports.sys_execve(length, end), 'execve', path);
  }

  /**
   * End with a wait status: exit code << 8 | signal. The parent learns it by waiting. What waits in
   * this process is rejected with ESRCH, as is all that it does afterwards.
   */
  exitWith(status: number): void {
    this.enter();
    const result = this.exports.sys_exit(status);
    if (result >= 0) this.cpu.scheduler.ended(this.pid);
    this.check(result, 'exit');
  }

  #wait(pid: number, options: number): number {
    this.enter();
    return this.exports.sys_wait4(pid, options);
  }

  #waited(pid: number): WaitResult | undefined {
    return pid === 0 ? undefined : { pid, status: this.dataU32[0] };
  }

  /**
   * A child that has ended, or with WNOHANG undefined if none has.
   * @param pid  > 0 that child, -1 any, 0 any of this group, < -1 any of that group
   * @throws SyscallError ECHILD; EDEADLK when nobody could end a child
   */
  wait(pid = -1, options: number = WNOHANG): WaitResult | undefined {
    return this.#waited(this.now(() => this.#wait(pid, options), 'wait4'));
  }

  /**
   * The same, waiting without stopping others.
   * @throws SyscallError ECHILD, EINTR when a caught signal came
   */
  async waitLater(pid = -1, options = 0, signal?: AbortSignal): Promise<WaitResult | undefined> {
    // The answer lies in the syscall area, so it is taken in the turn in which it comes.
    let answer: WaitResult | undefined;
    const issue = () => {
      const result = this.#wait(pid, options);
      if (result !== -ERESTART && result >= 0) answer = this.#waited(result);
      return result;
    };
    await after(this.later(issue, signal), (result) => this.check(result, 'wait4'));
    return answer;
  }

  /**
   * Send a signal. @param pid  > 0 that process, 0 this group, -1 all programs, < -1 that group
   * @param signal  its number; 0 only asks whether it could be sent
   * @throws SyscallError EINVAL, EPERM, ESRCH
   */
  kill(pid: number, signal: number): void {
    this.enter();
    this.check(this.exports.sys_kill(pid, signal), 'kill');
  }

  /** What a signal does from now on: SIG_DFL, SIG_IGN, SIG_CATCH. Returns what it did.
   *  @throws SyscallError EINVAL: no such signal, or SIGKILL, SIGSTOP */
  sigaction(signal: number, action: number): number {
    this.enter();
    return this.check(this.exports.sys_sigaction(signal, action), 'sigaction');
  }

  /** The next signal that was caught, taken: its number, or 0. */
  sigtake(): number {
    this.enter();
    return this.check(this.exports.sys_sigtake(), 'sigtake');
  }

  ids(): ProcessIds {
    this.enter();
    this.check(this.exports.sys_getids(), 'getids');
    const u32 = (offset: number) => this.dataU32[offset >> 2];
    const groups = at.PI_GROUPS >> 2;
    return {
      pid: u32(at.PI_PID),
      ppid: u32(at.PI_PPID),
      pgid: u32(at.PI_PGID),
      sid: u32(at.PI_SID),
      uid: u32(at.PI_UID),
      euid: u32(at.PI_EUID),
      suid: u32(at.PI_SUID),
      gid: u32(at.PI_GID),
      egid: u32(at.PI_EGID),
      sgid: u32(at.PI_SGID),
      groups: [...this.dataU32.subarray(groups, groups + u32(at.PI_NGROUPS))],
    };
  }

  /** 0 for `pid`: this process; 0 for `pgid`: the same number. @throws SyscallError EACCES, EPERM, ESRCH */
  setpgid(pid: number, pgid: number): void {
    this.enter();
    this.check(this.exports.sys_setpgid(pid, pgid), 'setpgid');
  }

  getpgid(pid = 0): number {
    this.enter();
    return this.check(this.exports.sys_getpgid(pid), 'getpgid');
  }

  /** Begin a session without a terminal. Returns its id. @throws SyscallError EPERM for a group's leader */
  setsid(): number {
    this.enter();
    return this.check(this.exports.sys_setsid(), 'setsid');
  }

  getsid(pid = 0): number {
    this.enter();
    return this.check(this.exports.sys_getsid(pid), 'getsid');
  }

  /** Real, effective and saved user id; those left out stay. @throws SyscallError EPERM */
  setresuid(ruid: number = KEEP, euid: number = KEEP, suid: number = KEEP): void {
    this.enter();
    this.check(this.exports.sys_setresuid(ruid, euid, suid), 'setresuid');
  }

  /** Real, effective and saved group id; those left out stay. @throws SyscallError EPERM */
  setresgid(rgid: number = KEEP, egid: number = KEEP, sgid: number = KEEP): void {
    this.enter();
    this.check(this.exports.sys_setresgid(rgid, egid, sgid), 'setresgid');
  }

  /** Supplementary groups. @throws SyscallError EPERM for all but root, EINVAL for more than 1,016 */
  setgroups(groups: readonly number[]): void {
    this.enter();
    if (groups.length > this.dataU32.length) throw this.failure(-EINVAL, 'setgroups');
    this.dataU32.set(groups);
    this.check(this.exports.sys_setgroups(groups.length), 'setgroups');
  }
}
