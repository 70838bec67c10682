/**
 * A running machine served to Linux by the thread that has it, between the other things that the thread does.
 *
 *     mountLive ─→ serving ─ unmount(), umount(8), a signal ─→ Linux lets go ─→ closed
 *                     └─ the machine is shut down or panics, this process ends ─→ taken away, in use or not
 *
 * M1. One request is worked on in one go; between two of them the machine is anybody's.
 * M2. When the machine is gone every request is refused, until nothing is mounted any more.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { ENOTCONN } from '../../../assembly/abi/errno.ts';
import type { Machine } from '../../machine/machine.ts';
import { timeoutOf } from '../attributes.ts';
import { type Control, listen } from '../control.ts';
import { linuxList, type MountOptions } from '../mountoptions.ts';
import { FUSE_MINOR_EPOCH } from '../protocol.ts';
import type { Request } from '../request.ts';
import { Server } from '../server.ts';
import { MountError, mountDevice, run, unmount } from '../session.ts';
import { Changes } from './changes.ts';
import { type Channel, DeviceChannel } from './channel.ts';
import { RelayChannel } from './relay.ts';

export interface LiveConfig {
  readonly directory: string;
  /** The directory of the machine that is served. */
  readonly path: string;
  readonly options: MountOptions;
  readonly signals: boolean;
}

/** Where Linux cannot be told to forget all names at once, it forgets them by itself this soon. */
const WITHOUT_EPOCH_S = 1;
/** At this process's end: the reader is out of the device by then, or never. */
const LAST_WAIT_MS = 2000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class LiveMount {
  readonly directory: string;
  /** Resolved when nothing is mounted any more: with what went wrong, if something did. */
  readonly ended: Promise<string | undefined>;
  readonly #server: Server;
  readonly #channel: Channel;
  readonly #changes: Changes;
  #control: Control | undefined;
  #resolve: (problem: string | undefined) => void = () => undefined;
  /** The machine is gone, or the server's process in it. */
  #dead = false;
  #closed = false;
  #problem: string | undefined;
  readonly #undo: (() => void)[] = [];

  constructor(machine: Machine, config: LiveConfig, channel: Channel, server: Server) {
    this.directory = config.directory;
    this.#server = server;
    this.#channel = channel;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#changes = new Changes(server, (batch) => channel.notify(batch));
    this.#undo.push(machine.cpu.scheduler.atExit(server.process.pid, () => this.#lost(undefined)));
    const { entryTimeout, negativeTimeout } = config.options.serve;
    const chosen = entryTimeout !== undefined || negativeTimeout !== undefined;
    channel.start({
      request: (request, length) => {
        this.#serve(request, length);
        if (!chosen && server.linuxMinor !== 0 && server.linuxMinor < FUSE_MINOR_EPOCH)
          server.entryValid = server.negativeValid = timeoutOf(WITHOUT_EPOCH_S);
      },
      idle: () => {
        if (this.#dead) return;
        server.enter();
        server.nodes.rest();
      },
      ended: (problem) => {
        if (problem === undefined) this.#close();
        else void this.#takeAway().then(() => this.#close(problem));
      },
    });
    const atExit = () => this.#exit();
    process.on('exit', atExit);
    this.#undo.push(() => process.off('exit', atExit));
    if (config.signals && isMainThread) this.#hearSignals();
  }

  #serve(request: Request, length: number): void {
    const server = this.#server;
    server.request = request;
    if (!this.#dead) {
      try {
        server.serve(length);
        return;
      } catch (error) {
        this.#lost((error as Error).message);
      }
    }
    if (request.arrived(length) && !request.unanswered)
      server.reply(-ENOTCONN, request.uniqueLow, request.uniqueHigh);
  }

  /** The machine is gone from under the mount. */
  #lost(problem: string | undefined): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#problem = problem;
    try {
      if (this.#server.cpu.panic === undefined) this.#letGo();
    } catch (error) {
      this.#problem ??= (error as Error).message;
    }
    if (!this.#closed) void this.#takeAway();
  }

  /** What the server has in the machine. */
  #letGo(): void {
    this.#changes.close();
    this.#server.close();
  }

  /** Linux has let go. */
  #close(problem?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#dead) {
      this.#dead = true;
      for (const undo of this.#undo.splice(0)) undo();
      try {
        this.#letGo();
        this.#server.process.exit();
      } catch (error) {
        this.#problem ??= (error as Error).message;
      }
    }
    for (const undo of this.#undo.splice(0)) undo();
    this.#channel.close();
    const what = problem ?? this.#problem;
    this.#control?.end(what);
    this.#resolve(what);
  }

  /** From the tree, in use or not: who uses it hears ENOTCONN. */
  async #takeAway(): Promise<string | undefined> {
    if (this.#channel instanceof RelayChannel) {
      this.#close();
      return undefined;
    }
    const { code, stderr } = await run('umount', ['-i', '-f', '-l', this.directory]);
    return code === 0 || this.#closed ? undefined : stderr.trim();
  }

  /** How `damselfly umount` learns of the end. */
  control(dev: number): void {
    this.#control = listen(dev);
  }

  /**
   * @param how  'lazy': out of the tree, and served until nobody uses it; 'force': not even that
   * @throws MountError  it is in use
   */
  async unmount(how?: 'lazy' | 'force'): Promise<void> {
    if (this.#closed) return;
    let problem: string | undefined;
    if (how === 'force') {
      // what Linux still has to write
      if (!this.#dead) await run('sync', ['-f', this.directory]);
      problem = await this.#takeAway();
    } else problem = await unmount(this.directory, how === 'lazy');
    if (problem !== undefined && !this.#closed) throw new MountError(problem);
    if (how !== 'lazy') await this.ended;
  }

  #hearSignals(): void {
    let asked = 0;
    const heard = (signal: NodeJS.Signals) => {
      const others = process.listenerCount(signal) > 1;
      void this.#ended(asked++ > 0).then(() => {
        // what the signal does to a process that does not listen
        if (!others && this.#closed) process.kill(process.pid, signal);
      });
    };
    for (const signal of SIGNALS) process.on(signal, heard);
    this.#undo.push(() => {
      for (const signal of SIGNALS) process.off(signal, heard);
    });
  }

  /** A signal asks for the end; a second one although it is in use. */
  async #ended(insist: boolean): Promise<void> {
    try {
      await this.unmount(insist ? 'force' : undefined);
    } catch (error) {
      process.stderr.write(`damselfly: ${(error as Error).message}\n`);
    }
  }

  /** This process ends, and no thread of it may be left in the device: Node would wait for that one. */
  #exit(): void {
    const channel = this.#channel;
    if (!(channel instanceof DeviceChannel) || this.#closed) return;
    spawnSync('umount', ['-i', '-f', '-l', this.directory], { stdio: 'ignore' });
    if (!channel.endedWithin(LAST_WAIT_MS)) process.kill(process.pid, 'SIGKILL');
  }

  ref(): void {
    this.#channel.ref();
  }

  unref(): void {
    this.#channel.unref();
  }
}

