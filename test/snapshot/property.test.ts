/**
 * No state is outside RAM: a run of random calls is cut, and from there the machine and a copy of it
 * answer the same calls alike and come to the same RAM, byte for byte. So does a machine that takes
 * the calls from the seed on.
 *
 * A failure names its seed and path; they and the flavour repeat it:
 *     SNAPSHOT=seed,path FLAVOUR=up-debug npx vitest run test/snapshot
 * A seed alone makes RUNS runs of it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERESTART } from '../../assembly/abi/errno.ts';
import { BB_PAGES, BOOTBLOCK, PAGE_SIZE, VMPAGE_SIZE } from '../../assembly/abi/layout.ts';
import { bootSync } from '../../host/machine/boot.ts';
import type { Flavour } from '../../host/machine/kernels.ts';
import type { Machine } from '../../host/machine/machine.ts';
import type { Snapshot } from '../../host/machine/snapshot.ts';
import { checkRam } from '../helpers/ram.ts';
import { kernelFile } from '../unit/kernel/kit.ts';
import { PRELUDE, randomCalls } from './calls.ts';
import { type Call, Player } from './player.ts';

const [SEED = '2004', PATH] = process.env.SNAPSHOT?.split(',') ?? [];
/** For all runs, or, once one fails, for finding a shorter one. */
const LIMIT_MS = 60_000;
const RUNS = Number(process.env.RUNS ?? 40);
/** The module's text lies below the boot block, and is read-only. */
const STATIC_BYTES = BOOTBLOCK;

function fresh(flavour: Flavour, ram: number, seed: number): Player {
  const player = new Player(bootSync({ ram, flavour, module: kernelFile(flavour), seed }));
  for (const uid of [0, 0, 500]) player.spawn(uid);
  for (const call of PRELUDE) player.play(call);
  return player;
}

/** What a frame is for, as the kernel's page table says. */
function describeFrame({ cpu }: Machine, frame: number): string {
  const page = (cpu.u32[(BOOTBLOCK + BB_PAGES) >>> 2] + frame * VMPAGE_SIZE) >>> 2;
  return `frame ${frame} (${Array.from(cpu.u32.subarray(page, page + 8), (word) => word.toString(16)).join(' ')})`;
}

function expectSameFrames(what: string, one: Player, other: Player): void {
  const [a, b]: Snapshot[] = [one.machine.snapshot(), other.machine.snapshot()];
  const only = a.frames.find((frame, i) => b.frames[i] !== frame);
  if (only !== undefined) throw new Error(`${what}: frame ${only} is in use in one of the two`);
  if (Buffer.compare(a.bytes, b.bytes) === 0) return;
  const at = a.bytes.findIndex((byte, i) => byte !== b.bytes[i]);
  const frame = a.frames[Math.floor(at / PAGE_SIZE)];
  throw new Error(`${what}: RAM differs at ${at % PAGE_SIZE} of ${describeFrame(one.machine, frame)}`);
}

interface Tally {
  calls: number;
  succeeded: number;
  waitingAtCut: number;
  /** Calls by name that succeeded, and those that waited. */
  kinds: Map<string, number>;
  waited: Set<string>;
}

function count(tally: Tally, { name }: Call, result: number): void {
  tally.calls++;
  if (result === -ERESTART) tally.waited.add(name);
  if (result < 0) return;
  tally.succeeded++;
  tally.kinds.set(name, (tally.kinds.get(name) ?? 0) + 1);
}

interface Plan {
  readonly seed: number;
  readonly ram: number;
  readonly calls: readonly Call[];
  readonly cut: number;
}

function run(flavour: Flavour, plan: Plan, tally: Tally): void {
  const cut = plan.cut % (plan.calls.length + 1);
  const original = fresh(flavour, plan.ram, plan.seed);
  const before = original.machine.cpu.u8.slice(0, STATIC_BYTES);
  for (const call of plan.calls.slice(0, cut)) count(tally, call, original.play(call).result);
  tally.waitingAtCut += original.waiting.size;
  const from = original.machine.snapshot();
  const copy = new Player(bootSync({ from, module: kernelFile(flavour) }), original);
  plan.calls.slice(cut).forEach((call, i) => {
    const played = original.play(call);
    expect([i, call, copy.play(call)]).toEqual([i, call, played]);
    count(tally, call, played.result);
  });
  expectSameFrames('the copy', original, copy);
  const again = fresh(flavour, plan.ram, plan.seed);
  for (const call of plan.calls) again.play(call);
  expectSameFrames('the run from its seed', original, again);
  expect(Buffer.compare(before, original.machine.cpu.u8.slice(0, STATIC_BYTES)), 'the static data').toBe(0);
  for (const { machine } of [original, copy, again]) {
    if (flavour !== 'smp') checkRam(machine.cpu);
    machine.shutdown();
  }
}

function describePlan({ seed, ram, calls, cut }: Plan): string {
  const lines = calls.map((call, i) => `${i}: ${JSON.stringify(call)}`);
  return [`seed ${seed}, ${ram} bytes of RAM, cut before ${cut % (calls.length + 1)}`, ...lines].join('\n  ');
}

function plans(): fc.Arbitrary<Plan> {
  return fc.record({
    seed: fc.nat(),
    ram: fc.constantFrom(4 << 20, 4 << 20, 16 << 20),
    calls: randomCalls(0, 400),
    cut: fc.nat(),
  });
}

const FLAVOURS = process.env.FLAVOUR
  ? [process.env.FLAVOUR as Flavour]
  : (['up-debug', 'smp-debug', 'up', 'smp'] as const);

describe.each(FLAVOURS)('%s', (flavour) => {
  test('cut anywhere, a machine and its copy go on alike', { timeout: 300_000 }, () => {
    const tally: Tally = { calls: 0, succeeded: 0, waitingAtCut: 0, kinds: new Map(), waited: new Set() };
    const details = fc.check(
      fc.property(plans(), (plan) => run(flavour, plan, tally)),
      {
        seed: Number(SEED),
        path: PATH,
        numRuns: RUNS,
        interruptAfterTimeLimit: LIMIT_MS,
        markInterruptAsFailure: false,
      },
    );
    if (details.failed) {
      const [plan] = details.counterexample ?? [];
      throw new Error(
        `${details.errorInstance}\nafter ${plan && describePlan(plan)}\n` +
          `again: SNAPSHOT=${details.seed},${details.counterexamplePath} FLAVOUR=${flavour} npx vitest run test/snapshot`,
        { cause: details.errorInstance },
      );
    }
    if (PATH !== undefined) return;
    const share = Math.round((100 * tally.succeeded) / tally.calls);
    console.log(
      `${flavour}: seed ${details.seed}, ${tally.calls} calls, ${share} % succeeded, ${tally.waitingAtCut} waited at a cut (${[...tally.waited].join(' ')})`,
    );
    expect(share).toBeGreaterThan(30);
    expect(tally.waitingAtCut).toBeGreaterThan(RUNS / 4);
    for (const name of [
      'sys_mount',
      'sys_umount2',
      'sys_flock',
      'sys_inotify_add_watch',
      'sys_chdir',
      'fork',
    ])
      expect([name, tally.kinds.get(name) ?? 0]).not.toEqual([name, 0]);
  });
});
