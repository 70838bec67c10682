/** Handles, credits, forgotten blocks, pressure and giving up: the journal's calls one by one. */
import { expect, test } from 'vitest';
import { EAGAIN, EIO, ENOSPC, EROFS } from '../../assembly/abi/errno.ts';
import { bareDisk } from './journal-crash.ts';
import { BARRIER, CSUM3, content, readBlock, Rig } from './journal-rig.ts';

const JSB_ERRNO = 0x20;

function fresh(blocks = 200) {
  const { disk, shape } = bareDisk({ shift: 10, blocks });
  const rig = new Rig(shape);
  rig.start(disk, BARRIER | CSUM3);
  const { call, jn } = rig;
  const put = (i: number, n: number) => rig.step([[shape.free[i], content(10, n)]]);
  return { disk, shape, rig, call, jn, put };
}

test('credits: what a handle does not use goes back, nested ones share, a commit counts', () => {
  const { rig, call, jn, shape } = fresh();
  expect(call.begin(jn, 5)).toBe(0);
  expect(call.begin(jn, 8)).toBe(0);
  expect(rig.count('reserved')).toBe(8);
  expect(call.extend(jn, 12)).toBe(0);
  expect(rig.count('reserved')).toBe(12);
  expect(call.extend(jn, rig.count('max') + 1)).toBe(-EAGAIN);
  rig.machine.cpu.u8.set(content(10, 1), rig.machine.cpu.area);
  for (const block of [0, 1, 0]) expect(call.put(jn, shape.free[block], rig.machine.cpu.area)).toBe(0);
  expect([rig.count('running'), rig.count('reserved')]).toEqual([2, 10]);
  // its credit is the handle's again
  call.forget(jn, shape.free[0]);
  expect([rig.count('running'), rig.count('reserved')]).toEqual([1, 11]);
  call.end(jn);
  call.end(jn);
  expect(rig.count('reserved')).toBe(0);
  const tid = call.tid(jn);
  expect(call.committed(jn, tid)).toBe(0);
  rig.commit();
  expect(call.committed(jn, tid)).toBe(1);
  expect(call.committed(jn, call.tid(jn))).toBe(0);
  expect(call.begin(jn, rig.count('max') + 1)).toBe(-ENOSPC);
  expect(rig.close()).toBe(0);
  rig.shutdown();
});

test('what is not committed stays away from its home, what is may go there', () => {
  const { rig, call, disk, put, shape } = fresh();
  const home = () => Buffer.compare(readBlock(disk, 10, shape.free[0]), content(10, 1)) === 0;
  put(0, 1);
  expect(call.writeback()).toBe(0);
  expect(home()).toBe(false);
  rig.commit();
  expect(home()).toBe(false);
  expect(call.writeback()).toBe(0);
  expect(home()).toBe(true);
  expect(rig.close()).toBe(0);
  rig.shutdown();
});

test('revokes: only of what may be in the log, none left of a block that is metadata again', () => {
  const { rig, call, jn, put, shape } = fresh();
  const revoke = (from: number, count: number) => {
    expect(call.begin(jn, 1)).toBe(0);
    call.revoke(jn, shape.free[from], count);
    call.end(jn);
  };
  revoke(0, 10);
  expect(rig.count('revokes')).toBe(0);
  put(0, 1);
  rig.commit();
  revoke(0, 10);
  expect(rig.count('revokes')).toBe(10);
  put(3, 2);
  expect(rig.count('revokes')).toBe(9);
  rig.commit();
  expect(rig.count('revokes')).toBe(0);
  // a file's map may free very many: they never run over what is not checkpointed
  for (let i = 0; i < 40; i++) {
    revoke(0, 50);
    put(i % 50, i);
    if (i % 3 === 0) rig.commit();
    expect(rig.count('used')).toBeLessThan(rig.count('log'));
  }
  expect(rig.close()).toBe(0);
  rig.shutdown();
});

test('pressure: by age and by size', () => {
  const { rig, call, jn, put } = fresh();
  expect(call.pressure(jn, 2 ** 31, 5)).toBe(0);
  put(0, 1);
  const now = rig.count('time') + 10;
  expect(call.pressure(jn, now, 60)).toBe(0);
  expect(call.pressure(jn, now + 120, 60)).toBe(1);
  for (let i = 1; i < 40; i++) put(i, i);
  expect(rig.count('running')).toBeGreaterThan(rig.count('max') / 2);
  expect(call.pressure(jn, now, 60)).toBe(1);
  expect(rig.close()).toBe(0);
  rig.shutdown();
});

test('pressure: a transaction that has nothing but revoke records grows old too', () => {
  const { rig, call, jn, put, shape } = fresh();
  put(0, 1);
  rig.commit();
  expect(call.begin(jn, 1)).toBe(0);
  call.forget(jn, shape.free[0]);
  call.end(jn);
  expect(rig.count('running')).toBe(0);
  const now = rig.count('time');
  expect(call.pressure(jn, now, 60)).toBe(0);
  expect(call.pressure(jn, now + 120, 60)).toBe(1);
  rig.commit();
  expect(call.pressure(jn, now + 240, 60)).toBe(0);
  expect(rig.close()).toBe(0);
  rig.shutdown();
});

test('given up: nothing is written any more, reads go on, and the next user is told', () => {
  const { rig, call, jn, disk, put, shape } = fresh();
  put(0, 1);
  rig.commit();
  put(0, 2);
  call.abort(jn, -EIO);
  expect(call.begin(jn, 1)).toBe(-EROFS);
  expect(call.commit(jn)).toBe(-EROFS);
  expect(call.checkpoint(jn)).toBe(-EROFS);
  expect(Buffer.compare(rig.get(shape.free[0]), content(10, 2))).toBe(0);
  expect(rig.close()).toBe(-EIO);
  const sb = readBlock(disk, 10, shape.runs[0][0]);
  expect(new DataView(sb.buffer).getUint32(JSB_ERRNO)).toBe(EIO);
  expect(rig.open(disk)).toBe(0);
  expect(call.needs(rig.jn)).toBe(1);
  expect(call.recover(rig.jn)).toBe(0);
  expect(Buffer.compare(readBlock(disk, 10, shape.free[0]), content(10, 1))).toBe(0);
  rig.abandon();
  rig.shutdown();
});
