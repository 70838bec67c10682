import { CTR_LOOKUPS, CTR_PROBES, BENCH_LOOKUP } from '../../../assembly/abi/bench.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { CONSOLE_EOF, CONSOLE_HANGUP, SA_DATA, SA_PATH1, SA_PATH2 } from '../../../assembly/abi/layout.ts';
import type { Step } from '../call.ts';
import { MOUNT_POINTS } from '../names.ts';
import type { Draft, Makers } from './draft.ts';

/** Mounts, blocked calls, and the hardware's side of the machine. */

const MOUNT_FLAGS = [
  F.MS_RDONLY,
  F.MS_NOSUID,
  F.MS_NODEV,
  F.MS_NOEXEC,
  F.MS_NOATIME,
  F.MS_RELATIME,
  F.MS_STRICTATIME,
  F.MS_SYNCHRONOUS,
];
const OPTIONS = [
  '',
  '',
  'size=1m',
  'size=16k,nr_inodes=8',
  'mode=777',
  'mode=1777,uid=1000,gid=1000',
  'nr_inodes=5',
  'size=10%',
];
const HOSTILE_OPTIONS = [
  'size=',
  'size=-1',
  'size=99999999999999999999',
  'mode=9',
  'nonsense',
  ',,,,',
  'size=1m,,x=1',
  'mode=777777',
  '=',
  'uid=4294967296',
];
const TYPES = ['tmpfs', 'tmpfs', 'tmpfs', 'devfs', 'proc', 'nullfs'];
const HOSTILE_TYPES = ['', 'ext9', 'tmpfs\0', 'deadfs', 'pipefs', 'nonsense'.repeat(100)];

interface MountText {
  type: string;
  options: string;
  flags: number;
}

/** What is asked of mount(2): something new, a bind mount, or other flags for what is there. */
function mountText(draft: Draft): MountText {
  const { random } = draft;
  const some = random.some(MOUNT_FLAGS, 0.06) | (random.chance(0.2) ? F.MS_RDONLY : 0);
  const p = random.below(100);
  if (p < 40) return { type: random.pick(TYPES), options: random.pick(OPTIONS), flags: some & ~F.MS_RDONLY };
  if (p < 70) return { type: 'none', options: '', flags: F.MS_BIND | some | random.some([F.MS_REC], 0.2) };
  if (p < 85) return { type: 'none', options: random.pick(OPTIONS), flags: F.MS_REMOUNT | some };
  if (p < 94) return { type: 'none', options: '', flags: F.MS_REMOUNT | F.MS_BIND | some };
  return { type: random.pick(HOSTILE_TYPES), options: random.pick(HOSTILE_OPTIONS), flags: random.bits() };
}

function mount(draft: Draft): Step {
  const { random, world } = draft;
  const { type, options, flags } = mountText(draft);
  const again = (flags & F.MS_REMOUNT) !== 0 && world.mounts.length > 0;
  const bound = flags & F.MS_BIND || type === 'nullfs' ? world.path('dir') : 'fuzz';
  const source = draft.path(bound, SA_PATH1);
  const target = again
    ? random.pick(world.mounts)
    : random.chance(0.8)
      ? random.pick(MOUNT_POINTS)
      : world.path('dir');
  const targetLength = draft.path(target, SA_PATH2);
  const typeLength = draft.text(type, SA_DATA);
  const text = world.hostile() ? random.pick(HOSTILE_OPTIONS) : options;
  const optionsLength = draft.text(text, SA_DATA + typeLength);
  return draft.step([source, targetLength, typeLength, optionsLength, flags], (result, args) => {
    if (result !== 0 || args[4] & F.MS_REMOUNT) return;
    world.mounts.push(target);
    world.names.forget(target);
    world.names.show(bound, target);
  });
}

