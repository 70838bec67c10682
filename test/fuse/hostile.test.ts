/** Requests that are wrong: an errno for each, and the server goes on. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  EBADF,
  EINVAL,
  EIO,
  ENAMETOOLONG,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  ESTALE,
} from '../../assembly/abi/errno.ts';
import { O_RDWR } from '../../assembly/abi/flags.ts';
import { seeded } from '../helpers/random.ts';
import * as fuse from '../../host/fuse/protocol.ts';
import { bytes32, bytes64, Rig, text } from './rig.ts';

const ROOT = fuse.FUSE_ROOT_ID;
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.end());

/** It still answers what is right. */
function lives(): void {
  expect(rig.ask(fuse.FUSE_GETATTR, ROOT, bytes64(0, 0)).error).toBe(0);
}

it('has no answer to what has no header, and an error for a length that is not so', () => {
  for (let length = 0; length < fuse.FUSE_IN_HEADER; length++) rig.raw(Buffer.alloc(length, 0xff));
  expect(rig.replies).toEqual([]);
  const head = Buffer.alloc(fuse.FUSE_IN_HEADER);
  for (const said of [0, 39, 41, 0xffffffff]) {
    head.writeUInt32LE(said, fuse.IN_LEN);
    rig.raw(head);
  }
  expect(rig.replies.splice(0).map(({ error }) => error)).toEqual(new Array(4).fill(EINVAL));
  lives();
});

it('says ENOSYS to opcodes that it does not know', () => {
  for (const opcode of [0, 7, 19, 37, 39, 41, 48, 49, 53, 4096, 0xffffffff]) {
    expect([opcode, rig.ask(opcode, ROOT, Buffer.alloc(64)).error]).toEqual([opcode, ENOSYS]);
  }
});

it('says EINVAL to every request that is too short', () => {
  const silent = [fuse.FUSE_FORGET, fuse.FUSE_BATCH_FORGET, fuse.FUSE_INTERRUPT];
  const bodiless = [
    fuse.FUSE_STATFS,
    fuse.FUSE_DESTROY,
    fuse.FUSE_READLINK,
    fuse.FUSE_SYNCFS,
    fuse.FUSE_INIT,
  ];
  for (let opcode = 1; opcode < fuse.FUSE_OPCODES; opcode++) {
    if (bodiless.includes(opcode)) continue;
    const unique = rig.send(opcode, ROOT);
    const reply = rig.take(unique);
    if (silent.includes(opcode)) expect(reply).toBe(undefined);
    else expect([opcode, [EINVAL, ENOSYS].includes(reply?.error ?? 0)]).toEqual([opcode, true]);
  }
  lives();
});

it('does nothing before INIT', async () => {
  const early = new Rig(rig.machine, {});
  expect(early.ask(fuse.FUSE_GETATTR, ROOT, bytes64(0, 0)).error).toBe(EIO);
  expect(early.ask(fuse.FUSE_INIT, 0, bytes32(7, 30, 0, 0)).error).toBe(EINVAL);
  const newer = early.ask(fuse.FUSE_INIT, 0, bytes32(8, 0, 0, 0));
  expect([newer.error, newer.body.readUInt32LE(fuse.INIT_OUT_MAJOR)]).toEqual([0, 7]);
  expect(early.ask(fuse.FUSE_GETATTR, ROOT, bytes64(0, 0)).error).toBe(EIO);
  expect(early.init().error).toBe(0);
  expect(early.ask(fuse.FUSE_GETATTR, ROOT, bytes64(0, 0)).error).toBe(0);
  early.server.close();
});

it('looks up no paths, and nothing above its root', () => {
  rig.machine.fs.writeFileSync('/secret', 'x');
  for (const name of ['', '..', '../secret', '/secret', 'a/b', '/'])
    expect([name, rig.ask(fuse.FUSE_LOOKUP, ROOT, text(name)).error > 0]).toEqual([name, true]);
  expect(rig.ask(fuse.FUSE_MKDIR, ROOT, Buffer.concat([bytes32(0o755, 0), text('../made')])).error).toBe(
    EINVAL,
  );
  expect(rig.ask(fuse.FUSE_UNLINK, ROOT, text('../secret')).error).toBe(EINVAL);
  expect(rig.ask(fuse.FUSE_SYMLINK, ROOT, text('../link', 'target')).error).toBe(EINVAL);
  expect(rig.ask(fuse.FUSE_RENAME, ROOT, Buffer.concat([bytes64(ROOT), text('a', '../b')])).error).toBe(
    EINVAL,
  );
  expect(rig.ask(fuse.FUSE_LINK, ROOT, Buffer.concat([bytes64(ROOT), text('..')])).error).toBe(EINVAL);
  expect(rig.machine.fs.existsSync('/secret')).toBe(true);
});