/** Mount and serve. Done when the tree is there. @throws MountError; SyscallError of the machine's directory */
export async function mountLive(machine: Machine, config: LiveConfig): Promise<LiveMount> {
  const { directory, options } = config;
  if (process.platform !== 'linux') throw new MountError('only Linux has FUSE as it is spoken here');
  const source = options.source ?? 'damselfly';
  const list = linuxList(options, options.readOnly, source);
  let channel: Channel | undefined;
  const server = new Server(
    machine,
    config.path,
    { read: () => 0, write: (bytes, length) => channel?.write(bytes, length) },
    options.serve,
  );
  try {
    channel = await open(directory, source, list);
  } catch (error) {
    server.close();
    server.process.exit();
    throw error;
  }
  const live = new LiveMount(machine, config, channel, server);
  // the first request of all: it is answered, or the end has come
  const dev = await Promise.race([
    fs.promises.stat(directory).then(
      (stat) => stat.dev,
      () => undefined,
    ),
    live.ended.then(() => undefined),
  ]);
  if (dev !== undefined) live.control(dev);
  return live;
}

async function open(directory: string, source: string, list: string): Promise<Channel> {
  if (process.getuid?.() === 0)
    return new DeviceChannel(await mountDevice(directory, source, list), directory);
  const relay = new RelayChannel(directory, list);
  try {
    await relay.mounted();
  } catch (error) {
    relay.close();
    throw new MountError((error as Error).message);
  }
  return relay;
}
