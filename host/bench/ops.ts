/**
 * The operations, each written once for all contestants against the same few functions of
 * node:fs. A batch runs `count` operations and returns a number that depends on every result, so
 * that no engine may leave one out; the cursor goes on from batch to batch, through the files in
 * random order.
 */
import {
  BENCH_CALL_INDIRECT,
  BENCH_LOAD,
  BENCH_LOOKUP,
  BENCH_NAMES,
  BENCH_STAT,
  BENCH_VOP_DISPATCH,
  BL_HOT,
  BL_LEN,
  BL_NAMES,
  BL_STATE,
  CTR_LOOKUPS,
  CTR_PROBES,
} from '../../assembly/abi/bench.ts';
import { FILE_SIZE, type FixtureName, HOT_NAMES, SMALL_NAMES, type Stage } from './fixture.ts';
import { benchName } from './random.ts';
import type { GroupName } from './types.ts';

/** What a batch cost: `perOp` in the row's unit, `costMs` what it took in all. */
export interface Sample {
  perOp: number;
  costMs: number;
}

export interface Operation {
  readonly op: string;
  readonly unit: 'ns' | 'ms' | 'probes' | 'bytes';
  readonly group: GroupName;
  readonly needs: readonly FixtureName[];
  /** Only in a full run. */
  readonly full?: boolean;
  /** The sampler for this contestant, or null when it has no such operation. */
  bind(stage: Stage): ((count: number) => Sample | Promise<Sample>) | null;
}

type Batch = (count: number) => number;

/** Where every batch's result ends up: reading it back makes all of them count. */
let sink = 0;

export function consumed(): number {
  return sink;
}

function clocked(batch: Batch, count: number): number {
  const start = performance.now();
  sink = (sink + batch(count)) | 0;
  return performance.now() - start;
}

/** A sampler in ns per operation; what `baseline` costs for the same count is taken off. */
function timed(batch: Batch, baseline?: Batch): (count: number) => Sample {
  return (count) => {
    const costMs = clocked(batch, count);
    const baseMs = baseline ? clocked(baseline, count) : 0;
    return { perOp: (Math.max(0, costMs - baseMs) * 1e6) / count, costMs: costMs + baseMs };
  };
}

function overFiles(op: string, make: (stage: Stage) => Batch, needs: FixtureName = 'files'): Operation {
  return { op, unit: 'ns', group: 'core', needs: [needs], bind: (stage) => timed(make(stage)) };
}

function stat(stage: Stage): Batch {
  const { fs, paths } = stage;
  let at = 0;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const st = fs.statSync(paths[at]);
      sum = (sum + st.size + st.mode + st.nlink + st.mtimeMs) | 0;
      if (++at === paths.length) at = 0;
    }
    return sum;
  };
}

function openClose(stage: Stage): Batch {
  const { fs, paths } = stage;
  let at = 0;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const fd = fs.openSync(paths[at], 'r');
      sum = (sum + fd) | 0;
      fs.closeSync(fd);
      if (++at === paths.length) at = 0;
    }
    return sum;
  };
}

function pread(stage: Stage): Batch {
  const { fs, fds } = stage;
  const page = new Uint8Array(FILE_SIZE);
  let at = 0;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum = (sum + fs.readSync(fds[at], page, 0, FILE_SIZE, 0) + page[at]) | 0;
      if (++at === fds.length) at = 0;
    }
    return sum;
  };
}

function pwrite(stage: Stage): Batch {
  const { fs, fds } = stage;
  const page = new Uint8Array(FILE_SIZE).fill(7);
  let at = 0;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      page[at]++;
      sum = (sum + fs.writeSync(fds[at], page, 0, FILE_SIZE, 0)) | 0;
      if (++at === fds.length) at = 0;
    }
    return sum;
  };
}

function createWriteUnlink(stage: Stage): Batch {
  const { fs } = stage;
  const names = stage.dirs.map((dir, i) => `${dir}/n${i}`);
  const page = new Uint8Array(FILE_SIZE).fill(9);
  let at = 0;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const fd = fs.openSync(names[at], 'w');
      sum = (sum + fs.writeSync(fd, page, 0, FILE_SIZE)) | 0;
      fs.closeSync(fd);
      fs.unlinkSync(names[at]);
      if (++at === names.length) at = 0;
    }
    return sum;
  };
}

function renameTwice(stage: Stage): Batch {
  const { fs, paths } = stage;
  const others = paths.map((path) => `${path}.renamed`);
  let at = 0;
  return (count) => {
    for (let i = 0; i < count; i++) {
      fs.renameSync(paths[at], others[at]);
      fs.renameSync(others[at], paths[at]);
      if (++at === paths.length) at = 0;
    }
    return count;
  };
}

function readdir(stage: Stage): Batch {
  const { fs, listDir, random } = stage;
  return (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const names = fs.readdirSync(listDir);
      sum = (sum + names.length + names[random.below(names.length)].charCodeAt(8)) | 0;
    }
    return sum;
  };
}

function mkdirRmdir(stage: Stage): Batch {
  const { fs } = stage;
  const names = stage.dirs.map((dir, i) => `${dir}/m${i}`);
  let at = 0;
  return (count) => {
    for (let i = 0; i < count; i++) {
      fs.mkdirSync(names[at]);
      fs.rmdirSync(names[at]);
      if (++at === names.length) at = 0;
    }
    return count;
  };
}

/** Lookups through the public fs. Writing the names is timed alone and taken off. */
function lookupThroughFs(stage: Stage, dir: string, names: number, hot: number) {
  const { fs, random } = stage;
  const stride = hot === 0 ? 1 : Math.floor(names / hot);
  const draw = (): string => `${dir}/${benchName(random.below(hot || names) * stride)}`;
  const lookups: Batch = (count) => {
    for (let i = 0; i < count; i++) fs.accessSync(draw());
    return count;
  };
  const drawing: Batch = (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + draw().charCodeAt(i & 7)) | 0;
    return sum;
  };
  return timed(lookups, drawing);
}