it('takes names that have an end and a length', () => {
  expect(rig.ask(fuse.FUSE_LOOKUP, ROOT, Buffer.from('no end')).error).toBe(EINVAL);
  expect(rig.ask(fuse.FUSE_LOOKUP, ROOT, text('n'.repeat(256))).error).toBe(ENAMETOOLONG);
  expect(rig.ask(fuse.FUSE_UNLINK, ROOT, text('n'.repeat(255))).error).toBe(ENOENT);
  expect(rig.ask(fuse.FUSE_RENAME, ROOT, Buffer.concat([bytes64(ROOT), text('only one')])).error).toBe(
    EINVAL,
  );
  expect(rig.ask(fuse.FUSE_SYMLINK, ROOT, text('only one')).error).toBe(EINVAL);
  const long = rig.ask(fuse.FUSE_SYMLINK, ROOT, text('link', 't'.repeat(4096)));
  expect(long.error).toBe(EINVAL);
});

it('knows dead nodes and files that were never open', () => {
  const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
  for (const dead of [0n, 999n, 2n ** 40n, 2n ** 45n, 2n ** 53n, 2n ** 64n - 1n])
    expect([dead, rig.ask(fuse.FUSE_GETATTR, dead, bytes64(0, 0)).error]).toEqual([dead, ESTALE]);
  for (const bad of [0n, BigInt(fh) + 1n, 2n ** 32n, 2n ** 64n - 1n]) {
    const body = Buffer.concat([bytes64(bad, 0), bytes32(10, 0), Buffer.alloc(16)]);
    expect([bad, rig.ask(fuse.FUSE_READ, id, body).error]).toEqual([bad, EBADF]);
    expect([bad, rig.ask(fuse.FUSE_READDIR, id, body).error]).toEqual([bad, EBADF]);
    expect([
      bad,
      rig.ask(fuse.FUSE_RELEASE, id, Buffer.concat([bytes64(bad), Buffer.alloc(16)])).error,
    ]).toEqual([bad, EBADF]);
  }
  // by another node's file, and a file as a directory
  expect(
    rig.ask(fuse.FUSE_READ, ROOT, Buffer.concat([bytes64(fh, 0), bytes32(10, 0), Buffer.alloc(16)])).error,
  ).toBe(EINVAL);
  expect(rig.ask(fuse.FUSE_RELEASEDIR, id, Buffer.concat([bytes64(fh), Buffer.alloc(16)])).error).toBe(EBADF);
  expect(rig.ask(fuse.FUSE_LOOKUP, id, text('x')).error).toBe(ENOTDIR);
});

it('writes no more than the request brings', () => {
  const { id, fh } = rig.create(ROOT, 'file', O_RDWR);
  const write = (size: number, data: string, offset: number | bigint = 0) =>
    rig.ask(
      fuse.FUSE_WRITE,
      id,
      Buffer.concat([bytes64(fh, offset), bytes32(size, 0), Buffer.alloc(16), Buffer.from(data)]),
    );
  expect(write(5, 'four').error).toBe(EINVAL);
  expect(write(0xffffffff, 'four').error).toBe(EINVAL);
  expect(write(4, 'four', -1n).error).toBe(EINVAL);
  expect(write(4, 'four').error).toBe(0);
  const xattr = (size: number) =>
    rig.ask(fuse.FUSE_SETXATTR, id, Buffer.concat([bytes32(size, 0), text('user.a'), Buffer.from('v')]));
  expect(xattr(2).error).toBe(EINVAL);
  expect(xattr(1).error).toBe(0);
  expect(rig.machine.fs.readFileSync('/mnt/file', 'utf8')).toBe('four');
});

it('survives 20,000 requests of random bytes', () => {
  const pick = seeded(20261128);
  const { fh } = rig.create(ROOT, 'file', O_RDWR);
  const interesting = [0, 1, 2, 7, 8, fh, 16, 100, 4096, 0x7fffffff, 0x80000000, 0xffffffff];
  for (let i = 0; i < 20_000; i++) {
    const body = Buffer.alloc(pick(3) === 0 ? pick(300) : 4 * pick(30));
    for (let at = 0; at + 4 <= body.length; at += 4) {
      body.writeUInt32LE(pick(2) === 0 ? interesting[pick(interesting.length)] : pick(0xffffffff), at);
    }
    if (pick(2) === 0 && body.length > 20) body.write('name\0other\0', pick(body.length - 12), 'latin1');
    const opcode = 1 + pick(fuse.FUSE_OPCODES);
    if (opcode === fuse.FUSE_DESTROY) continue;
    const nodes = [ROOT, 2, 3, pick(50), pick(0xffffffff)];
    rig.send(opcode, nodes[pick(nodes.length)], body, { uid: pick(3) * 500, gid: pick(2) * 500 });
  }
  rig.replies.length = 0;
  rig.init();
  lives();
});
