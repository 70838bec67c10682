/** Damselfly among the contestants: a machine, its public fs, and the loops inside its kernel. */
import fs from 'node:fs';
import { PAGE_SIZE } from '../../assembly/abi/layout.ts';
import { boot } from '../machine/boot.ts';
import { type Flavour, kernelUrl } from '#kernels';
import type { Machine } from '../machine/machine.ts';
import { syscallError } from '../syscalls/errors.ts';
import type { KernelProbe, Subject } from './fixture.ts';
import type { ContestantName, Plan } from './types.ts';

const MIB = 2 ** 20;
/** A million cached names and their vnodes, without reclaim getting into the measurements. */
const FULL_RAM = 3072 * MIB;
const QUICK_RAM = 512 * MIB;

/** @throws Error when the kernel is not built or does not boot */
export async function openDamselfly(name: ContestantName, flavour: Flavour, plan: Plan): Promise<Subject> {
  const bytes = fs.readFileSync(kernelUrl(flavour));
  const module = await WebAssembly.compile(bytes);
  const machine = await boot({ flavour, module, ram: plan.quick ? QUICK_RAM : FULL_RAM });
  return {
    name,
    version: `${flavour}, ${(bytes.length / 1024).toFixed(0)} KiB of WebAssembly`,
    fs: machine.fs,
    root: '/',
    kernel: probe(machine),
    boot: async () => {
      const start = performance.now();
      const another = await boot({ flavour, module });
      another.fs.statSync('/');
      const ms = performance.now() - start;
      another.shutdown();
      return ms;
    },
    ramInUse() {
      machine.reclaim();
      return machine.framesInUse * PAGE_SIZE;
    },
    close: () => machine.shutdown(),
  };
}

function probe({ cpu, init }: Machine): KernelProbe {
  return {
    loop(op, count, path, params) {
      const length = init.path1(path);
      if (params) init.dataU32.set(params);
      const result = cpu.exports.bench_loop(op, count, length);
      if (result < 0) throw syscallError(-result, 'bench_loop', path);
      if (params) params.set(init.dataU32.subarray(0, params.length));
    },
    counter: (which) => cpu.exports.counter_get(which),
  };
}
