import { EIO } from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { FH_LEN, POLLFD_MAX, SA_IOV } from '../../../assembly/abi/layout.ts';
import type { ExportName, Step } from '../call.ts';
import type { Draft, Makers } from './draft.ts';
import { LOCK_FILES } from '../names.ts';
import { nameToHandle } from './names.ts';

/** Calls on descriptors, locks and the process's own state. */

function duplicate(draft: Draft): Step {
  const { world } = draft;
  return draft.step([world.fd()], (fd, args) => copied(draft, args[0], fd));
}

/** A descriptor stands for what another does. */
function copied(draft: Draft, from: number, to: number): void {
  const descriptor = draft.world.descriptor(from);
  if (to >= 0 && descriptor) draft.world.opened(to, descriptor);
}

function duplicateTo(draft: Draft, flags: readonly number[]): Step {
  const { random, world } = draft;
  const to = world.hostile() ? world.hostileInteger() : random.below(random.chance(0.1) ? 200 : 24);
  return draft.step([world.fd(), to, ...flags], (fd, args) => copied(draft, args[0], fd));
}

const FCNTL_COMMANDS = [
  F.F_DUPFD,
  F.F_DUPFD_CLOEXEC,
  F.F_GETFD,
  F.F_SETFD,
  F.F_GETFL,
  F.F_SETFL,
  F.F_SETPIPE_SZ,
  F.F_GETPIPE_SZ,
  F.F_SETPIPE_SZ,
];
const STATUS = [F.O_APPEND, F.O_NONBLOCK, F.O_NONBLOCK, F.O_NOATIME, F.O_DIRECT];

function control(draft: Draft): Step {
  const { random, world } = draft;
  // confinement is for good: rare
  const command = random.chance(0.03) ? F.F_SETBENEATH : random.pick(FCNTL_COMMANDS);
  const pipe = command === F.F_SETPIPE_SZ || command === F.F_GETPIPE_SZ;
  const fd = world.fd(pipe ? ['fifo'] : command === F.F_SETBENEATH ? ['dir'] : undefined);
  let arg = random.below(16);
  if (command === F.F_SETFL) arg = random.some(STATUS, 0.3);
  else if (command === F.F_SETPIPE_SZ)
    arg = random.pick([1, 4096, 4096, 4096, 8192, 65536, 1 << 20, 1 << 21]);
  if (world.hostile()) arg = world.hostileNumber();
  return draft.step([fd, world.hostile() ? world.hostileInteger() : command, arg], (result, args) => {
    if (args[1] === F.F_DUPFD || args[1] === F.F_DUPFD_CLOEXEC) copied(draft, args[0], result);
  });
}

const LOCK_COMMANDS = [F.F_GETLK, F.F_SETLK, F.F_SETLKW, F.F_OFD_GETLK, F.F_OFD_SETLK, F.F_OFD_SETLKW];

/** A descriptor of one of the two files that most locks are on. */
function lockedFd({ random, world }: Draft, access: number): number {
  const fds = [...(world.current?.fds ?? [])].filter(
    ([, { path }]) => path !== undefined && LOCK_FILES.includes(path),
  );
  return fds.length > 0 && random.chance(0.6) ? random.pick(fds)[0] : world.fd(['file'], access);
}

/** Record locks: few ranges of few files, so that they meet. */
function recordLock(draft: Draft): Step {
  const { random, world } = draft;
  const number = () => (world.hostile() ? world.hostileNumber() : random.below(3) * 10);
  const type = world.hostile()
    ? world.hostileInteger()
    : random.pick([F.F_RDLCK, F.F_WRLCK, F.F_WRLCK, F.F_UNLCK]);
  const command = world.hostile()
    ? world.hostileInteger()
    : random.pick([...LOCK_COMMANDS, F.F_SETLKW, F.F_SETLKW]);
  const whence = random.chance(0.8)
    ? F.SEEK_SET
    : random.chance(0.8)
      ? random.below(3)
      : world.hostileInteger();
  return draft.step([lockedFd(draft, type === F.F_RDLCK ? 0 : 1), command, type, whence, number(), number()]);
}

function wholeLock(draft: Draft): Step {
  const { random, world } = draft;
  const operation =
    random.pick([F.LOCK_SH, F.LOCK_EX, F.LOCK_EX, F.LOCK_UN]) | (random.chance(0.5) ? F.LOCK_NB : 0);
  return draft.step([world.fd(['file', 'dir']), world.hostile() ? world.hostileInteger() : operation]);
}

const EVENTS = [F.POLLIN, F.POLLOUT, F.POLLPRI, F.POLLRDNORM, F.POLLWRNORM, F.POLLRDHUP];

function poll(draft: Draft): Step {
  const { random, world } = draft;
  const count = random.chance(0.02) ? POLLFD_MAX : random.below(5);
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    const fd = random.chance(0.05)
      ? -1
      : world.fd(random.chance(0.6) ? ['fifo', 'notify', 'special'] : undefined);
    const events = world.hostile() ? random.bits() & 0xffff : random.some(EVENTS, 0.4);
    words.push(fd >>> 0, events);
  }
  draft.words(words, SA_IOV);
  const timeout = world.hostile() ? world.hostileNumber() : random.pick([0, 0, 0, 1, 10, 500, -1]);
  return draft.step([random.chance(0.02) ? world.hostileInteger() : count, timeout]);
}

