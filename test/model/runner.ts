import { EAGAIN, ENOENT } from '../../assembly/abi/errno.ts';
import * as F from '../../assembly/abi/flags.ts';
import type { MachineTarget } from '../oracle/machine-target.ts';
import { describeResult } from '../oracle/errno.ts';
import type { PosixProcess, PosixTarget, Stat, TreeEntry } from '../oracle/target.ts';
import {
  byPath,
  compareEvents,
  compareResults,
  compareStats,
  compareTrees,
  Difference,
  Pairing,
} from './compare.ts';
import type { Operation } from './kinds.ts';
import { excuse, permitted, Tally } from './rules.ts';
import { ACTORS, type Call, type FdKind, JAIL, JAILED, State } from './state.ts';

/** Runs one list of operations on both systems, side by side. */

export interface Pair {
  damselfly: MachineTarget;
  linux: PosixTarget;
  fileSystem: 'tmpfs' | 'ext4';
}

interface Step {
  actor: number;
  call: Call;
  result: unknown;
}

/** Calls after which a directory’s new stamp may equal its old one. */
const BLURRED = ['unlink', 'unlinkat', 'rmdir', 'rename', 'renameat2', 'linkat'];

/** The call as it was made, for a reader. */
export function describeCall(call: Call): string {
  const show = (arg: unknown): string => {
    if (arg instanceof Uint8Array) return `<${arg.length} bytes>`;
    if (Array.isArray(arg)) return `[${arg.map(show).join(', ')}]`;
    if (typeof arg === 'string') return arg.length > 60 ? `'${arg.slice(0, 8)}…${arg.length}'` : `'${arg}'`;
    return JSON.stringify(arg);
  };
  return `${call.name}(${call.args.map(show).join(', ')})`;
}

function describeStep(step: Step): string {
  return `  ${ACTORS[step.actor].name.padStart(6)} ${describeCall(step.call)} = ${describeResult(step.result)}`;
}

export class Run {
  readonly tally: Tally;
  readonly #pair: Pair;
  readonly #state = new State();
  readonly #ours: readonly PosixProcess[];
  readonly #theirs: readonly PosixProcess[];
  readonly #pairing = new Pairing();
  readonly #steps: Step[] = [];
  readonly #fine: boolean;
  readonly #exact: boolean;
  #operations = 0;

