/**
 * Looks into the crash states of recordings: mounts each, so that its journal is replayed, reads everything,
 * unmounts, and has it checked. Disks with the same content are looked into once.
 */
import { SB_OFFSET } from '../../assembly/abi/ext4.ts';
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import type { CrashOptions, CrashSpec, CrashState } from '../../host/devices/crash.ts';
import { CrashStates } from '../../host/devices/crash.ts';
import type { MemoryDisk } from '../../host/devices/memory.ts';
import { Recorder } from '../../host/devices/recorder.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { check } from '../../host/ext4/check.ts';
import type { Machine } from '../../host/machine/machine.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { e2fsck, mended } from './e2fsck.ts';
import { judge } from './oracle.ts';
import { type Recorded, record, type Workload } from './record.ts';
import { observe, type State } from './state.ts';
import { FORMATS, type Format, type Kernel, M, makeBase, newMachine } from './volume.ts';

/** What a disk shows when it is mounted after the crash; what is wrong with it whatever was done before. */
interface Seen {
  readonly state?: State;
  readonly wrong: string;
}

export interface Violation {
  readonly workload: Workload;
  readonly spec: CrashSpec;
  readonly message: string;
}

/** What was looked into for one workload. */
export interface Explored {
  /** States that were judged: distinct ones of one recording. */
  states: number;
  /** What tells the contents of their disks apart, those of other workloads included. */
  readonly contents: Set<string>;
  mounts: number;
  /** Disks that e2fsck has looked at as well. */
  sampled: number;
  /** Contents with a superblock of two halves; those of them that were refused; those that e2fsck has mended then. */
  torn: number;
  refused: number;
  mended: number;
  violation?: Violation;
}

export const nothing = (): Explored => ({
  states: 0,
  contents: new Set(),
  mounts: 0,
  sampled: 0,
  torn: 0,
  refused: 0,
  mended: 0,
});

/** So many contents are remembered, of the latest recordings. */
const REMEMBERED = 20_000;
/** A machine is put to this many disks, then another is made, and the old one looked over for leaks. */
const DISKS_EACH = 2000;

/**
 * The superblock's checksum lies in another sector than what changes most, and the format has nothing against one
 * of them being written without the other. Such a file system may be refused, as Linux does; e2fsck then takes a
 * copy of the superblock, if there is one, and what it makes of it is judged as any other disk is.
 */
function tearsSuper({ recording }: Recorded, { cut, torn }: CrashSpec): boolean {
  if (torn === undefined) return false;
  const { offBytes, lenBytes } = recording.requests[cut];
  const sectors = [SB_OFFSET, SB_OFFSET + 512].map((at) => (at - offBytes) / 512);
  if (sectors.some((sector) => sector < 0 || sector * 512 >= lenBytes)) return false;
  return torn.includes(sectors[0]) !== torn.includes(sectors[1]);
}

export class Explorer {
  readonly #kernel: Kernel;
  readonly #bases = new Map<string, MemoryDisk>();
  readonly #remembered = new Map<string, Seen>();
  readonly #sampleEvery: number;
  #machine: Machine | undefined;
  #root: Process | undefined;
  #mounted = 0;
  #now = nothing();

  /** @param sampleEvery  e2fsck looks at one disk of so many; 0: at none */
  constructor(kernel: Kernel, sampleEvery = 0) {
    this.#kernel = kernel;
    this.#sampleEvery = sampleEvery;
  }

