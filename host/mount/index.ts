/**
 * A running machine's tree as a directory of this host, for any program of it: `damselfly/mount`. Linux only, with
 * `/dev/fuse`; as root by mount(8), otherwise by fusermount3 and Perl. See docs/mounting.md.
 */
import path from 'node:path';
import { type LiveMount, mountLive } from '../fuse/live/live.ts';
import { parseMountOptions } from '../fuse/mountoptions.ts';
import type { Machine } from '../machine/machine.ts';

export interface MountMachineOptions {
  /** The directory of the machine that is served. Default: "/". */
  path?: string;
  readOnly?: boolean;
  /** Other users of the host may come in; of those who are not root, /etc/fuse.conf must allow it. */
  allowOther?: boolean;
  /** What df and mount show as the source. Default: "damselfly". */
  source?: string;
  /**
   * Seconds for which Linux may believe names, attributes, and that a name is not there. It is told when they
   * change, so: a day; of names one second where Linux is older than 6.16.
   */
  entryTimeout?: number;
  attrTimeout?: number;
  negativeTimeout?: number;
  /** More options of mount(8), as after its -o: "noexec,noatime". nosuid and nodev hold unless suid, dev are among them. */
  options?: string;
  /** SIGINT, SIGTERM and SIGHUP unmount first, a second one although it is in use. Default: true. */
  signals?: boolean;
}

export interface UnmountOptions {
  /** Out of the host's tree, although it is in use; who uses it is served on until it lets go. */
  lazy?: boolean;
  /** At once: who uses it hears ENOTCONN. */
  force?: boolean;
}

export interface MachineMount extends AsyncDisposable {
  /** Where it is, absolute. */
  readonly directory: string;
  /** Resolved when nothing is mounted any more, however that came; with what went wrong, if something did. */
  readonly ended: Promise<string | undefined>;
  /**
   * Unmount, and wait until all is written to the machine. `lazy` does not wait: `ended` tells.
   * @throws Error when it is in use
   */
  unmount(options?: UnmountOptions): Promise<void>;
  /** Keep this process running while it is mounted, as it does unless told, or not. */
  ref(): void;
  unref(): void;
}

/**
 * Serve a directory of a machine to Linux, while the machine goes on being used here. Resolved when it is there.
 *
 * This thread serves: while it is busy, whoever uses the directory waits. Synchronous calls on the directory by this
 * very thread cannot be served, and throw EBUSY; use those of `fs.promises`. Waiting synchronously for a
 * program that uses it (`execSync`) is the same: after some seconds that program
 * is refused (EDEADLK).
 * @throws Error that says why it cannot be mounted; a system call's error when the machine has no such directory
 * @example
 * const mounted = await mountMachine(machine, '/mnt/point', { path: '/home' });
 * machine.fs.writeFileSync('/home/hello', 'from inside');
 * await fs.promises.readFile('/mnt/point/hello', 'utf8'); // 'from inside'
 * await mounted.unmount();
 */
export async function mountMachine(
  machine: Machine,
  directory: string,
  options: MountMachineOptions = {},
): Promise<MachineMount> {
  const parsed = parseMountOptions(options.options === undefined ? [] : [options.options]);
  if (parsed.machine.length > 0 || parsed.ram !== undefined)
    throw new Error(`cannot mount: a running machine has its own say about ${parsed.machine[0] ?? 'ram'}`);
  const { entryTimeout, attrTimeout, negativeTimeout } = options;
  const timeouts = { entryTimeout, attrTimeout, negativeTimeout };
  for (const [name, seconds] of Object.entries(timeouts)) {
    if (seconds === undefined) continue;
    if (!(seconds >= 0 && seconds < 2 ** 31)) throw new RangeError(`${name}: give seconds, not ${seconds}`);
    parsed.serve[name as keyof typeof timeouts] = seconds;
  }
  // what a machine's device numbers and set-id bits mean is the machine's own
  parsed.linux.unshift('nosuid', 'nodev');
  parsed.readOnly ||= options.readOnly ?? false;
  parsed.allowOther ||= options.allowOther ?? false;
  parsed.source = options.source ?? parsed.source;
  const live = await mountLive(machine, {
    directory: path.resolve(directory),
    path: options.path ?? '/',
    options: parsed,
    signals: options.signals ?? true,
  });
  return handleOf(live);
}

function handleOf(live: LiveMount): MachineMount {
  return {
    directory: live.directory,
    ended: live.ended,
    unmount: ({ lazy, force } = {}) => live.unmount(force ? 'force' : lazy ? 'lazy' : undefined),
    ref: () => live.ref(),
    unref: () => live.unref(),
    [Symbol.asyncDispose]: () => live.unmount(),
  };
}