  /** `exact`: wait for the oracle’s clock to tick wherever it may give two changes one stamp. */
  constructor(pair: Pair, exact: boolean) {
    this.#exact = exact;
    this.#pair = pair;
    this.tally = new Tally(pair.fileSystem);
    pair.damselfly.reset({ atime: 'never' });
    pair.linux.reset({ atime: 'never', sizeBytes: 32 << 20 });
    this.#fine = !pair.linux.missing.has('fineTimestamps');
    this.#ours = ACTORS.map((who) => pair.damselfly.as(who));
    this.#theirs = ACTORS.map((who) => pair.linux.as(who));
    for (const p of [this.#ours[0], this.#theirs[0]]) prepare(p);
    for (const p of [this.#ours[JAILED], this.#theirs[JAILED]]) jail(p);
    this.#compareTrees();
    this.#state.jail = this.#rootOfJail();
  }

  /** @throws Difference with the steps that led to it */
  perform(operations: readonly Operation[]): void {
    try {
      for (const operation of operations) {
        this.#operations++;
        this.#step(operation);
      }
      this.#finish();
    } catch (error) {
      this.#pair.damselfly.abandon();
      const steps = this.#steps.slice(-40).map(describeStep).join('\n');
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const difference = new Difference(
        `${message}\nafter ${this.#steps.length} calls, the last of them:\n${steps}`,
      );
      difference.operations = this.#operations;
      throw difference;
    }
  }

  #step(operation: Operation): void {
    const { actor, call: wanted } = operation.turn(this.#state);
    const call = permitted(this.#state, actor, wanted, this.tally);
    if (!call || this.#leavesRemoved(actor, call)) return;
    const step: Step = { actor, call, result: 'never returned' };
    this.#steps.push(step);
    if (this.#exact && this.#mayBlur(call)) this.#pair.linux.tick();
    // What was made since a directory was opened may be listed or not: begin anew.
    if (call.name === 'getdents')
      for (const p of [this.#theirs[actor], this.#ours[actor]]) p.lseek(Number(call.args[0]), 0, F.SEEK_SET);
    const theirs = this.#invokeOracle(actor, call);
    step.result = theirs;
    const ours = invoke(this.#ours[actor], call);
    this.tally.called(operation.kind, theirs);
    if (!this.#excused(actor, call, ours, theirs)) this.#compare(actor, call, ours, theirs);
    this.#follow(actor, call, theirs);
    this.#compareTrees();
  }

  /** The oracle’s part, made of others where its file system lacks the call. */
  #invokeOracle(actor: number, call: Call): unknown {
    if (
      this.#pair.fileSystem !== 'tmpfs' ||
      call.name !== 'fallocate' ||
      !(Number(call.args[1]) & F.FALLOC_FL_ZERO_RANGE)
    )
      return invoke(this.#theirs[actor], call);
    const [fd, mode, ...range] = call.args.map(Number);
    this.tally.applied('zero range');
    const part = (flags: number): unknown =>
      invoke(this.#theirs[actor], { name: 'fallocate', args: [fd, flags, ...range] });
    const punched = part(F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE);
    return punched === 0 ? part(mode & ~F.FALLOC_FL_ZERO_RANGE) : punched;
  }

  /** Does it go up from a directory that was removed? Linux still can, and the trees would part. */
  #leavesRemoved(actor: number, { name, args }: Call): boolean {
    const leaves = args.some((path, i) => {
      if (typeof path !== 'string' || path.startsWith('/') || !path.split('/').includes('..')) return false;
      // what a symlink says is not walked when it is made
      if (i === 0 && name.startsWith('symlink')) return false;
      const dirfd = typeof args[i - 1] === 'number' ? Number(args[i - 1]) : F.AT_FDCWD;
      const from = this.#theirs[actor].fstatat(dirfd, '.', 0);
      return typeof from !== 'number' && from.nlink === 0;
    });
    if (leaves) this.tally.applied('removed directory');
    return leaves;
  }

  /** The oracle's inode of the jailed actor's root directory. */
  #rootOfJail(): number {
    const root = this.#theirs[JAILED].lstat('/');
    return typeof root === 'number' ? 0 : root.ino;
  }

  #compare(actor: number, call: Call, ours: unknown, theirs: unknown): void {
    const kind = typeof call.args[0] === 'number' ? this.#state.kindOf(actor, call.args[0]) : 'other';
    const events = (result: unknown): unknown => (result === -EAGAIN ? new Uint8Array(0) : result);
    const [mine, its] = [events(ours), events(theirs)];
    if (kind === 'inotify' && mine instanceof Uint8Array && its instanceof Uint8Array)
      compareEvents(mine, its, this.tally);
    else compareResults(call, ours, theirs, this.tally);
    if (kind === 'file') this.#compareOffsets(actor, call.args[0] as number);
  }

  #compareOffsets(actor: number, fd: number): void {
    const seek: Call = { name: 'lseek', args: [fd, 0, F.SEEK_CUR] };
    compareResults(seek, invoke(this.#ours[actor], seek), invoke(this.#theirs[actor], seek), this.tally);
  }

  /** A right difference of results, after which both systems are made alike again. */
  #excused(actor: number, call: Call, ours: unknown, theirs: unknown): boolean {
    if (call.name === 'getcwd' && ours === -ENOENT && String(theirs).startsWith('(unreachable)')) {
      this.tally.applied('unreachable directory');
      return true;
    }
    if (ours === theirs || typeof ours !== 'number' || typeof theirs !== 'number') return false;
    const rule = excuse(this.#state, call, ours, theirs);
    if (rule === 'sticky names' && ours >= 0) {
      const st = this.#ours[actor].fstat(ours);
      const type = typeof st === 'number' ? 0 : st.mode & F.S_IFMT;
      if (type === F.S_IFREG || type === F.S_IFIFO || type === F.S_IFDIR) return false;
      this.#ours[actor].close(ours);
    }
    if (rule) this.tally.applied(rule);
    return rule !== undefined;
  }

  /** Keep track of descriptors as the call left them. */
  #follow(actor: number, { name, args }: Call, result: unknown): void {
    const state = this.#state;
    if (name === 'pipe2' && Array.isArray(result)) {
      for (const fd of result) state.opened(actor, Number(fd), 'pipe');
      return;
    }
    if (typeof result !== 'number' || result < 0) return;
    const duplicates =
      ['dup', 'dup2', 'dup3'].includes(name) ||
      (name === 'fcntl' && (args[1] === F.F_DUPFD || args[1] === F.F_DUPFD_CLOEXEC));
    if (name === 'chroot') state.jail = this.#rootOfJail();
    else if (name === 'close') state.closed(actor, Number(args[0]));
    else if (duplicates) this.#duplicated(actor, Number(args[0]), result);
    else if (name === 'fallocate' && !(Number(args[1]) & F.FALLOC_FL_PUNCH_HOLE))
      state.preallocated.add(state.inode(actor, Number(args[0])));
    else if (name === 'inotifyAddWatch') state.watches.push({ actor, fd: Number(args[0]), wd: result });
    else if (name === 'inotifyRmWatch')
      state.watches = state.watches.filter(({ fd, wd }) => fd !== args[0] || wd !== args[1]);
    else if (name === 'inotifyInit') state.opened(actor, result, 'inotify');
    else if (name === 'open' || name === 'openat') this.#opened(actor, result);
  }

  #duplicated(actor: number, from: number, to: number): void {
    const { kind, ino } = { kind: this.#state.kindOf(actor, from), ino: this.#state.inode(actor, from) };
    this.#state.opened(actor, to, kind, ino);
  }

  #opened(actor: number, fd: number): void {
    const [ours, theirs] = this.#fstat(actor, fd);
    compareStats(`descriptor ${fd}`, ours, theirs, this.tally);
    const flags = this.#theirs[actor].fcntl(fd, F.F_GETFL, 0);
    const type = theirs.mode & F.S_IFMT;
    const kinds: Record<number, FdKind> = { [F.S_IFREG]: 'file', [F.S_IFDIR]: 'dir', [F.S_IFIFO]: 'pipe' };
    const kind = flags & F.O_PATH ? 'other' : (kinds[type] ?? 'other');
    this.#state.opened(actor, fd, kind, theirs.ino);
  }

  #fstat(actor: number, fd: number): [Stat, Stat] {
    const [ours, theirs] = [this.#ours[actor].fstat(fd), this.#theirs[actor].fstat(fd)];
    if (typeof ours === 'number' || typeof theirs === 'number')
      throw new Difference(
        `fstat(${fd}): damselfly ${describeResult(ours)}, linux ${describeResult(theirs)}`,
      );
    return [ours, theirs];
  }

  #compareTrees(): void {
    const ours = this.#pair.damselfly.tree('/');
    const theirs = this.#pair.linux.tree('/');
    compareTrees(ours, theirs, {
      pairing: this.#pairing,
      tally: this.tally,
      blurred: (st) => this.#blurred(st),
      preallocated: this.#state.preallocated,
    });
    const alive = new Map(theirs.map((item) => [item.path, item.ino]));
    this.#pairing.keep(ours.map((item) => ({ ours: item.ino, theirs: alive.get(item.path) ?? 0 })));
    this.#state.tree = theirs.sort(byPath);
  }

  /** Linux stamps a directory with the time of the name’s own file, which may be an old tick’s. */
  #mayBlur(call: Call): boolean {
    return !this.#fine || BLURRED.includes(call.name);
  }

  /** Had the file this attribute with this value before? The tree is the one before the call. */
  #hadValue({ ino }: Stat | TreeEntry, { args }: Call): boolean {
    const [, name, value] = args;
    const before = this.#state.tree.find((entry) => entry.ino === ino);
    return before?.xattrs.includes(`${name}=${Buffer.from(value as Uint8Array).toString('hex')}`) === true;
  }

  #blurred(st: Stat | TreeEntry): boolean {
    const last = this.#steps.at(-1)?.call;
    if (last?.name === 'truncate' || last?.name === 'ftruncate') {
      this.tally.applied('same size');
      return true;
    }
    if (this.#pair.fileSystem === 'ext4' && last?.name.endsWith('setxattr') && this.#hadValue(st, last)) {
      this.tally.applied('same value');
      return true;
    }
    if (this.#exact || !last || !this.#mayBlur(last)) return false;
    if (this.#fine && (st.mode & F.S_IFMT) !== F.S_IFDIR) return false;
    this.tally.applied('coarse clock');
    return true;
  }

  /** Files without a name are compared through their descriptors; then everything is closed. */
  #finish(): void {
    ACTORS.forEach((_who, actor) => {
      for (const { fd, kind } of this.#state.fds[actor]) {
        const [ours, theirs] = this.#fstat(actor, fd);
        if (kind !== 'file' && kind !== 'dir') continue;
        compareStats(`descriptor ${fd}`, ours, theirs, this.tally);
        const read: Call = { name: 'pread', args: [fd, 65536, 0] };
        if (kind === 'file')
          compareResults(
            read,
            invoke(this.#ours[actor], read),
            invoke(this.#theirs[actor], read),
            this.tally,
          );
      }
      this.#ours[actor].exit();
      this.#theirs[actor].exit();
    });
    this.#compareTrees();
    // Shuts the machine down, which counts what leaked.
    this.#pair.damselfly.reset();
  }
}

function invoke(process: PosixProcess, call: Call): unknown {
  const method = process[call.name] as (...args: readonly unknown[]) => unknown;
  return method.apply(process, [...call.args]);
}

function must(result: number): void {
  if (result < 0) throw new Error(`the first tree: ${describeResult(result)}`);
}

/** Put the one who is jailed there. */
function jail(p: PosixProcess): void {
  must(p.chroot(JAIL));
  must(p.chdir('/'));
}

/** A place for each actor, and shared ones. */
function prepare(root: PosixProcess): void {
  for (const [path, mode, uid, gid] of [
    ['/u', 0o755, 1000, 1000],
    ['/o', 0o755, 1001, 1001],
    ['/t', 0o777, 0, 0],
    ['/s', 0o2777, 1000, 2000],
  ] as const) {
    must(root.mkdir(path, 0o777));
    must(root.chown(path, uid, gid));
    must(root.chmod(path, mode));
  }
}
