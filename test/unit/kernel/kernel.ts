/** A machine per test, driven by its bare exports; shutting it down finds leaked objects. */
import { afterEach, beforeEach } from 'vitest';
import { DamselflyTarget } from '../../oracle/damselfly.ts';
import { DamselflyProcess } from '../../oracle/damselfly-process.ts';
import { errnoName } from '../../oracle/errno.ts';
import type { Result } from '../../oracle/target.ts';

export interface Kernel {
  readonly target: DamselflyTarget;
  /** A process of root. */
  readonly me: DamselflyProcess;
  /** Another one. */
  readonly friend: DamselflyProcess;
  /** One of a user. */
  readonly user: DamselflyProcess;
}

/** Gives each test of the suite a debug machine with a tmpfs as its processes' root. */
export function eachWithKernel(flavour = 'up-debug', ramBytes?: number): Kernel {
  let target: DamselflyTarget | undefined;
  let processes: DamselflyProcess[] = [];
  beforeEach(() => {
    target = new DamselflyTarget({ flavour, ramBytes });
    const { root } = target;
    processes = [root, target.as({ uid: 0, gid: 0 }), target.as({ uid: 1000, gid: 1000 })];
  });
  afterEach(() => target?.dispose());
  const must = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('outside a test');
    return value;
  };
  return {
    get target() {
      return must(target);
    },
    get me() {
      return must(processes[0]);
    },
    get friend() {
      return must(processes[1]);
    },
    get user() {
      return must(processes[2]);
    },
  };
}

/** A child that shares every descriptor of its parent. */
export function fork(target: DamselflyTarget, parent: DamselflyProcess): DamselflyProcess {
  const pid = target.machine.kernel.proc_create(parent.pid, 0, 0, 0, 1);
  return new DamselflyProcess(target.machine, ok(pid), { uid: 0, gid: 0 });
}

/** A result that is no error. */
export function ok<T>(result: Result<T>): T {
  if (typeof result === 'number' && result < 0) throw new Error(`the call failed: ${errnoName(result)}`);
  return result as T;
}

/** `length` bytes that tell where in a stream they were: each differs from its neighbours a page away. */
export function pattern(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((from + i) * 31 + ((from + i) >>> 8) * 7) & 0xff);
}
