import { ERESTART, ESRCH } from '../../assembly/abi/errno.ts';
import {
  F_SETLK,
  F_SETLKW,
  F_WRLCK,
  O_RDWR,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  SEEK_SET,
  AT_FDCWD,
} from '../../assembly/abi/flags.ts';
import { SA_PATH2 } from '../../assembly/abi/layout.ts';
import { errnoName } from '../oracle/errno.ts';
import { checkRam } from '../helpers/ram.ts';
import { type Call, type ExportName, showCall, type Step } from './call.ts';
import { Draft, type Maker } from './calls/draft.ts';
import { dataMakers } from './calls/data.ts';
import { descriptorMakers, readingMakers } from './calls/descriptors.ts';
import { nameMakers } from './calls/names.ts';
import { eventMaker, processMakers } from './calls/processes.ts';
import { systemMakers } from './calls/system.ts';
import { FuzzMachine, Violation } from './machine.ts';
import { LONG_NAME, MOUNT_POINTS, TOP } from './names.ts';
import type { Plan } from './plan.ts';
import { ESTOPPED, type Tally } from './tally.ts';
import { type Blocked, type Descriptor, type Process, World } from './world.ts';

/** A machine from boot to shutdown under random calls, and what must hold all the while. */

/** Calls that find out nothing about their CPU's state: they answer a stopped machine too. */
const ALWAYS_ANSWER: ReadonlySet<ExportName> = new Set([
  'machine_boot',
  'machine_stop',
  'machine_resume',
  'cpu_attach',
  'cpu_adopt',
  'cpu_area',
  'lwp_current',
  'counter_get',
  'counter_set',
  'fault_arm',
]);

/** Calls that, given up while they wait and made again at once, can only wait again. */
const WAITING: ReadonlySet<ExportName> = new Set([
  'sys_read',
  'sys_write',
  'sys_readv',
  'sys_writev',
  'sys_flock',
  'sys_fcntl_lock',
  'sys_poll',
  'sys_wait4',
]);

/** Calls that give a new descriptor: never one that is open. */
const GIVE_FD: ReadonlySet<ExportName> = new Set([
  'sys_openat',
  'sys_dup',
  'sys_open_by_handle_at',
  'sys_reopen',
  'proc_fhopen',
  'proc_fdcopy',
  'sys_inotify_init',
  'proc_inotify_all',
]);

/** Calls that an Lwp does not end with: they are not the program's. */
const NOT_THE_PROGRAMS: ReadonlySet<ExportName> = new Set(['sys_resume', 'sys_cancel']);

/** Calls whose ESRCH is about another process than the one that makes them. */
const NAME_PROCESSES: ReadonlySet<ExportName> = new Set([
  'sys_kill',
  'sys_setpgid',
  'sys_getpgid',
  'sys_getsid',
  'sys_wait4',
  'sys_resume',
  'sys_cancel',
  'proc_create',
  'proc_exit',
  'proc_switch',
]);

const BLOCKED_MOST = 12;
const PROCESSES_MOST = 8;
const NAMES_MOST = 150;

/** What gives memory back, drawn when it is short. */
const RELIEF: readonly ExportName[] = [
  'sys_unlinkat',
  'sys_unlinkat',
  'sys_unlinkat',
  'sys_truncate',
  'sys_close',
  'sys_close',
  'sys_umount2',
  'sys_removexattr',
  'machine_reclaim',
  'sys_cancel',
];

/** How often a call is drawn, where that is not once. */
const WEIGHTS: Partial<Record<ExportName, number>> = {
  sys_openat: 4,
  sys_close: 2,
  sys_read: 2,
  sys_write: 2,
  sys_unlinkat: 2,
  sys_renameat2: 2,
  sys_fcntl_lock: 2,
  proc_switch: 3,
  sys_umount2: 1.5,
  sys_chroot: 0.5,
  sys_revoke: 0.5,
  proc_setcred: 0.5,
  proc_exit: 0.4,
  machine_stop: 0.15,
  machine_resume: 0.1,
  machine_reclaim: 0.3,
  machine_tick: 0.3,
  machine_boot: 0.05,
  machine_start: 0.05,
  cpu_attach: 0.05,
  cpu_adopt: 0.05,
  cpu_area: 0.1,
  lwp_current: 0.1,
  lwp_next: 0.2,
  sys_cancel: 0.3,
  sys_resume: 0.2,
  fault_arm: 0.4,
  sys_fork: 0.5,
  sys_exit: 0.5,
  sys_kill: 0.4,
  sys_wait4: 1.5,
  proc_event: 0.2,
};

