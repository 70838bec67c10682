import * as F from '../../../assembly/abi/flags.ts';
import { SA_PATH2 } from '../../../assembly/abi/layout.ts';
import type { Step } from '../call.ts';
import type { FdKind } from '../world.ts';
import type { Buffer, Draft, Makers } from './draft.ts';

/** Calls that move data, and those on extended attributes. */

const READ = 0;
const WRITE = 1;
const STREAMS: readonly FdKind[] = ['file', 'fifo', 'special', 'notify'];
const FILES: readonly FdKind[] = ['file'];

/** A descriptor for a transfer: of a file, or of what else can be read or written. */
function transferFd(draft: Draft, access: number): number {
  return draft.world.fd(draft.random.chance(0.6) ? FILES : STREAMS, access);
}

/** The buffer of a write: a command where one is understood. */
function writeBuffer(draft: Draft, fd: number): Buffer {
  const { world, random } = draft;
  if (random.chance(0.02)) draft.trouble({ kind: 'console', result: random.pick([-5, 0, 1, 10]) });
  const descriptor = world.descriptor(fd);
  // enough to fill a pipe
  if (descriptor?.kind === 'fifo' && random.chance(0.4)) return draft.buffer(random.between(4096, 70_000));
  const proc = descriptor?.path?.startsWith('/proc/');
  return proc && random.chance(0.8) ? draft.command() : draft.buffer(world.length());
}

function transfer(draft: Draft, access: number, at: boolean): Step {
  const fd = transferFd(draft, access);
  const { space, addr, length } =
    access === WRITE ? writeBuffer(draft, fd) : draft.buffer(draft.world.length());
  return draft.step([fd, space, addr, length, ...(at ? [position(draft)] : [])]);
}

function transferVector(draft: Draft, access: number, at: boolean): Step {
  const fd = transferFd(draft, access);
  return draft.step([fd, draft.vector(), ...(at ? [position(draft)] : [])]);
}

function position({ world }: Draft): number {
  return world.hostile() ? world.hostileNumber() : world.offset();
}

function seek(draft: Draft): Step {
  const { random, world } = draft;
  const whence = world.hostile() ? world.hostileInteger() : random.below(5);
  const offset = whence === F.SEEK_CUR || whence === F.SEEK_END ? random.between(-100, 100) : position(draft);
  return draft.step([world.fd(random.chance(0.8) ? ['file', 'dir'] : undefined), offset, whence]);
}

function allocate(draft: Draft): Step {
  const { random, world } = draft;
  const modes = [
    0,
    F.FALLOC_FL_KEEP_SIZE,
    F.FALLOC_FL_ZERO_RANGE,
    F.FALLOC_FL_ZERO_RANGE | F.FALLOC_FL_KEEP_SIZE,
  ];
  const punch = F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE;
  const mode = world.hostile() ? random.below(64) : random.pick([...modes, punch, punch]);
  const length = world.hostile() ? world.hostileNumber() : 1 + world.length();
  return draft.step([world.fd(FILES, WRITE), mode, position(draft), length]);
}

function copyRange(draft: Draft): Step {
  const { random, world } = draft;
  const offset = () => (random.chance(0.4) ? -1 : position(draft));
  const length = world.hostile() ? world.hostileNumber() : world.length();
  const flags = random.chance(0.02) ? world.hostileInteger() : 0;
  return draft.step([world.fd(FILES, READ), offset(), world.fd(FILES, WRITE), offset(), length, flags]);
}

// ── extended attributes ──────────────────────────────────────────────────────────────────────

const PREFIXES = ['user.', 'user.', 'user.', 'trusted.', 'security.'];

function attributeName(draft: Draft): string {
  const { random, world } = draft;
  if (world.hostile()) {
    return random.pick([
      '',
      'user.',
      'trusted.',
      'nonsense.a',
      'user',
      `user.${'x'.repeat(250)}`,
      `user.${'x'.repeat(251)}`,
      '\0',
      'user.a\0b',
    ]);
  }
  return random.chance(0.6)
    ? 'user.a'
    : random.pick(PREFIXES) + random.pick(['a', 'b', 'c', 'long'.repeat(20)]);
}

/** An attribute's name at SA_PATH2; its length. */
function attribute(draft: Draft): number {
  return draft.path(attributeName(draft), SA_PATH2);
}

