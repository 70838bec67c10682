/**
 * Nothing unwinds through the kernel: however little of the host's stack is left when a call is made,
 * it either works or throws a RangeError before it has taken a lock.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { CPU_KERNEL, CPU_USER, SA_DATA, SA_PATH2 } from '../../../assembly/abi/layout.ts';
import { Cpu } from '../../../host/machine/cpu.ts';
import type { KernelExports } from '../../../host/machine/exports.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { checkRam } from '../../helpers/ram.ts';
import { debugMachine, kernelFile } from './kit.ts';

/** Calls are made at so many depths, from the deepest there is. */
const DEPTHS = 700;
/** c_nheld: how many locks this CPU holds (kept by debug flavours). */
const HELD = 16;

const kernel = new WebAssembly.Module(readFileSync(kernelFile('up-debug')));

interface Outcome {
  overflowed: number;
  worked: number;
}

/**
 * Recurse until the stack is full, and make the call on the way back from every depth, so that each
 * time a frame more of it is free. `pad` moves all depths by a few words.
 */
function atEveryDepth(pad: number, call: () => void, depths = DEPTHS): Outcome {
  const outcome: Outcome = { overflowed: 0, worked: 0 };
  let made = 0;
  // arguments are words on the stack
  const dive = (...words: number[]): void => {
    try {
      dive(...words);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    if (made >= depths) return;
    made++;
    try {
      call();
      outcome.worked++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      outcome.overflowed++;
    }
  };
  dive(...Array.from({ length: pad }, (_, i) => i));
  return outcome;
}

type Calls = Record<string, (machine: Machine) => void>;

function put(machine: Machine, text: string, at = 0): number {
  const { cpu } = machine;
  for (let i = 0; i < text.length; i++) cpu.u8[cpu.area + at + i] = text.charCodeAt(i);
  return text.length;
}

const BUFFER = new Uint8Array(20_000);

/** Calls whose way through the kernel is long, or leads back into the host. Each undoes what it did. */
const CALLS: Calls = {
  'open, which makes a file, and close': (machine) => {
    const { exports } = machine.cpu;
    const fd = exports.sys_openat(F.AT_FDCWD, put(machine, '/a/b/c/d/new'), F.O_CREAT | F.O_RDWR, 0o644);
    exports.sys_close(fd);
    exports.sys_unlinkat(F.AT_FDCWD, put(machine, '/a/b/c/d/new'), 0);
  },
  'stat through symbolic links': (machine) => void machine.cpu.exports.sys_stat(put(machine, '/l1/b/c/d/f')),
  'write and read, whose bytes the host copies': ({ cpu }) => {
    cpu.spaces[0] = BUFFER;
    cpu.exports.sys_pwrite(0, 0, 0, BUFFER.length, 100);
    cpu.exports.sys_pread(0, 0, 0, BUFFER.length, 0);
  },
  'rename of directories': (machine) => {
    const { exports } = machine.cpu;
    for (const [from, to] of [
      ['/a/b/c', '/a/moved'],
      ['/a/moved', '/a/b/c'],
    ]) {
      exports.sys_renameat2(F.AT_FDCWD, put(machine, from), F.AT_FDCWD, put(machine, to, SA_PATH2), 0);
    }
  },
  'mount and umount': (machine) => {
    const { exports } = machine.cpu;
    put(machine, 'tmpfssize=64k', SA_DATA);
    exports.sys_mount(put(machine, 'x'), put(machine, '/a/b', SA_PATH2), 5, 8, 0);
    exports.sys_umount2(put(machine, '/a/b'), 0);
  },
  'texts of /proc': (machine) => {
    const { exports, spaces } = machine.cpu;
    const fd = exports.sys_openat(F.AT_FDCWD, put(machine, '/proc/mounts'), 0, 0);
    spaces[0] = BUFFER;
    exports.sys_read(fd, 0, 0, BUFFER.length);
    exports.sys_close(fd);
  },
  'truncation, holes and their locks': ({ cpu: { exports } }) => {
    exports.sys_ftruncate(0, 50_000);
    exports.sys_fallocate(0, F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE, 5000, 20_000);
    exports.sys_fcntl_lock(0, F.F_SETLK, F.F_WRLCK, F.SEEK_SET, 0, 10);
    exports.sys_fcntl_lock(0, F.F_SETLK, F.F_UNLCK, F.SEEK_SET, 0, 0);
  },
  'getdents, and the console, which is the host’s': (machine) => {
    const { exports, spaces } = machine.cpu;
    exports.sys_lseek(1, 0, F.SEEK_SET);
    exports.sys_getdents(1, 0);
    spaces[0] = BUFFER;
    exports.sys_write(2, 0, 0, 100);
  },
  'calls with eight arguments, and the whole cache': (machine) => {
    const { exports, spaces } = machine.cpu;
    spaces[0] = BUFFER;
    exports.sys_setxattr(F.AT_FDCWD, put(machine, '/a'), 0, put(machine, 'user.x', SA_PATH2), 0, 0, 500, 0);
    exports.machine_reclaim();
  },
};

function prepare(flavour: Flavour): Machine {
  const machine = debugMachine({ flavour, module: kernelFile(flavour), console: () => undefined, seed: 1 });
  const { fs, init } = machine;
  fs.mkdirSync('/a/b/c/d', { recursive: true });
  fs.writeFileSync('/a/b/c/d/f', 'f');
  fs.symlinkSync('/l2', '/l1');
  fs.symlinkSync('a', '/l2');
  for (const path of ['/a/b/c/d/f', '/a', '/dev/console']) fs.openSync(path, path === '/a' ? 'r' : 'r+');
  init.enter();
  return machine;
}

describe.each(['up-debug', 'smp-debug', 'up', 'smp'] as const)('%s', (flavour) => {
  const debug = flavour.endsWith('-debug');

  test.each(Object.keys(CALLS))('%s', (name) => {
    const machine = prepare(flavour);
    const { cpu } = machine;
    const call = () => CALLS[name](machine);
    const { state } = cpu;
    const total: Outcome = { overflowed: 0, worked: 0 };
    // the first time, the engine has yet to compile some of what is called
    for (const pad of [0, 0, 1, 3]) {
      const { overflowed, worked } = atEveryDepth(pad, () => {
        try {
          call();
        } finally {
          // a panic would show as such, and nothing below may overflow in its turn
          if (cpu.u32[state] !== CPU_USER || (debug && cpu.u32[state + (HELD >>> 2)] !== 0))
            total.overflowed = NaN;
        }
      });
      total.overflowed += overflowed;
      total.worked += worked;
      call();
    }
    expect(cpu.panic).toBe(undefined);
    expect(total.overflowed, 'calls refused, with nothing held').toBeGreaterThan(20);
    expect(total.worked).toBeGreaterThan(DEPTHS);
    // what was cut off between two calls is put right, and everything works
    for (let fd = 3; fd < 1000; fd++) cpu.exports.sys_close(fd);
    call();
    machine.fs.rmSync('/a', { recursive: true, force: true });
    machine.reclaim();
    if (flavour !== 'smp') checkRam(cpu);
    machine.shutdown();
  });
});

test('what does unwind kills the machine, with hardly any stack left as well', () => {
  const machines = Array.from({ length: 400 }, () => {
    const entropy = () => {
      throw new Error('no entropy');
    };
    const cpu = new Cpu(new WebAssembly.Memory({ initial: 64, maximum: 64 }), { entropy });
    const imports = {
      env: { memory: cpu.memory },
      host: cpu.imports as unknown as WebAssembly.ModuleImports,
    };
    cpu.connect(new WebAssembly.Instance(kernel, imports).exports as unknown as KernelExports);
    cpu.exports.machine_boot(0, 0, 0, 0);
    cpu.attach();
    cpu.exports.proc_switch(cpu.exports.machine_start());
    const path = '/dev/urandom';
    for (let i = 0; i < path.length; i++) cpu.u8[cpu.area + i] = path.charCodeAt(i);
    expect(cpu.exports.sys_openat(F.AT_FDCWD, path.length, 0, 0)).toBe(0);
    cpu.spaces[0] = BUFFER;
    return cpu;
  });
  let used = 0;
  let dead = 0;
  const use = () => {
    const cpu = machines[used++];
    try {
      cpu.exports.sys_read(0, 0, 0, 100);
    } catch {
      // told by what it left
    }
  };
  // compiled, so that it is no obstacle itself
  use();
  atEveryDepth(0, use, machines.length - 1);
  for (const cpu of machines.slice(0, used)) {
    const inside = cpu.u32[cpu.state] === CPU_KERNEL;
    expect(cpu.panic !== undefined).toBe(inside);
    if (inside) dead++;
    else expect(cpu.exports.sys_close(0)).toBe(0);
  }
  expect(dead).toBeGreaterThan(20);
  expect(used - dead).toBeGreaterThan(20);
});
