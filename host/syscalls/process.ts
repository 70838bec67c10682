/**
 * A process of the machine, as the host drives it.
 */
import { SA_DATA } from '../../assembly/abi/layout.ts';
import type { Cpu } from '../machine/cpu.ts';
import { TerminalCalls } from './ttycalls.ts';
import { syscallError } from './errors.ts';
import { createFs } from './fs/index.ts';
import type { NodeFs } from './fs/types.ts';

/** Who a process acts as. */
export interface Credentials {
  uid: number;
  gid: number;
  /** Supplementary groups, at most 32. */
  groups?: readonly number[];
}

export interface ProcessOptions extends Partial<Credentials> {
  /** Whose working directory, root and mask it inherits; process 1's if absent. */
  parent?: Process;
  /** Also inherit the parent's descriptors. */
  inheritFds?: boolean;
}

const GROUPS_MAX = 32;

/**
 * One process: its own descriptors, credentials, working directory, root and mask. `fs` is
 * node:fs for it; the methods are the system calls that node:fs does not have.
 */
export class Process extends TerminalCalls {
  #fs: NodeFs | undefined;

  /** Make a process. Throws a SyscallError when there is no room for it. */
  static create(cpu: Cpu, options: ProcessOptions = {}): Process {
    const { uid = 0, gid = 0, groups = [], parent, inheritFds = false } = options;
    writeGroups(cpu, groups);
    const parentPid = parent?.pid ?? 1;
    const pid = cpu.exports.proc_create(parentPid, uid, gid, groups.length, inheritFds ? 1 : 0);
    if (pid < 0) throw cpu.panic ?? syscallError(-pid, 'fork');
    return new Process(cpu, pid);
  }

  /** node:fs as this process sees it. */
  get fs(): NodeFs {
    this.#fs ??= createFs(this);
    return this.#fs;
  }

  /** Act as somebody else from now on. The host may do this whoever the process is. */
  setCredentials({ uid, gid, groups = [] }: Credentials): void {
    this.enter();
    writeGroups(this.cpu, groups);
    this.check(this.exports.proc_setcred(uid, gid, groups.length), 'setuid');
  }

  /**
   * A child with this process's credentials, directories, mask, limits, descriptors, group, session,
   * terminal and ignored signals. @throws SyscallError ENOMEM
   */
  fork(): Process {
    this.enter();
    return new Process(this.cpu, this.check(this.exports.sys_fork(), 'fork'));
  }

  /** End the process without a trace (see {@link exitWith} for one that is waited for): its
   *  descriptors are closed, and what waits in it is rejected with ESRCH. */
  exit(): void {
    this.cpu.scheduler.kill(this.pid);
    const result = this.exports.proc_exit(this.pid);
    this.check(result, 'exit');
  }
}

function writeGroups(cpu: Cpu, groups: readonly number[]): void {
  if (groups.length > GROUPS_MAX) throw new RangeError(`a process has at most ${GROUPS_MAX} groups`);
  const at = (cpu.area + SA_DATA) >>> 2;
  for (const [i, group] of groups.entries()) cpu.u32[at + i] = group;
}
