/** Cases: calls with arguments that nobody means, seeded: each returns an errno, and the machine stays sound. */
import assert from 'node:assert/strict';
import { WASI_ENOTCAPABLE } from '../../../assembly/abi/wasi.ts';
import { seeded } from '../../helpers/random.ts';
import type { Handle } from '../handle.ts';
import { SIGNATURES } from '../probe.ts';
import type { Case } from './case.ts';

const PATHS = [
  'a',
  'sub',
  'sub/b',
  'link',
  'up',
  'abs',
  'loop',
  '..',
  '.',
  '',
  '/',
  'a/',
  'sub//b',
  'n\0',
  'new',
  'x'.repeat(300),
];
const CALLS = 4000;

/** Numbers at the edges of what means something. */
function word(next: (n: number) => number, end: number): number {
  const edges = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    31,
    32,
    64,
    0x100,
    0x8000,
    0x10000,
    end - 1,
    end,
    end - 8,
    0x7fffffff,
    0x80000000,
  ];
  const all = [...edges, 0xffffffff, 0xfffffff8, 0xffff0000, 1024, 1025, 4096];
  return next(3) === 0 ? next(8) : all[next(all.length)];
}

function long(next: (n: number) => number): bigint {
  const all = [
    0n,
    1n,
    5n,
    4096n,
    1n << 29n,
    (1n << 30n) - 1n,
    1n << 30n,
    1n << 53n,
    (1n << 63n) - 1n,
    1n << 63n,
    -1n,
  ];
  return all[next(all.length)];
}

/** Arguments: a path where a pair of words may be one; no sleep that is long. */
function argumentsOf(wasi: Handle, list: string, next: (n: number) => number): (number | bigint)[] {
  const end = wasi.u8.length;
  const args: (number | bigint)[] = [...list].map((each) => (each === 'I' ? long(next) : word(next, end)));
  if (next(4) === 0) return args;
  for (let i = 1; i + 1 < list.length; i++) {
    if (list[i] !== 'i' || list[i + 1] !== 'i' || next(2) === 0) continue;
    const [at, length] = wasi.path(PATHS[next(PATHS.length)], 0x1000 + 0x400 * i);
    args[i] = at;
    args[i + 1] = length;
    i++;
  }
  return args;
}

export const hostile: readonly Case[] = [1, 2, 3].map((seed) => ({
  name: `calls that nobody means, seed ${seed}`,
  act({ machine, wasi }) {
    const next = seeded(seed * 7919);
    const outside = machine.fs.readdirSync('/');
    // a signal would end the process; randomness would make no run like another
    const names = Object.keys(SIGNATURES).filter((name) => name !== 'proc_raise' && name !== 'random_get');
    for (let i = 0; i < CALLS; i++) {
      const name = names[next(names.length)];
      const args = argumentsOf(wasi, SIGNATURES[name], next);
      // what a poll waits for ends at once: everything in the probe's memory is small or has passed
      if (name === 'poll_oneoff') wasi.u8.fill(0, 0x10000, 0x20000);
      if (name === 'poll_oneoff') args[0] = 0x10000;
      const errno = wasi.call(name, ...args);
      assert.ok(errno >= 0 && errno <= WASI_ENOTCAPABLE, `${name}(${args.join(', ')}) returned ${errno}`);
    }
    assert.equal(machine.cpu.panic, undefined);
    assert.equal(machine.fs.readFileSync('/secret', 'utf8'), 'secret');
    assert.deepEqual(machine.fs.readdirSync('/'), outside);
  },
}));