function umount(draft: Draft): Step {
  const { random, world } = draft;
  const known = world.mounts.length > 0 && random.chance(0.9);
  const target = known ? random.pick(world.mounts) : world.path('dir');
  const flags = world.hostile()
    ? world.hostileInteger()
    : random.pick([0, 0, F.MNT_FORCE, F.MNT_DETACH, F.UMOUNT_NOFOLLOW]);
  return draft.step([draft.path(target), flags], (result) => {
    const at = world.mounts.lastIndexOf(target);
    if (result !== 0) return;
    if (at >= 0) world.mounts.splice(at, 1);
    world.names.forget(target);
  });
}

// ── blocked calls ────────────────────────────────────────────────────────────────────────────

function anyLwp(draft: Draft): number {
  const { random, world } = draft;
  const { blocked } = world;
  if (blocked.length > 0 && !world.hostile()) return random.pick(blocked).lwp;
  return random.chance(0.3) ? (world.resuming?.lwp ?? 0) : world.hostileInteger();
}

// ── the hardware's side ──────────────────────────────────────────────────────────────────────

function consoleInput(draft: Draft): Step {
  const { random, world } = draft;
  const length = draft.text(random.pick(['hello\n', 'no end of line', '\n\n', 'x'.repeat(900)]), 0);
  // nothing undoes a hang-up
  const flags = random.chance(0.0005) ? CONSOLE_HANGUP : random.chance(0.1) ? CONSOLE_EOF : 0;
  return draft.step(
    [
      random.chance(0.02) ? world.hostileInteger() : length,
      random.chance(0.02) ? random.pick([4, 0x80000000, -4]) : flags,
    ],
    undefined,
    1,
  );
}

function bench(draft: Draft): Step {
  const { random, world } = draft;
  const operation = world.hostile() ? world.hostileInteger() : random.between(1, BENCH_LOOKUP);
  const length = draft.path(world.path('dir'));
  draft.words([random.below(20), random.below(20), random.bits() >>> 0], SA_DATA);
  const count = random.below(20);
  const { call } = draft.step([operation, length]);
  // so many turns are made, however many are asked for: the number is nobody's but a benchmark's
  call.args.splice(1, 0, count);
  return { call };
}

const counters = [CTR_LOOKUPS, CTR_PROBES, 0, 99];

export const systemMakers = {
  sys_mount: mount,
  sys_umount2: umount,
  lwp_current: (d) => d.step([]),
  lwp_next: (d) =>
    d.step([], (lwp) => {
      const blocked = d.world.blocked.find((one) => one.lwp === lwp);
      if (blocked) blocked.taken = true;
    }),
  sys_resume: (d) => d.step([anyLwp(d)]),
  sys_cancel: (d) => d.step([anyLwp(d)]),
  clock_advance: (d) => d.step([d.world.hostile() ? d.world.hostileNumber() : d.random.below(400)]),
  clock_tick: (d) => d.step([]),
  clock_ms: (d) => d.step([]),
  console_input: consoleInput,
  machine_reclaim: (d) => d.step([]),
  machine_tick: (d) => d.step([]),
  machine_stop: (d) =>
    d.step([], (result) => {
      if (result === 0) d.world.stopped = true;
    }),
  machine_resume: (d) =>
    d.step([d.random.chance(0.05) ? 1 : 0], (result) => {
      if (result === 0) d.world.stopped = false;
    }),
  fault_arm: (d) => d.step([d.random.pick([0, 1, 1, 2, 3, 5, 8, 20, 100])]),
  bench_loop: bench,
  counter_get: (d) => d.step([d.random.pick(counters)]),
  counter_set: (d) =>
    d.step([d.random.pick(counters), d.world.hostile() ? d.world.hostileNumber() : d.random.below(1000)]),
  cpu_area: (d) => d.step([]),
  // refused while the machine runs
  machine_boot: (d) => d.step([d.random.below(9), 1, 1, d.world.hostileNumber()]),
  machine_start: (d) => d.step([]),
  cpu_attach: (d) => d.step([]),
  cpu_adopt: (d) => d.step([d.world.hostileInteger()]),
} satisfies Makers;
