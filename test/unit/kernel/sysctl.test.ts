/** Sysctls: numbers with bounds as text, nodes by place and by the parts of their names. */
import { expect, test } from 'vitest';
import { EINVAL } from '../../../assembly/abi/errno.ts';
import { Parts } from './parts.ts';

const CAP = 64;

test('a number shows itself, and is set within its bounds only', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const value = parts.struct(8);
  const sc = call.sysctl_number(value, 5, 4_000_000_000) >>> 0;
  const set = (text: string): number => call.sysctl_from(sc, parts.text(text), Buffer.byteLength(text));
  const show = (): string => {
    const n = call.sysctl_text(sc, parts.scratch, CAP);
    return Buffer.from(parts.cpu.u8.slice(parts.scratch, parts.scratch + n)).toString();
  };
  expect(show()).toBe('0\n');
  for (const [text, shown] of [
    ['5', '5\n'],
    [' 17\n', '17\n'],
    ['4000000000', '4000000000\n'],
    ['007', '7\n'],
  ]) {
    expect([set(text), show()]).toEqual([0, shown]);
  }
  for (const text of [
    '4',
    '4000000001',
    '4294967301',
    '999999999999999',
    '',
    ' ',
    '-5',
    '5x',
    '5 6',
    '0x10',
    '1e3',
  ]) {
    expect([text, set(text), show()]).toEqual([text, -EINVAL, '7\n']);
  }
  call.sysctl_forget();
  call.part_free(value);
  parts.close();
});

test('text that is a number, and text that is none', () => {
  const parts = new Parts('up-debug');
  const parse = (text: string): number => parts.call.sysctl_parse(parts.text(text), Buffer.byteLength(text));
  for (const n of [0, 9, 10, 4294967296, 999_999_999_999_999]) expect(parse(`\t${n} \n`)).toBe(n);
  for (const text of ['', '\n', '1000000000000000', '12a', '+1', '1.5', '½']) expect(parse(text)).toBe(-1);
  parts.close();
});

test('nodes keep their places, and their names their parts', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  let count = 0;
  while (call.sysctl_at(count) !== 0) count++;
  expect(count).toBeGreaterThan(3);
  const first = call.sysctl_at(0);
  const value = parts.struct(8);
  const sc = call.sysctl_number(value, 0, 1);
  expect([call.sysctl_at(count), call.sysctl_at(count + 1), call.sysctl_at(0)]).toEqual([sc, 0, first]);
  // "test.part"
  expect([0, 4, 5, 9].map((from) => call.sysctl_part_end(sc, from))).toEqual([4, 4, 9, 9]);
  expect([0, 5, 9].map((n) => call.sysctl_same_prefix(sc, sc, n))).toEqual([1, 1, 1]);
  expect(call.sysctl_same_prefix(sc, sc, 10)).toBe(0);
  expect(call.sysctl_same_prefix(sc, first, 4)).toBe(0);
  call.sysctl_forget();
  expect(call.sysctl_at(count)).toBe(0);
  call.part_free(value);
  parts.close();
});