function valueSize(draft: Draft): number {
  const { random, world } = draft;
  if (world.hostile()) return random.pick([0, 65535, 65536, 65537, 0xffffffff, 0x7fffffff]);
  return random.chance(0.1) ? 0 : random.chance(0.9) ? random.below(100) : random.below(5000);
}

/** space, addr, size. */
function value(draft: Draft, size: number): [number, number, number] {
  const { space, addr, length } = draft.buffer(Math.min(size, 65536));
  return [space, addr, size > 65536 ? size : length];
}

/** The arguments before an attribute's name: a place and flags. */
function subject(draft: Draft): number[] {
  const { random, world } = draft;
  const { dirfd, length } = draft.place(random.pick(['file', 'file', 'dir', undefined] as const));
  const flags = world.hostile()
    ? world.hostileInteger()
    : random.some([F.AT_SYMLINK_NOFOLLOW, F.AT_EMPTY_PATH], 0.2);
  return [dirfd, length, flags];
}

/** A place, flags and an attribute's name that it may have. */
function attributeOf(draft: Draft): number[] {
  const { random, world } = draft;
  if (world.attributes.length === 0 || random.chance(0.4)) return [...subject(draft), attribute(draft)];
  const [path, name] = random.pick(world.attributes);
  return [F.AT_FDCWD, draft.path(path), 0, draft.path(name, SA_PATH2)];
}

function setAttribute(draft: Draft): Step {
  const { random, world } = draft;
  if (random.chance(0.5))
    return draft.step([
      ...subject(draft),
      attribute(draft),
      ...value(draft, valueSize(draft)),
      xflags(draft),
    ]);
  const path = world.path('file');
  const name = attributeName(draft);
  const args = [
    F.AT_FDCWD,
    draft.path(path),
    0,
    draft.path(name, SA_PATH2),
    ...value(draft, valueSize(draft)),
    xflags(draft),
  ];
  return draft.step(args, (result) => {
    if (result === 0) world.remember(world.attributes, [path, name] as const, 24);
  });
}

function xflags(draft: Draft): number {
  const { random, world } = draft;
  if (world.hostile()) return world.hostileInteger();
  return random.chance(0.7) ? 0 : random.pick([F.XATTR_CREATE, F.XATTR_REPLACE, 3]);
}

const LISTED = 4096;

function attributed(draft: Draft): number {
  return draft.world.fd(['file', 'dir']);
}

export const dataMakers = {
  sys_read: (d) => transfer(d, READ, false),
  sys_write: (d) => transfer(d, WRITE, false),
  sys_pread: (d) => transfer(d, READ, true),
  sys_pwrite: (d) => transfer(d, WRITE, true),
  sys_readv: (d) => transferVector(d, READ, false),
  sys_writev: (d) => transferVector(d, WRITE, false),
  sys_preadv: (d) => transferVector(d, READ, true),
  sys_pwritev: (d) => transferVector(d, WRITE, true),
  sys_lseek: seek,
  sys_ftruncate: (d) => d.step([d.world.fd(FILES, WRITE), position(d)]),
  sys_fallocate: allocate,
  sys_copy_file_range: copyRange,
  sys_fsync: (d) => d.step([d.world.fd()]),
  sys_fdatasync: (d) => d.step([d.world.fd()]),
  sys_sync: (d) => d.step([]),
  sys_syncfs: (d) => d.step([d.world.fd()]),
  sys_getdents: (d) => {
    const most = d.world.hostile() ? d.world.hostileInteger() : d.random.pick([0, 0, 1, 2, 10]);
    return d.step([d.world.fd(['dir']), most]);
  },
  sys_getxattr: (d) => d.step([...attributeOf(d), ...value(d, d.random.chance(0.7) ? LISTED : valueSize(d))]),
  sys_setxattr: setAttribute,
  sys_listxattr: (d) => d.step([...subject(d), ...value(d, d.random.chance(0.8) ? LISTED : valueSize(d))]),
  sys_removexattr: (d) => d.step(attributeOf(d)),
  sys_fgetxattr: (d) =>
    d.step([attributed(d), attribute(d), ...value(d, d.random.chance(0.7) ? LISTED : valueSize(d))]),
  sys_fsetxattr: (d) => d.step([attributed(d), attribute(d), ...value(d, valueSize(d)), xflags(d)]),
  sys_flistxattr: (d) => d.step([attributed(d), ...value(d, d.random.chance(0.8) ? LISTED : valueSize(d))]),
  sys_fremovexattr: (d) => d.step([attributed(d), attribute(d)]),
} satisfies Makers;
