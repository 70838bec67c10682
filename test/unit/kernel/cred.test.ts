/** Credentials: shared by reference, never changed once shared; who is root, who is in a group. */
import { expect, test } from 'vitest';
import { Parts } from './parts.ts';

const [REFS, UID, GID, NGROUPS, RUID, SUID] = [0, 1, 2, 3, 4, 5];

function groupsAt(parts: Parts, groups: number[]): number {
  const at = parts.struct(4 * groups.length);
  parts.cpu.u32.set(groups, at >>> 2);
  return at;
}

test('groups are copied, references counted, and the last drop gives all of it back', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const groups = groupsAt(parts, [7, 9, 0xffffffff]);
  const cr = call.cred_create(1000, 100, groups, 3) >>> 0;
  parts.cpu.u32[groups >>> 2] = 8;
  call.part_free(groups);
  expect([UID, GID, NGROUPS, RUID, SUID].map((field) => call.cred_field(cr, field))).toEqual([
    1000, 100, 3, 1000, 1000,
  ]);
  expect([100, 7, 9, -1].map((gid) => call.cred_in_group(cr, gid))).toEqual([1, 1, 1, 1]);
  expect([8, 1000, 0].map((gid) => call.cred_in_group(cr, gid))).toEqual([0, 0, 0]);
  call.cred_ref(cr);
  expect(call.cred_field(cr, REFS)).toBe(2);
  call.cred_drop(cr);
  expect(call.cred_in_group(cr, 9)).toBe(1);
  call.cred_drop(cr);
  // shutting down counts what is left: neither the credentials nor their groups
  parts.close();
});

test('a copy has every id and groups of its own, and one reference', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const groups = groupsAt(parts, [5]);
  const cr = call.cred_create(1, 2, groups, 1) >>> 0;
  call.part_free(groups);
  call.cred_uids(cr, 11, 12, 13);
  call.cred_ref(cr);
  const copy = call.cred_copy(cr) >>> 0;
  expect([REFS, UID, RUID, SUID].map((field) => call.cred_field(copy, field))).toEqual([1, 12, 11, 13]);
  call.cred_uids(copy, 0, 0, 0);
  expect([UID, RUID, SUID].map((field) => call.cred_field(cr, field))).toEqual([12, 11, 13]);
  call.cred_drop(cr);
  call.cred_drop(cr);
  expect(call.cred_in_group(copy, 5)).toBe(1);
  call.cred_drop(copy);
  parts.close();
});

test('root is who has the effective uid, and no other id', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const cr = call.cred_create(0, 0, 0, 0) >>> 0;
  expect(call.cred_is_root(cr)).toBe(1);
  call.cred_uids(cr, 0, 1000, 0);
  expect(call.cred_is_root(cr)).toBe(0);
  call.cred_uids(cr, 1000, 0, 1000);
  expect(call.cred_is_root(cr)).toBe(1);
  call.cred_drop(cr);
  parts.close();
});

test('without memory there are none, and nothing is left of them', () => {
  const parts = new Parts('up-debug');
  const { call, kernel } = parts;
  const groups = groupsAt(parts, [1, 2]);
  for (const n of [1, 2]) {
    kernel.fault_arm(n);
    expect(call.cred_create(1, 1, groups, 2)).toBe(0);
  }
  kernel.fault_arm(0);
  call.part_free(groups);
  parts.close();
});