export class Session {
  readonly plan: Plan;
  readonly machine: FuzzMachine;
  /** Calls made so far. */
  made = 0;
  readonly #world: World;
  readonly #tally: Tally;
  readonly #makers: ReadonlyMap<ExportName, Maker>;
  readonly #draws: readonly ExportName[];
  readonly #record: Call[] | undefined;
  #clock = 0;
  #mustWait: Call | undefined;
  #mustGiveNothing: Call | undefined;

  /** Every call is added to `record`, if there is one. */
  constructor(plan: Plan, tally: Tally, record?: Call[]) {
    this.plan = plan;
    this.machine = new FuzzMachine(plan);
    this.#world = new World(plan.seed, plan.hostility);
    this.#tally = tally;
    this.#record = record;
    const data = (index: number) => this.machine.dataWord(index);
    const reading = { ...readingMakers(data), proc_event: eventMaker(data) };
    this.#makers = new Map(
      Object.entries({
        ...nameMakers,
        ...dataMakers,
        ...descriptorMakers,
        ...processMakers,
        ...systemMakers,
        ...reading,
      }),
    ) as ReadonlyMap<ExportName, Maker>;
    this.#draws = [...this.#makers.keys()].flatMap((name) =>
      new Array<ExportName>(Math.round(20 * (WEIGHTS[name] ?? 1))).fill(name),
    );
    this.#world.processes.push({ pid: 1, parent: 0, fds: new Map(), sure: true });
    this.#world.queue.push(...this.#furnish());
  }

  /** The exports that this fuzzer calls. */
  get fuzzed(): readonly ExportName[] {
    return [...this.#makers.keys()];
  }

  // ── the first calls ─────────────────────────────────────────────────────────────────────────
  #furnish(): Step[] {
    const world = this.#world;
    const call = (
      name: ExportName,
      args: number[],
      texts: [number, string][],
      done?: Step['done'],
    ): Step => ({
      call: { name, args, patches: texts.map(([at, text]) => ({ at, text })) },
      done,
    });
    const make = (
      kind: 'dir' | 'file' | 'fifo' | 'socket' | 'device',
      path: string,
      type = 0,
      device = 0,
    ): Step => {
      const done = (result: number): void => {
        if (result >= 0) world.names.add(path, kind);
      };
      return kind === 'dir'
        ? call('sys_mkdirat', [AT_FDCWD, path.length, 0o777], [[0, path]], done)
        : call('sys_mknodat', [AT_FDCWD, path.length, type | 0o666, device], [[0, path]], done);
    };
    const link = (target: string, path: string): Step =>
      call(
        'sys_symlinkat',
        [target.length, AT_FDCWD, path.length],
        [
          [0, target],
          [SA_PATH2, path],
        ],
        (result) => {
          if (result === 0) world.names.add(path, 'link');
        },
      );
    const init = world.processes[0];
    return [
      call('proc_switch', [1], [], () => {
        world.current = init;
      }),
      call('sys_umask', [0], []),
      make('dir', TOP),
      ...MOUNT_POINTS.map((path) => make('dir', path)),
      ...['a', 'b', 'c'].map((name) => make('dir', `${TOP}/${name}`)),
      ...['d', 'e', 'a/f', 'b/g', 'c/h'].map((name) => make('file', `${TOP}/${name}`)),
      make('fifo', `${TOP}/p`, S_IFIFO),
      make('socket', `${TOP}/s`, S_IFSOCK),
      make('device', `${TOP}/null`, S_IFCHR, 0x103),
      make('device', `${TOP}/nobody`, S_IFCHR, 0x7777),
      link('loop', `${TOP}/loop`),
      link('loop', `${TOP}/loop2`),
      link('a', `${TOP}/l`),
    ];
  }

  /** The working directory goes so deep that its path is too long to be told. */
  #dig(): void {
    const long = { at: 0, text: LONG_NAME };
    for (let i = 0; i < 17; i++) {
      const make: Call = { name: 'sys_mkdirat', args: [AT_FDCWD, LONG_NAME.length, 0o777], patches: [long] };
      const enter: Call = { name: 'sys_chdir', args: [LONG_NAME.length], patches: [long] };
      this.#world.queue.push({ call: make }, { call: enter });
    }
    this.#world.queue.push({ call: { name: 'sys_getcwd', args: [], patches: [] } });
  }

  /** A child waits for a lock of its parent's, which then asks for one of the child's. */
  #embrace(): void {
    const world = this.#world;
    const parent = world.current;
    const file = [...(parent?.fds ?? [])].find(
      ([, { kind, access }]) => kind === 'file' && access === O_RDWR,
    );
    if (!parent || !file) return;
    const lock = (command: number, start: number): Step => ({
      call: { name: 'sys_fcntl_lock', args: [file[0], command, F_WRLCK, SEEK_SET, start, 1], patches: [] },
    });
    const enter = (process: Process): Step => {
      const done = (result: number): void => {
        if (result === 0) world.current = process;
      };
      return { call: { name: 'proc_switch', args: [process.pid], patches: [] }, done };
    };
    const fork = this.#make('sys_fork');
    const forked = (pid: number): void => {
      fork.done?.(pid);
      const child = world.process(pid);
      if (child)
        world.queue.push(
          enter(child),
          lock(F_SETLK, 10),
          lock(F_SETLKW, 0),
          enter(parent),
          lock(F_SETLKW, 10),
        );
    };
    world.queue.push(lock(F_SETLK, 0), { call: fork.call, done: forked });
  }

  // ── choosing ────────────────────────────────────────────────────────────────────────────────
  #make(name: ExportName): Step {
    const maker = this.#makers.get(name);
    if (!maker) throw new Error(`no calls of ${name} are made`);
    return maker(new Draft(this.#world, name));
  }

  #next(): Step {
    const world = this.#world;
    const { random } = world;
    const queued = world.queue.shift();
    if (queued) return queued;
    if (random.chance(0.0001)) this.#dig();
    if (random.chance(0.0003)) this.#embrace();
    if (world.stopped && random.chance(0.1)) return this.#make('machine_stop');
    if (world.stopped && random.chance(0.5)) return this.#plain('machine_resume', [0]);
    if (!world.current && random.chance(0.8)) return this.#someProcess();
    if (this.machine.runnable > 0 && random.chance(0.4))
      return this.#make(random.pick(['lwp_next', 'proc_event']));
    if (world.blocked.length > 0) {
      const step = this.#tend();
      if (step) return step;
    }
    if (world.processes.length > PROCESSES_MOST && random.chance(0.3)) return this.#make('proc_exit');
    if (world.names.size > NAMES_MOST && random.chance(0.2)) return this.#make('sys_unlinkat');
    if (world.mounts.length > 10 && random.chance(0.2)) return this.#make('sys_umount2');
    const room = this.machine.framesFree / (this.plan.ramBytes >>> 12);
    if (room < 0.3 && random.chance(0.4)) return this.#make(random.pick(RELIEF));
    return this.#make(random.pick(this.#draws));
  }

  #plain(name: ExportName, args: number[]): Step {
    return { call: { name, args, patches: [] }, done: this.#make(name).done };
  }

  #someProcess(): Step {
    const { random, processes } = this.#world;
    const process = processes.length > 0 ? random.pick(processes) : undefined;
    if (!process) return this.#make('proc_create');
    const done = (result: number): void => {
      if (result === 0) this.#world.current = process;
      else if (result === -ESRCH) this.#world.exited(process.pid);
    };
    return { call: { name: 'proc_switch', args: [process.pid], patches: [] }, done };
  }

  /** Go on with what waits, at times. */
  #tend(): Step | undefined {
    const { random, blocked } = this.#world;
    const taken = blocked.find((one) => one.taken);
    if (taken && random.chance(0.4)) return this.#resume(taken);
    if (random.chance(0.01) || blocked.length > BLOCKED_MOST)
      return { call: { name: 'sys_cancel', args: [random.pick(blocked).lwp], patches: [] } };
    return undefined;
  }

  #resume(blocked: Blocked): Step {
    return { call: { name: 'sys_resume', args: [blocked.lwp], patches: [] } };
  }

  // ── making a call, and what must hold after it ──────────────────────────────────────────────
  /** @throws Violation */
  step(): void {
    const step = this.#next();
    const { call } = step;
    this.made++;
    this.#record?.push(call);
    const { stopped } = this.#world;
    const idle = this.machine.runnable === 0;
    const result = this.machine.perform(call);
    if (stopped) this.#refused(call, result);
    this.#tally.count(call.name, result);
    this.#judge(step, result, stopped, idle);
    if (this.made % this.plan.checkEvery === 0) this.check();
  }

  #refused(call: Call, result: number): void {
    if (ALWAYS_ANSWER.has(call.name) || result === -ESTOPPED) return;
    throw new Violation(`a stopped machine answered ${result} to ${showCall(call)}`);
  }

  /** `idle`: nobody was about to go on when the call was made. */
  #judge(step: Step, result: number, stopped: boolean, idle: boolean): void {
    const { call } = step;
    if (call === this.#mustWait || call === this.#mustGiveNothing) this.#stillNothing(call, result);
    if (result === -ERESTART) {
      this.#waits(step);
      if (call === this.#mustWait) this.#giveUpAgain();
      return;
    }
    if (result === -ESRCH && !NAME_PROCESSES.has(call.name)) this.#world.current = undefined;
    if (GIVE_FD.has(call.name) && this.#world.current?.sure && this.#world.descriptor(result))
      throw new Violation(`${showCall(call)} gave descriptor ${result}, which is open`);
    if (call.name === 'sys_resume') this.#resumes(call, result);
    else if (call.name === 'proc_switch' && result === 0) this.#putBack();
    else if (call.name === 'sys_cancel') this.#cancelled(call, result, idle);
    else if (call.name === 'clock_ms' && result === 0) this.#time();
    if (!stopped && this.#isPrograms(call.name)) this.#world.resuming = undefined;
    step.done?.(result);
  }

  /** Does a call that an Lwp goes on with end here? */
  #isPrograms(name: ExportName): boolean {
    return (name.startsWith('sys_') && !NOT_THE_PROGRAMS.has(name)) || name === 'bench_loop';
  }

  #waits(step: Step): void {
    const world = this.#world;
    const { current, resuming } = world;
    if (resuming) {
      world.resuming = undefined;
      world.blocked.push({ ...resuming, taken: false });
      return;
    }
    const lwp = this.machine.kernel.lwp_current();
    if (lwp <= 0 || !current || world.blocked.some((one) => one.lwp === lwp))
      throw new Violation(`${showCall(step.call)} waits as Lwp ${lwp}`);
    world.blocked.push({ lwp, process: current, step, taken: false, held: this.#held(step.call) });
  }

  #held({ name, args, patches }: Call): [number, Descriptor | undefined][] {
    if (name === 'sys_wait4') return [];
    const fds = name === 'sys_poll' ? pollFds(args[0] >>> 0, patches[0]?.words ?? []) : [args[0] | 0];
    return fds.map((fd) => [fd, this.#world.descriptor(fd)]);
  }

  #resumes({ args }: Call, result: number): void {
    const world = this.#world;
    const at = world.blocked.findIndex(({ lwp }) => lwp === args[0] >>> 0);
    if (result !== 0) {
      if (result === -ESRCH && at >= 0) world.blocked.splice(at, 1);
      else if (at >= 0 && world.blocked[at].taken && result !== -ESTOPPED)
        throw new Violation(`Lwp ${args[0]} was taken and cannot be resumed: ${errnoName(result)}`);
      return;
    }
    const [blocked] = at >= 0 ? world.blocked.splice(at, 1) : [];
    if (!blocked) throw new Violation(`Lwp ${args[0]} is not there and was resumed`);
    this.#putBack();
    world.current = blocked.process;
    world.resuming = blocked;
    // a careless host goes on with another call
    if (!world.hostile()) world.queue.push(blocked.step);
  }

  /** The CPU turned to something else: what was resumed may be resumed again. */
  #putBack(): void {
    const { resuming, blocked } = this.#world;
    if (resuming) blocked.push({ ...resuming, taken: true });
    this.#world.resuming = undefined;
  }

  #cancelled({ args }: Call, result: number, idle: boolean): void {
    const world = this.#world;
    const lwp = args[0] >>> 0;
    if (result === -ESTOPPED) return;
    if (world.resuming?.lwp === lwp) world.resuming = undefined;
    const at = world.blocked.findIndex((one) => one.lwp === lwp);
    if (at < 0) return;
    const [blocked] = world.blocked.splice(at, 1);
    // its process was ended by a signal
    if (result === -ESRCH) return;
    if (result < 0) this.#tally.count(blocked.step.call.name, result);
    if (!blocked.taken && idle && world.random.chance(0.6)) this.#again(blocked);
  }

  #mayWaitAgain({ step: { call }, process, held }: Blocked): boolean {
    const { name, args } = call;
    if (!WAITING.has(name) || !process.sure) return false;
    if (name === 'sys_fcntl_lock' && (args[3] !== SEEK_SET || args[1] !== F_SETLKW)) return false;
    return held.every(([fd, was]) => was !== undefined && process.fds.get(fd) === was);
  }

  /** Make a call again that was given up while it waited: if it need not wait, its wake-up was lost. */
  #again(blocked: Blocked): void {
    if (!this.#mayWaitAgain(blocked)) return;
    const { process, step } = blocked;
    const world = this.#world;
    if (world.queue.length > 0 || world.resuming) return;
    const done = (result: number): void => {
      if (result !== 0) return;
      world.current = process;
      const again = { ...step.call };
      this.#mustWait = again;
      world.queue.push({ call: again, done: step.done });
    };
    world.queue.push({ call: { name: 'proc_switch', args: [process.pid], patches: [] }, done });
  }

  /** @throws Violation if a call that had waited could move on at once */
  #stillNothing(call: Call, result: number): void {
    if (result >= 0)
      throw new Violation(`a call that waited had no reason to: ${showCall(call)} gave ${result}`);
    if (result !== -ERESTART) this.#mustWait = this.#mustGiveNothing = undefined;
  }

  /** What it has done before it waited again, its giving up tells. */
  #giveUpAgain(): void {
    const lwp = this.#world.blocked.at(-1)?.lwp ?? 0;
    this.#mustWait = undefined;
    this.#mustGiveNothing = { name: 'sys_cancel', args: [lwp], patches: [] };
    this.#world.queue.push({ call: this.#mustGiveNothing });
  }

  #time(): void {
    const now = this.machine.dataDouble();
    if (!(now >= this.#clock)) throw new Violation(`the clock went from ${this.#clock} to ${now}`);
    this.#clock = now;
  }

  /** @throws Violation when the page table or a zone is inconsistent */
  check(): void {
    try {
      checkRam(this.machine);
    } catch (error) {
      throw new Violation(error instanceof Error ? error.message : String(error));
    }
  }
}

function pollFds(count: number, words: readonly number[]): number[] {
  const list: number[] = [];
  for (let i = 0; i < count && 2 * i < words.length; i++)
    if ((words[2 * i] | 0) >= 0) list.push(words[2 * i] | 0);
  return list;
}