  #format(name: string): Format {
    const format = FORMATS.find((one) => one.name === name);
    if (!format) throw new Error(`there is no format ${name}`);
    return format;
  }

  record(workload: Workload): Recorded {
    const format = this.#format(workload.format);
    const base = this.#bases.get(format.name) ?? makeBase(this.#kernel, format);
    this.#bases.set(format.name, base);
    return record(this.#kernel, format, base, workload);
  }

  /** Judge the states of a workload, until one is wrong. */
  explore(workload: Workload, options: CrashOptions): Explored {
    const recorded = this.record(workload);
    const explored = nothing();
    this.#now = explored;
    for (const state of new CrashStates(recorded.recording).distinct(options)) {
      explored.states++;
      const message = this.#judge(recorded, state);
      if (message === '') continue;
      const { cut, kept, torn } = state;
      explored.violation = { workload, spec: { cut, kept, torn }, message };
      break;
    }
    return explored;
  }

  /** One state again. */
  replay(workload: Workload, spec: CrashSpec): string {
    const recorded = this.record(workload);
    return this.#judge(recorded, new CrashStates(recorded.recording).state(spec));
  }

  #judge(recorded: Recorded, state: CrashState): string {
    const seen = this.#see(recorded, state);
    if (seen.wrong !== '' || seen.state === undefined) return seen.wrong;
    return judge(recorded, state.cut, seen.state);
  }

  #see(recorded: Recorded, state: CrashState): Seen {
    const { format } = recorded.workload;
    const key = `${format} ${state.hash}`;
    this.#now.contents.add(key);
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const torn = tearsSuper(recorded, state);
    const seen = torn ? this.#lookTorn(state, this.#format(format)) : this.#look(state.disk());
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, seen);
    return seen;
  }

  /** A disk whose superblock is half old, half new: mounted, or refused as it is. */
  #lookTorn(state: CrashState, { copies }: Format): Seen {
    this.#now.torn++;
    const recorder = new Recorder(state.disk());
    if (!this.#refused(recorder)) return this.#look(state.disk());
    this.#now.refused++;
    if (recorder.recording.requests.some(({ kind }) => kind !== 'flush'))
      return { wrong: 'the mount was refused, and it wrote' };
    if (!copies) return { wrong: '' };
    const whole = mended(state.disk());
    if (typeof whole === 'string') return { wrong: whole };
    this.#now.mended++;
    return this.#look(whole);
  }

  #look(disk: BlockDevice): Seen {
    try {
      const state = this.#mount(disk);
      const { clean, needsRecovery, findings } = check(disk);
      if (!clean || needsRecovery) {
        const damage = findings.filter(({ note }) => !note).slice(0, 5);
        return { wrong: `check: ${damage.map(({ rule, message }) => `${rule}: ${message}`).join('\n')}` };
      }
      if (this.#sampleEvery > 0 && this.#mounted % this.#sampleEvery === 0) {
        this.#now.sampled++;
        return { state, wrong: e2fsck(disk) };
      }
      return { state, wrong: '' };
    } catch (error) {
      this.#machine = undefined;
      const { message, stack = '' } = error as Error;
      return { wrong: `${message}\n${stack}` };
    }
  }

  /** Does the mount say that the disk is damaged? */
  #refused(disk: BlockDevice): boolean {
    const { machine, root } = this.#newest();
    const slot = machine.attachDisk(disk);
    try {
      root.mount(`/dev/vbd${slot}`, M, 'ext4', MS_NOATIME);
      root.umount(M);
      return false;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EUCLEAN') throw error;
      return true;
    } finally {
      machine.detachDisk(slot);
    }
  }

  #mount(disk: BlockDevice): State {
    const { machine, root } = this.#newest();
    const slot = machine.attachDisk(disk);
    root.mount(`/dev/vbd${slot}`, M, 'ext4', MS_NOATIME);
    const state = observe(root);
    root.umount(M);
    machine.detachDisk(slot);
    return state;
  }

  /** The machine to mount disks by. */
  #newest(): { machine: Machine; root: Process } {
    this.#now.mounts++;
    if (this.#mounted++ % DISKS_EACH === 0) this.end();
    this.#machine ??= newMachine(this.#kernel);
    if (this.#root?.cpu !== this.#machine.cpu) this.#root = this.#machine.process();
    return { machine: this.#machine, root: this.#root as Process };
  }

  /** The machine that the disks were mounted by goes. @throws LeakError in a debug kernel */
  end(): void {
    this.#machine?.shutdown();
    this.#machine = undefined;
  }
}