function ioctl(draft: Draft): Step {
  const { random, world } = draft;
  const command = random.chance(0.7) ? F.FIONREAD : random.chance(0.5) ? 0x5401 : world.hostileInteger();
  const { space, addr } = draft.buffer(4);
  const fd = world.fd(random.chance(0.9) ? ['file', 'fifo', 'special', 'notify'] : undefined);
  return draft.step([fd, command, space, addr]);
}

function setLimit(draft: Draft): Step {
  const { random, world } = draft;
  const resource = world.hostile() ? world.hostileInteger() : random.pick([F.RLIMIT_FSIZE, F.RLIMIT_NOFILE]);
  if (world.hostile()) return draft.step([resource, world.hostileNumber(), world.hostileNumber()]);
  // the hard limit stays where it is: a user could never raise it again
  const files = resource === F.RLIMIT_NOFILE;
  const hard = files ? 16384 : 2 ** 64;
  const soft = random.chance(0.6) ? (files ? 4096 : hard) : random.below(files ? 30 : 200_000);
  return draft.step([resource, soft, hard]);
}

const WATCHED = [
  F.IN_ALL_EVENTS,
  F.IN_MODIFY,
  F.IN_CREATE | F.IN_DELETE,
  F.IN_MOVED_FROM | F.IN_MOVED_TO,
  F.IN_ATTRIB | F.IN_DELETE_SELF,
];
const WATCH_FLAGS = [
  F.IN_ONLYDIR,
  F.IN_DONT_FOLLOW,
  F.IN_EXCL_UNLINK,
  F.IN_MASK_ADD,
  F.IN_MASK_CREATE,
  F.IN_ONESHOT,
];

function addWatch(draft: Draft): Step {
  const { random, world } = draft;
  const length = draft.path(world.path(random.pick(['dir', 'dir', 'file', undefined] as const)));
  const mask = world.hostile()
    ? world.hostileInteger()
    : random.pick(WATCHED) | random.some(WATCH_FLAGS, 0.08);
  return draft.step([world.fd(['notify']), length, mask], (wd, args) => {
    if (wd > 0) world.remember(world.watches, [args[0], wd] as const, 16);
  });
}

function removeWatch(draft: Draft): Step {
  const { random, world } = draft;
  if (world.watches.length > 0 && random.chance(0.8)) return draft.step([...random.pick(world.watches)]);
  return draft.step([world.fd(['notify']), world.hostileInteger()]);
}

function opens(draft: Draft, flags: readonly number[], descriptor: { kind: 'notify'; access: number }): Step {
  const { random, world } = draft;
  const bits = world.hostile() ? world.hostileInteger() : random.some(flags, 0.5);
  return draft.step([bits], (fd) => world.opened(fd, descriptor));
}

export const descriptorMakers = {
  // what the file system says of it, closed it is
  sys_close: (d) =>
    d.step([d.world.fd()], (result, args) => {
      if (result >= 0 || result === -EIO) d.world.closed(args[0]);
    }),
  sys_fstat: (d) => d.step([d.world.fd()]),
  sys_fstatfs: (d) => d.step([d.world.fd()]),
  sys_fchdir: (d) => d.step([d.world.fd(['dir'])]),
  sys_getcwd: (d) => d.step([]),
  sys_umask: (d) => d.step([d.random.pick([0, 0, 0o022, 0o027, 0o077, 0o777, 0xffffffff])]),
  sys_getrlimit: (d) => d.step([d.random.pick([F.RLIMIT_FSIZE, F.RLIMIT_NOFILE, F.RLIMIT_NOFILE, 0, -1])]),
  sys_setrlimit: setLimit,
  sys_dup: duplicate,
  sys_dup2: (d) => duplicateTo(d, []),
  sys_dup3: (d) =>
    duplicateTo(d, [d.world.hostile() ? d.world.hostileInteger() : d.random.pick([0, F.O_CLOEXEC])]),
  sys_fcntl: control,
  sys_fcntl_lock: recordLock,
  sys_flock: wholeLock,
  sys_poll: poll,
  sys_ioctl: ioctl,
  proc_inotify_all: (d) => d.step([], (fd) => d.world.opened(fd, { kind: 'notify', access: 0 })),
  sys_inotify_init: (d) => opens(d, [F.IN_NONBLOCK, F.IN_CLOEXEC], { kind: 'notify', access: 0 }),
  sys_inotify_add_watch: addWatch,
  sys_inotify_rm_watch: removeWatch,
} satisfies Makers;

/** Calls whose results stand in the syscall area: `data` reads words there after the call. */
export function readingMakers(
  data: (index: number) => number,
): Partial<Record<ExportName, (d: Draft) => Step>> {
  return {
    sys_name_to_handle_at: (d) =>
      nameToHandle(d, () => Array.from({ length: FH_LEN / 4 }, (_, i) => data(i))),
    sys_pipe2: (d) => {
      const flags = d.world.hostile()
        ? d.world.hostileInteger()
        : d.random.some([F.O_NONBLOCK, F.O_CLOEXEC, F.O_DIRECT], 0.5);
      return d.step([flags], (result) => {
        if (result !== 0) return;
        d.world.opened(data(0), { kind: 'fifo', access: 0 });
        d.world.opened(data(1), { kind: 'fifo', access: 1 });
      });
    },
  };
}
