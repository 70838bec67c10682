/** Mount options: names, values, numbers in a base, sizes with a suffix. */
import { expect, test } from 'vitest';
import { Parts } from './parts.ts';

/** The words of Opt: rest, its length, name, its length, value, its length. */
const OPT_BYTES = 24;

/** The options of a text, each with what `of` makes of it. */
function each<T>(parts: Parts, text: string, of: (o: number) => T): [string, string | undefined, T][] {
  const o = parts.struct(OPT_BYTES);
  const words = parts.cpu.u32.subarray(o >>> 2, (o + OPT_BYTES) >>> 2);
  words[0] = parts.text(text);
  words[1] = Buffer.byteLength(text);
  const at = (address: number, len: number) =>
    Buffer.from(parts.cpu.u8.slice(address, address + len)).toString();
  const found: [string, string | undefined, T][] = [];
  while (parts.call.opt_next(o) === 1) {
    const name = at(words[2], words[3]);
    const value = words[4] === 0 ? undefined : at(words[4], words[5]);
    found.push([name, value, of(o)]);
  }
  expect(parts.call.opt_next(o)).toBe(0);
  parts.call.part_free(o);
  return found;
}

test('names and values, empty ones between commas skipped', () => {
  const parts = new Parts('up-debug');
  const split = (text: string) => each(parts, text, () => 0).map(([name, value]) => [name, value]);
  expect(split('')).toEqual([]);
  expect(split(',,')).toEqual([]);
  expect(split('ro')).toEqual([['ro', undefined]]);
  expect(split(',size=1m,,x=,=y,a=b=c,')).toEqual([
    ['size', '1m'],
    ['x', ''],
    ['', 'y'],
    ['a', 'b=c'],
  ]);
  parts.close();
});

test('numbers in a base; anything else is -1', () => {
  const parts = new Parts('up-debug');
  const number = (value: string, base: number): number =>
    each(parts, value === 'none' ? 'x' : `x=${value}`, (o) => parts.call.opt_number(o, base))[0][2];
  expect(number('1777', 8)).toBe(0o1777);
  expect(number('0', 8)).toBe(0);
  expect(number('4294967296', 10)).toBe(4294967296);
  expect(number('100000000000000000', 10)).toBe(1e17);
  for (const value of ['none', '', '8', '-1', '0o7', '1 ', '7777777777777777777'])
    expect(number(value, 8)).toBe(-1);
  parts.close();
});

test('sizes: k, m, g, and % of the whole', () => {
  const parts = new Parts('up-debug');
  const WHOLE = 1_000_000;
  const size = (value: string): number =>
    each(parts, `size=${value}`, (o) => parts.call.opt_size(o, WHOLE))[0][2];
  for (const [value, bytes] of [
    ['0', 0],
    ['4096', 4096],
    ['3k', 3072],
    ['3K', 3072],
    ['2m', 2 << 20],
    ['1G', 2 ** 30],
    ['50%', WHOLE / 2],
    ['250%', WHOLE * 2.5],
    ['8589934592', 2 ** 33],
  ] as const) {
    expect([value, size(value)]).toEqual([value, bytes]);
  }
  for (const bad of ['', 'k', '%', '1kk', '-1k', '1t', '1.5m', '8589934593', '8589934593k']) {
    expect([bad, size(bad)]).toEqual([bad, -1]);
  }
  parts.close();
});
