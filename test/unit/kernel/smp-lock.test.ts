/**
 * CPUs beside one another: two instances on one memory, one of them on a thread of its own. What a call that
 * is alone does plainly must exclude a CPU that attaches meanwhile (A1–A5 of kern/lock.ts).
 */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { EDEADLK } from '../../../assembly/abi/errno.ts';
import { Cpu } from '../../../host/machine/cpu.ts';
import type { KernelExports } from '../../../host/machine/exports.ts';
import { type PartCalls, Parts } from './parts.ts';
import { testKernel } from './testkernel.ts';

const NAME_RANK = 3;
const KINDS = ['exclusive', 'try', 'spin', 'range', 'count'] as const;
type Kind = (typeof KINDS)[number];

// words of the side memory that the two threads tell each other by
const STAGE = 0;
const GO = 1;
const [ASKED, ATTACHED, DONE] = [1, 2, 3];

/** Of ES2024: every Node that we run on has it, the types of the language we compile to do not. */
const { waitAsync } = Atomics as unknown as {
  waitAsync(array: Int32Array, index: number, value: number): { value: Promise<string> | string };
};

interface Job {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  side: Int32Array<SharedArrayBuffer>;
  kind: Kind;
  lock: number;
  word: number;
  turns: number;
}

/** Add one to a word by a plain load and store, `turns` times, each in a call of its own under the lock. */
function contend(
  call: PartCalls,
  ram: Int32Array,
  { kind, lock, word, turns }: Pick<Job, 'kind' | 'lock' | 'word' | 'turns'>,
): void {
  for (let i = 0; i < turns; i++) {
    if (call.part_enter() !== 0) throw new Error('the kernel let nobody in');
    if (kind === 'exclusive') call.lock_exclusive(lock, 3);
    else if (kind === 'try') while (call.lock_try(lock, 3) === 0);
    else if (kind === 'spin') call.spin_lock(lock);
    else if (kind === 'range') call.range_exclusive(lock, i % 7, 100);
    if (kind === 'count') call.word_add(word, 1);
    else {
      const was = ram[word >>> 2];
      // long enough that the other is met inside
      for (let spin = 0; spin < 20; spin++) if (ram[word >>> 2] !== was) throw new Error('two at once');
      ram[word >>> 2] = was + 1;
    }
    if (kind === 'exclusive' || kind === 'try') call.lock_release(lock);
    else if (kind === 'spin') call.spin_unlock(lock);
    else if (kind === 'range') call.range_release(lock);
    call.part_leave();
  }
}

/** The thread: attach, contend when told to go, detach. Its text, since a thread runs no TypeScript. */
const THREAD = `
const { workerData } = require('node:worker_threads');
const { module, memory, side } = workerData;
const host = {};
for (const entry of WebAssembly.Module.imports(module)) if (entry.module === 'host') host[entry.name] = () => 0;
const call = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
const tell = (stage) => { Atomics.store(side, ${STAGE}, stage); Atomics.notify(side, ${STAGE}); };
tell(${ASKED});
const number = call.cpu_attach();
if (number < 0) throw new Error('cpu_attach: ' + number);
tell(${ATTACHED});
Atomics.wait(side, ${GO}, 0);
(${contend.toString()})(call, new Int32Array(memory.buffer), workerData);
call.cpu_detach();
tell(${DONE});
`;

const threads: Worker[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

function kernelModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(testKernel('parts', 'smp')));
}

/** A thread with a CPU on the machine of `parts`, and how to follow it. */
function thread(parts: Parts, kind: Kind, lock: number, word: number, turns: number) {
  const side = new Int32Array(new SharedArrayBuffer(8));
  const job: Job = { module: kernelModule(), memory: parts.cpu.memory, side, kind, lock, word, turns };
  const worker = new Worker(THREAD, { eval: true, workerData: job });
  threads.push(worker);
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  const reached = async (stage: number): Promise<void> => {
    for (let now = Atomics.load(side, STAGE); now < stage; now = Atomics.load(side, STAGE)) {
      await Promise.race([waitAsync(side, STAGE, now).value, failed]);
    }
  };
  const go = () => {
    Atomics.store(side, GO, 1);
    Atomics.notify(side, GO);
  };
  return { reached, go, stage: () => Atomics.load(side, STAGE) };
}

/** Parts outside the kernel: a CPU attaches only while nobody is alone inside. */
function outside(): { parts: Parts; lock: number; word: number } {
  const parts = new Parts('smp');
  const lock = parts.struct(parts.call.fscache_size());
  const word = parts.struct(8);
  parts.call.part_leave();
  return { parts, lock, word };
}

function close({ parts, lock, word }: ReturnType<typeof outside>): void {
  parts.call.part_enter();
  parts.call.part_free(lock);
  parts.call.part_free(word);
  parts.close();
}

