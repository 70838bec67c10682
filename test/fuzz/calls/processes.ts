import { PE_EXIT, SA_DATA, SA_PATH2 } from '../../../assembly/abi/layout.ts';
import {
  SIGALRM,
  SIGCHLD,
  SIGHUP,
  SIGKILL,
  SIGPIPE,
  SIGSTOP,
  SIGTERM,
  SIGUSR1,
  SIGXFSZ,
  WNOHANG,
} from '../../../assembly/abi/signals.ts';
import type { Step } from '../call.ts';
import type { Process } from '../world.ts';
import type { Draft, Maker, Makers } from './draft.ts';

/** Processes: made, ended and waited for; their signals, groups and credentials. */

const USERS = [
  [0, 0],
  [0, 0],
  [1000, 1000],
  [1001, 1001],
] as const;

/** Supplementary groups at SA_DATA; their number. */
function groups(draft: Draft): number {
  const { random, world } = draft;
  const list = random.some([1, 2], 0.3) === 0 ? [] : [1000, 5];
  draft.words(list, SA_DATA);
  return world.hostile() ? world.hostileInteger() : list.length;
}

/** A process with the descriptors of its parent. */
function child(pid: number, parent: number, like: Process | undefined): Process {
  return { pid, parent, fds: new Map(like?.fds), sure: like?.sure ?? true };
}

function createProcess(draft: Draft): Step {
  const { random, world } = draft;
  const [uid, gid] = random.pick(USERS);
  const parent = random.chance(0.5) ? (world.current?.pid ?? 0) : 0;
  const ppid = world.hostile() ? world.hostileInteger() : parent;
  return draft.step([ppid, uid, gid, groups(draft), random.below(2)], (pid, args) => {
    if (pid <= 0) return;
    const parent = (args[4] | 0) !== 0 ? world.process(args[0] | 0) : undefined;
    world.processes.push(child(pid, args[0] | 0, parent));
  });
}

function anyPid(draft: Draft): number {
  const { random, world } = draft;
  if (world.hostile()) return random.chance(0.3) ? 0 : world.hostileInteger();
  return world.processes.length > 0 ? random.pick(world.processes).pid : 0;
}

function exit(draft: Draft): Step {
  const { random, world } = draft;
  const few = world.processes.length < 4;
  const pid = few && random.chance(0.8) ? world.hostileInteger() : anyPid(draft);
  return draft.step([pid], (result, args) => {
    if (result === 0) world.exited(args[0] | 0);
  });
}

function setCredentials(draft: Draft): Step {
  const [uid, gid] = draft.random.pick(USERS);
  return draft.step([uid, gid, groups(draft)]);
}

/** A process of the world's, dead ones among them at times; rarely a group, everybody, or nobody. */
function named(draft: Draft): number {
  const { random, world } = draft;
  if (world.hostile()) return random.chance(0.3) ? random.pick([-1, -2, 1]) : world.hostileInteger();
  if (random.chance(0.3)) return 0;
  return world.processes.length > 0 ? random.pick(world.processes).pid : 0;
}

/** A child of the current process, if it has one. */
function ownChild(draft: Draft): number {
  const { random, world } = draft;
  const children = world.processes.filter(({ parent }) => parent === world.current?.pid);
  return children.length > 0 && random.chance(0.6) ? random.pick(children).pid : named(draft);
}

const SIGNALS = [SIGHUP, SIGKILL, SIGUSR1, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGSTOP, SIGXFSZ, 40];

/** Mostly one that only asks, or is caught: the dead make no calls. */
function signal(draft: Draft): number {
  const { random, world } = draft;
  if (world.hostile()) return world.hostileInteger();
  return random.chance(0.6) ? random.pick([0, SIGCHLD, SIGUSR1]) : random.pick(SIGNALS);
}

function kill(draft: Draft): Step {
  // a group is a process of its own and its children: rarely
  const pid = draft.random.chance(0.9) ? Math.abs(named(draft)) : -named(draft);
  return draft.step([pid, signal(draft)]);
}

function fork(draft: Draft): Step {
  const { world } = draft;
  return draft.step([], (pid) => {
    if (pid > 0) world.processes.push(child(pid, world.current?.pid ?? 0, world.current));
  });
}

function exec(draft: Draft): Step {
  const { random, world } = draft;
  const length = draft.path(world.path('file'));
  const text = 'program\0argument\0'.repeat(random.below(30));
  const size = random.chance(0.03) ? world.hostileInteger() : draft.text(text, SA_PATH2);
  return draft.step([length, size], (result) => {
    // which descriptors were to be closed was not noted
    if (result === 0 && world.current) world.current.sure = false;
  });
}

function endSelf(draft: Draft): Step {
  const { random, world } = draft;
  const pid = world.current?.pid;
  // a machine of corpses shows little: few are left to die
  const status = world.processes.length < 4 && random.chance(0.9) ? 0x10000 : random.below(256) << 8;
  return draft.step([world.hostile() ? world.hostileInteger() : status], (result) => {
    if (result === 0 && pid !== undefined) world.exited(pid);
  });
}

/** Ids to take: those that a user has, and those of others. */
function ids(draft: Draft): number[] {
  const { random } = draft;
  return [0, 0, 0].map(() => random.pick([0, 1000, 1001, 0xffffffff, 0xffffffff, 0xffffffff, -1]));
}

export const processMakers = {
  proc_create: createProcess,
  proc_exit: exit,
  proc_switch: (d) =>
    d.step([anyPid(d)], (result, args) => {
      if (result === 0) d.world.current = d.world.process(args[0] | 0);
    }),
  proc_setcred: setCredentials,
  proc_fdcopy: (d) =>
    d.step([anyPid(d), d.world.fd()], (fd) => d.world.opened(fd, { kind: 'file', access: 2 })),
  sys_fork: fork,
  sys_exechead: (d) => d.step([d.path(d.world.path('file'))]),
  sys_execve: exec,
  sys_exit: endSelf,
  sys_kill: kill,
  sys_sigaction: (d) => d.step([signal(d), d.world.hostile() ? d.world.hostileInteger() : d.random.below(3)]),
  sys_sigtake: (d) => d.step([]),
  sys_wait4: (d) => {
    const any = d.random.chance(0.6) ? -1 : ownChild(d);
    return d.step([any, d.world.hostile() ? d.world.hostileInteger() : d.random.chance(0.7) ? WNOHANG : 0]);
  },
  sys_getids: (d) => d.step([]),
  sys_getpgid: (d) => d.step([named(d)]),
  sys_getsid: (d) => d.step([named(d)]),
  sys_setpgid: (d) => d.step([ownChild(d), d.random.chance(0.6) ? 0 : named(d)]),
  sys_setsid: (d) => d.step([]),
  sys_setresuid: (d) => d.step(ids(d)),
  sys_setresgid: (d) => d.step(ids(d)),
  sys_setgroups: (d) => d.step([groups(d)]),
} satisfies Makers;

/** `data` reads words at SA_DATA. */
export function eventMaker(data: (index: number) => number): Maker {
  return (d) =>
    d.step([], (pid) => {
      if (pid > 0 && data(0) === PE_EXIT) d.world.exited(pid);
    });
}