/** Lookups looped inside the kernel, and how many probes they took. */
export function kernelLookups(stage: Stage, dir: string, names: number, hot: number) {
  const kernel = stage.subject.kernel!;
  const params = new Uint32Array(BL_LEN / 4);
  params[BL_NAMES / 4] = names;
  params[BL_HOT / 4] = hot;
  params[BL_STATE / 4] = stage.random.next();
  const run = (op: number): Batch => {
    return (count) => {
      kernel.loop(op, count, dir, params);
      return params[BL_STATE / 4];
    };
  };
  return { lookups: run(BENCH_LOOKUP), drawing: run(BENCH_NAMES) };
}

function lookup(op: string, fixture: 'small' | 'big', hot: number): Operation {
  return {
    op,
    unit: 'ns',
    group: 'core',
    needs: [fixture],
    bind(stage) {
      const dir = fixture === 'small' ? stage.smallDir : stage.bigDir;
      const names = fixture === 'small' ? SMALL_NAMES : stage.bigNames;
      if (!stage.subject.kernel) return lookupThroughFs(stage, dir, names, hot);
      const { lookups, drawing } = kernelLookups(stage, dir, names, hot);
      return timed(lookups, drawing);
    },
  };
}

function probes(op: string, fixture: 'small' | 'big'): Operation {
  return {
    op,
    unit: 'probes',
    group: 'core',
    needs: [fixture],
    bind(stage) {
      const { kernel } = stage.subject;
      if (!kernel) return null;
      const dir = fixture === 'small' ? stage.smallDir : stage.bigDir;
      const { lookups } = kernelLookups(stage, dir, fixture === 'small' ? SMALL_NAMES : stage.bigNames, 0);
      return (count) => {
        const probesBefore = kernel.counter(CTR_PROBES);
        const lookupsBefore = kernel.counter(CTR_LOOKUPS);
        const costMs = clocked(lookups, count);
        const looked = kernel.counter(CTR_LOOKUPS) - lookupsBefore;
        if (looked < count) throw new Error(`the kernel counted ${looked} of ${count} lookups`);
        return { perOp: (kernel.counter(CTR_PROBES) - probesBefore) / looked, costMs };
      };
    },
  };
}

function inKernel(op: string, which: number): Operation {
  return {
    op,
    unit: 'ns',
    group: 'core',
    needs: ['files'],
    bind(stage) {
      const { kernel } = stage.subject;
      if (!kernel) return null;
      return timed((count) => {
        kernel.loop(which, count, stage.paths[0]);
        return count;
      });
    },
  };
}

/** One load from a random place of the RAM in use: what a lookup of a random name cannot do without. */
const ramLoad: Operation = {
  op: 'ram_load',
  unit: 'ns',
  group: 'core',
  needs: ['big'],
  bind(stage) {
    const { kernel } = stage.subject;
    if (!kernel) return null;
    const params = new Uint32Array(BL_LEN / 4);
    params[BL_STATE / 4] = stage.random.next();
    return timed((count) => {
      kernel.loop(BENCH_LOAD, count, stage.bigDir, params);
      return params[BL_STATE / 4];
    });
  },
};

/** In a full run only: what an empty file costs once every cache has been given back. */
const RAM_FILES = 100_000;
const ramPerFile: Operation = {
  op: 'ram_per_file',
  unit: 'bytes',
  group: 'core',
  needs: [],
  full: true,
  bind(stage) {
    const { ramInUse } = stage.subject;
    if (!ramInUse) return null;
    let measured: Sample | null = null;
    return () => {
      if (measured) return measured;
      const start = performance.now();
      const dir = `${stage.subject.root}ram`;
      const before = ramInUse();
      stage.makeNames(dir, RAM_FILES, 60_000);
      const perOp = (ramInUse() - before) / RAM_FILES;
      for (let i = 0; i < RAM_FILES; i++) stage.fs.unlinkSync(`${dir}/${benchName(i)}`);
      stage.fs.rmdirSync(dir);
      measured = { perOp, costMs: performance.now() - start };
      return measured;
    };
  },
};

const bootTime: Operation = {
  op: 'boot_ms',
  unit: 'ms',
  group: 'core',
  needs: [],
  bind(stage) {
    const { boot } = stage.subject;
    if (!boot) return null;
    return async (count) => {
      let ms = 0;
      const start = performance.now();
      for (let i = 0; i < count; i++) ms += await boot();
      return { perOp: ms / count, costMs: performance.now() - start };
    };
  },
};

export const OPERATIONS: readonly Operation[] = [
  inKernel('call_indirect', BENCH_CALL_INDIRECT),
  inKernel('vop_dispatch', BENCH_VOP_DISPATCH),
  overFiles('stat', stat),
  inKernel('stat_kernel', BENCH_STAT),
  overFiles('open_close', openClose),
  overFiles('pread_4k', pread),
  overFiles('pwrite_4k', pwrite),
  overFiles('create_write_unlink', createWriteUnlink),
  overFiles('rename_2x', renameTwice),
  overFiles('readdir_2000', readdir, 'list'),
  overFiles('mkdir_rmdir', mkdirRmdir),
  lookup('lookup_1k', 'small', 0),
  lookup('lookup_1m_hot', 'big', HOT_NAMES),
  lookup('lookup_1m_random', 'big', 0),
  ramLoad,
  probes('lookup_probes_1k', 'small'),
  probes('lookup_probes_1m', 'big'),
  ramPerFile,
  bootTime,
];