/** Another CPU on this very thread. */
function secondHere(parts: Parts): { cpu: Cpu; call: PartCalls } {
  const cpu = new Cpu(parts.cpu.memory);
  const host = cpu.imports as unknown as WebAssembly.ModuleImports;
  const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: cpu.memory }, host });
  cpu.connect(instance.exports as unknown as KernelExports);
  return { cpu, call: cpu.exports as unknown as PartCalls };
}

function alone(call: PartCalls): number {
  call.part_enter();
  const answer = call.part_alone();
  call.part_leave();
  return answer;
}

describe('two instances on one thread', () => {
  test('a CPU is alone until another attaches, and again when that has detached', () => {
    const made = outside();
    const { parts } = made;
    expect(alone(parts.call)).toBe(1);
    const other = secondHere(parts);
    expect(other.cpu.attach()).toBe(1);
    expect([alone(parts.call), alone(other.call)]).toEqual([0, 0]);
    other.cpu.exports.cpu_detach();
    expect(alone(parts.call)).toBe(1);
    close(made);
  });

  test('what one holds the other does not get, both inside', () => {
    const made = outside();
    const { parts, lock } = made;
    const other = secondHere(parts);
    other.cpu.attach();
    parts.call.part_enter();
    other.call.part_enter();
    for (const [a, b] of [
      [parts.call, other.call],
      [other.call, parts.call],
    ]) {
      a.lock_exclusive(lock, NAME_RANK);
      expect(b.lock_try(lock, NAME_RANK)).toBe(0);
      a.lock_release(lock);
      a.lock_shared(lock, NAME_RANK);
      b.lock_shared(lock, NAME_RANK);
      expect(parts.word(lock)).toBe(2);
      expect(b.lock_try(lock, NAME_RANK)).toBe(0);
      a.lock_release(lock);
      b.lock_release(lock);
      expect(b.lock_try(lock, NAME_RANK)).toBe(1);
      b.lock_release(lock);
    }
    // records of ranges are there for the other to see
    parts.call.range_shared(lock, 0, 10);
    other.call.range_shared(lock, 5, 20);
    expect(parts.call.range_held(lock)).toBe(1);
    parts.call.range_release(lock);
    other.call.range_release(lock);
    expect(parts.call.range_held(lock)).toBe(0);
    parts.call.part_leave();
    other.call.part_leave();
    other.cpu.exports.cpu_detach();
    close(made);
  });

  test('attaching in the middle of another’s call on the same thread ends in EDEADLK, and counts nobody', () => {
    const made = outside();
    const { parts } = made;
    parts.call.part_enter();
    const other = secondHere(parts);
    expect(other.cpu.attach()).toBe(-EDEADLK);
    parts.call.part_leave();
    expect(alone(parts.call)).toBe(1);
    expect(other.cpu.attach()).toBe(1);
    other.cpu.exports.cpu_detach();
    close(made);
  });
});

/** Two threads add, of which one comes and goes: how often the other met it. */
async function meet(kind: (typeof KINDS)[number]): Promise<number> {
  const turns = 20_000;
  const made = outside();
  const { parts, lock, word } = made;
  const mine = { kind, lock, word, turns: 100 };
  const other = thread(parts, kind, lock, word, turns);
  other.go();
  let sum = 0;
  let met = 0;
  while (other.stage() !== DONE) {
    contend(parts.call, parts.cpu.i32, mine);
    sum += mine.turns;
    if (alone(parts.call) === 0) met++;
    // a thread that fails says so to the event loop
    if (sum % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await other.reached(DONE);
  expect(alone(parts.call)).toBe(1);
  expect(parts.word(word)).toBe(sum + turns);
  close(made);
  return met;
}

describe('a thread of its own', () => {
  test('attaching waits for a call that is alone', async () => {
    const made = outside();
    const { parts, lock, word } = made;
    parts.call.part_enter();
    expect(parts.call.part_alone()).toBe(1);
    const other = thread(parts, 'count', lock, word, 1);
    await other.reached(ASKED);
    // as long as it takes the other to have attached, if it did not wait
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    expect(other.stage()).toBe(ASKED);
    expect(parts.call.part_alone()).toBe(1);
    parts.call.part_leave();
    await other.reached(ATTACHED);
    expect(alone(parts.call)).toBe(0);
    other.go();
    await other.reached(DONE);
    expect(alone(parts.call)).toBe(1);
    close(made);
  });

  test.each(KINDS)(
    '%s: no addition is lost, from before the other attaches until after it has left',
    async (kind) => {
      // on a busy host a thread may be through before the other is let run: then they never met
      let met = 0;
      for (let round = 0; met === 0 && round < 50; round++) met = await meet(kind);
      expect(met).toBeGreaterThan(0);
    },
  );
});
