/**
 * Linearizability: small histories of calls that threads made at once, on two names and eight bytes, each explained by
 * some order of them, or not at all. HISTORIES and SEED for a campaign.
 */
import { describe, expect, test } from 'vitest';
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import { SharedDisk } from '../../host/devices/shared.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import type { Member } from '../../host/machine/join.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { type Call, describeCall, linearize, type Op } from './linear.ts';
import { notBuilt, thread } from './threads.ts';

const HISTORIES = Number(process.env.HISTORIES ?? 300);
const SEED = Number(process.env.SEED ?? 2004);
const THREADS = 3;
const CALLS = 5;
/** Words that the threads share: how often all have met, who is there, the clock. */
const MET = 0;
const CLOCK = 2;

interface LinearJob {
  base: string;
  index: number;
  seed: number;
  histories: number;
  threads: number;
  calls: number;
  shared: Int32Array<SharedArrayBuffer>;
}

/** Make the histories' calls of one thread. All begin each history together. */
function record({ fs }: Member, job: LinearJob): Call[][] {
  const { base, index, histories, threads, calls, shared } = job;
  let state = job.seed >>> 0;
  const draw = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const bytes = new Uint8Array(8);
  const meet = () => {
    const turn = Atomics.load(shared, 0);
    if (Atomics.add(shared, 1, 1) === threads - 1) {
      Atomics.store(shared, 1, 0);
      Atomics.add(shared, 0, 1);
      Atomics.notify(shared, 0);
    } else {
      // awake, so that all begin at once; but a busy host may have no processor for the others
      for (let spins = 0; spins < 20_000; spins++) if (Atomics.load(shared, 0) !== turn) return;
      // woken late for the meeting before, it waits on
      while (Atomics.load(shared, 0) === turn) Atomics.wait(shared, 0, turn);
    }
  };
  const perform = (op: Op, dir: string, fd: number): number | string => {
    const at = (name: string) => `${dir}/${name}`;
    try {
      switch (op.kind) {
        case 'create':
          fs.closeSync(fs.openSync(at(op.name), 'wx'));
          return 0;
        case 'unlink':
          fs.unlinkSync(at(op.name));
          return 0;
        case 'rename':
          fs.renameSync(at(op.name), at(op.to));
          return 0;
        case 'link':
          fs.linkSync(at(op.name), at(op.to));
          return 0;
        case 'truncate':
          fs.truncateSync(at(op.name), op.size);
          return 0;
        case 'stat':
          return fs.statSync(at(op.name)).size;
        case 'write':
          fs.writeSync(fd, bytes.fill(op.value), 0, 8, 4092);
          return 0;
        case 'read':
          fs.readSync(fd, bytes, 0, 8, 4092);
          return bytes.every((byte) => byte === bytes[0]) ? bytes[0] : -1;
      }
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const choose = (): Op => {
    const [name, to] = draw(2) === 0 ? ['a', 'b'] : ['b', 'a'];
    const kinds: Op[] = [
      { kind: 'create', name },
      { kind: 'unlink', name },
      { kind: 'rename', name, to },
      { kind: 'link', name, to },
      { kind: 'truncate', name, size: 1 + draw(3) },
      { kind: 'stat', name },
      { kind: 'write', value: 1 + draw(9) },
      { kind: 'read' },
    ];
    return kinds[draw(kinds.length)];
  };
  const all: Call[][] = [];
  for (let history = 0; history < histories; history++) {
    const dir = `${base}/${history}`;
    if (index === 0) {
      fs.mkdirSync(dir);
      fs.writeFileSync(`${dir}/bytes`, new Uint8Array(8192));
    }
    meet();
    const fd = fs.openSync(`${dir}/bytes`, 'r+');
    const mine: Call[] = [];
    meet();
    for (let i = 0; i < calls; i++) {
      const op = choose();
      const from = Atomics.add(shared, 2, 1);
      const result = perform(op, dir, fd);
      mine.push({ thread: index, op, from, to: Atomics.add(shared, 2, 1), result });
    }
    fs.closeSync(fd);
    meet();
    all.push(mine);
    if (index === 0) fs.rmSync(dir, { recursive: true });
  }
  return all;
}

describe('the search itself', () => {
  const call = (thread: number, op: Op, from: number, to: number, result: number | string): Call => ({
    thread,
    op,
    from,
    to,
    result,
  });
  test('finds an order where there is one, and none where a create was won twice', () => {
    const create: Op = { kind: 'create', name: 'a' };
    expect(linearize([call(0, create, 0, 3, 'EEXIST'), call(1, create, 1, 2, 0)])).toEqual([1, 0]);
    expect(linearize([call(0, create, 0, 3, 0), call(1, create, 1, 2, 0)])).toBeUndefined();
  });
  test('a read that ended before a write began does not see it', () => {
    const write: Op = { kind: 'write', value: 5 };
    expect(linearize([call(0, { kind: 'read' }, 0, 1, 5), call(1, write, 2, 3, 0)])).toBeUndefined();
    expect(linearize([call(0, { kind: 'read' }, 0, 2, 5), call(1, write, 1, 3, 0)])).toEqual([1, 0]);
  });
});

describe.skipIf(notBuilt !== '')(`linearizability${notBuilt}`, () => {
  test.each(['tmpfs', 'ext4'])('%s', { timeout: 120_000 + HISTORIES * 20 }, async (type) => {
    const disk = new SharedDisk(16 << 20);
    mkfs(disk, { seed: 1, isZeroed: true });
    const machine = debugMachine({ flavour: 'smp-debug', ram: 24 << 20, disks: [disk] });
    machine.init.mount('/dev/vbd0', '/mnt', 'ext4', MS_NOATIME);
    const base = type === 'ext4' ? '/mnt/h' : '/h';
    machine.fs.mkdirSync(base);
    const shared = new Int32Array(new SharedArrayBuffer(4 * (CLOCK + 1)));
    const threads = Array.from({ length: THREADS }, (_, index) =>
      thread(machine, record, {
        ...{ base, index, shared, histories: HISTORIES, threads: THREADS, calls: CALLS },
        seed: SEED * 100 + index,
      }),
    );
    const recorded = await Promise.all(threads.map(({ done }) => done));
    expect(Atomics.load(shared, MET)).toBe(3 * HISTORIES);
    let overlapping = 0;
    for (let history = 0; history < HISTORIES; history++) {
      const calls = recorded.flatMap((of) => of[history]);
      if (calls.some((a) => calls.some((b) => a !== b && a.from < b.from && b.from < a.to))) overlapping++;
      if (linearize(calls) !== undefined) continue;
      const text = [...calls].sort((a, b) => a.from - b.from).map(describeCall);
      throw new Error(`no order explains history ${history} of seed ${SEED}:\n${text.join('\n')}`);
    }
    // threads that never met would prove nothing
    expect(overlapping).toBeGreaterThan(0);
    machine.init.umount('/mnt');
    machine.shutdown();
  });
});
