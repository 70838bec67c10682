/**
 * Processes killed at random moments: inside a call, waiting in one, or in between; and threads, by the hand of who has
 * them. Afterwards the machine is sound: nothing leaked, ext4 clean. KILLS=10000 for the campaign.
 */
import { describe, expect, test } from 'vitest';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import { SharedDisk } from '../../host/devices/shared.ts';
import { check } from '../../host/ext4/check.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import type { Member } from '../../host/machine/join.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { notBuilt, thread } from './threads.ts';

const KILLS = Number(process.env.KILLS ?? 200);
const THREADS = 3;

interface KillJob {
  seed: number;
  index: number;
  /** The pid that each thread is working as, 0 in between; the last word: stop. */
  pids: Int32Array<SharedArrayBuffer>;
}

/** Work as one process after another; each is killed. How many it were. */
function work(member: Member, { seed, index, pids }: KillJob): number {
  const stop = pids.length - 1;
  let state = seed >>> 0;
  const draw = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const gone = (error: unknown) => (error as { code: string }).code === 'ESRCH';
  let ended = 0;
  while (Atomics.load(pids, stop) === 0) {
    const { fs, pid } = member.process();
    Atomics.store(pids, index, pid);
    try {
      for (;;) {
        const name = `${draw(2) === 0 ? '/mnt' : '/t'}/${draw(12)}`;
        try {
          const what = draw(7);
          if (what === 0) fs.writeFileSync(name, new Uint8Array(draw(60_000)));
          else if (what === 1) fs.renameSync(name, `${name.slice(0, -1)}${draw(10)}`);
          else if (what === 2) fs.unlinkSync(name);
          else if (what === 3) fs.readFileSync(name);
          else if (what === 4) fs.closeSync(fs.openSync(`${name}.lock`, 'w'));
          else if (what === 5) fs.readFileSync('/fifo');
          else fs.linkSync(name, `${name}l`);
        } catch (error) {
          if (gone(error)) throw error;
        }
      }
    } catch (error) {
      if (!gone(error)) throw error;
      ended++;
    }
    Atomics.store(pids, index, 0);
  }
  return ended;
}

function machineWithDisk() {
  const disk = new SharedDisk(16 << 20);
  mkfs(disk, { blockSize: 1024, seed: 1, isZeroed: true });
  const machine = debugMachine({ flavour: 'smp-debug', ram: 24 << 20, disks: [disk] });
  machine.init.mount('/dev/vbd0', '/mnt', 'ext4');
  machine.fs.mkdirSync('/t');
  machine.init.mkfifo('/fifo');
  const end = () => {
    machine.init.umount('/mnt');
    machine.shutdown();
    const findings = check(disk).findings.filter(({ note }) => !note);
    expect(findings.map(({ message }) => message)).toEqual([]);
  };
  return { machine, end };
}

describe.skipIf(notBuilt !== '')(`killing${notBuilt}`, () => {
  test(`${KILLS} processes on ${THREADS} threads`, { timeout: 60_000 + KILLS * 100 }, async () => {
    const { machine, end } = machineWithDisk();
    const pids = new Int32Array(new SharedArrayBuffer(4 * (THREADS + 1)));
    const threads = Array.from({ length: THREADS }, (_, index) =>
      thread(machine, work, { seed: 2004 + index, index, pids }),
    );
    let failed: unknown;
    for (const { done } of threads) done.catch((error) => (failed = error));
    let killed = 0;
    for (let turn = 0; killed < KILLS && failed === undefined; turn++) {
      const pid = Atomics.load(pids, turn % THREADS);
      if (pid !== 0) {
        try {
          machine.init.kill(pid, SIGKILL);
          killed++;
        } catch (error) {
          // it was killed by the turn before, and its thread has not noticed yet
          if ((error as { code: string }).code !== 'ESRCH') throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, (turn * 7) % 5));
    }
    Atomics.store(pids, THREADS, 1);
    // whoever is in the middle of something now ends as well
    const last = setInterval(() => {
      for (const pid of pids.subarray(0, THREADS)) {
        try {
          if (pid !== 0) machine.init.kill(pid, SIGKILL);
        } catch {}
      }
    }, 5);
    const ended = await Promise.all(threads.map(({ done }) => done));
    clearInterval(last);
    // a process that was told twice ended once
    expect(ended.reduce((a, b) => a + b, 0)).toBeGreaterThan(KILLS / 4);
    end();
  });

  test('threads in the middle of whatever they do', { timeout: 120_000 }, async () => {
    const { machine, end } = machineWithDisk();
    for (let round = 0; round < 5; round++) {
      const pids = new Int32Array(new SharedArrayBuffer(8));
      const victim = thread(machine, work, { seed: 7 * round, index: 0, pids });
      while (Atomics.load(pids, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setTimeout(resolve, 3 * round));
      while (!machine.killCpu(victim.ticket)) await new Promise(setImmediate);
      await victim.worker.terminate();
      await victim.ended;
      expect(machine.cpus).toBe(1);
      machine.fs.readdirSync('/mnt');
    }
    end();
  });
});
