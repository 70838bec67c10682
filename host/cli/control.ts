/** `damselfly boot --control SOCK`: others attach to the machine, each on a terminal of its own. */
import fs from 'node:fs';
import net from 'node:net';
import type { Userland } from '../programs/userland.ts';
import { TerminalSession } from '../terminal/session.ts';
import { CommandError, EXIT_FAILED } from './errors.ts';
import { loginEnvironment } from './login.ts';
import {
  decodeHello,
  encodeFrame,
  FRAME_DATA,
  FRAME_EXIT,
  FRAME_HELLO,
  FRAME_REFUSED,
  FRAME_RESIZE,
  type Frame,
  FrameReader,
} from './wire.ts';

const SOCKET_MODE = 0o600;
const PROBE_MS = 500;

export interface ControlSocket {
  /** Hang up those attached, and remove the socket. */
  close(): void;
}

/** Listen. @throws CommandError when the socket cannot be made */
export async function listen(
  path: string,
  userland: Userland,
  login: readonly string[],
): Promise<ControlSocket> {
  await removeStale(path);
  const attached = new Set<Attachment>();
  const server = net.createServer((socket) => {
    const attachment = new Attachment(socket, userland, login, () => attached.delete(attachment));
    attached.add(attachment);
  });
  // Nobody else may connect, not even between bind and chmod.
  const mask = process.umask(0o777 & ~SOCKET_MODE);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    throw new CommandError(`cannot listen on ${path}: ${(error as Error).message}`, EXIT_FAILED);
  } finally {
    process.umask(mask);
  }
  return {
    close() {
      for (const attachment of attached) attachment.close();
      server.close();
    },
  };
}

/** A socket left behind by a machine that is gone is removed; one that answers is somebody's. */
async function removeStale(path: string): Promise<void> {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new CommandError(`${path} is there already, and is no socket`, EXIT_FAILED);
  const answered = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (answered) throw new CommandError(`a machine listens on ${path} already`, EXIT_FAILED);
  fs.unlinkSync(path);
}

/** One who is attached: frames on a socket, a terminal behind them. */
class Attachment {
  readonly #socket: net.Socket;
  readonly #userland: Userland;
  readonly #login: readonly string[];
  #session: TerminalSession | undefined;
  #refused = false;

  constructor(socket: net.Socket, userland: Userland, login: readonly string[], gone: () => void) {
    this.#socket = socket;
    this.#userland = userland;
    this.#login = login;
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      // Whoever was refused may go on sending, but is not listened to.
      if (this.#refused) return;
      try {
        for (const frame of reader.push(chunk)) this.#take(frame);
      } catch (error) {
        this.#refuse(error);
      }
    });
    // The connection may end at any time; the session is hung up then.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#session?.hangup();
      gone();
    });
  }

  close(): void {
    this.#session?.hangup();
    this.#socket.destroy();
  }

  #take({ type, payload }: Frame): void {
    const session = this.#session;
    if (type === FRAME_HELLO && session === undefined) this.#start(payload);
    else if (session === undefined) throw new Error('HELLO comes first');
    else if (type === FRAME_RESIZE) session.resize(decodeHello(payload));
    else if (type === FRAME_DATA) {
      const written = session.write(payload);
      if (written === undefined) return;
      this.#pauseUntil(written);
    } else throw new Error(`frame of type ${type} out of place`);
  }

  /** Take no more of what is typed until this is done or has failed: then the session has ended. */
  #pauseUntil(written: Promise<void>): void {
    const socket = this.#socket;
    socket.pause();
    // Without reading, only writing tells that the other side is gone.
    const probe = setInterval(() => socket.writable && socket.write(encodeFrame(FRAME_DATA, '')), PROBE_MS);
    const resume = () => {
      clearInterval(probe);
      socket.resume();
    };
    written.then(resume, resume);
  }

  #start(payload: Uint8Array): void {
    const hello = decodeHello(payload);
    const session = new TerminalSession(this.#userland, this.#login, loginEnvironment(hello.term), {
      size: hello,
      output: (bytes) => this.#send(FRAME_DATA, bytes),
    });
    this.#session = session;
    session.done.then(
      ({ code }) => this.#socket.end(encodeFrame(FRAME_EXIT, JSON.stringify({ code }))),
      (error) => this.#refuse(error),
    );
  }

  #send(type: number, payload: Uint8Array): void | Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(encodeFrame(type, payload))) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        this.#socket.off('drain', go);
        this.#socket.off('close', go);
        resolve();
      };
      this.#socket.once('drain', go);
      this.#socket.once('close', go);
    });
  }

  #refuse(error: unknown): void {
    this.#refused = true;
    const text = error instanceof Error ? error.message : String(error);
    this.#socket.write(encodeFrame(FRAME_REFUSED, text));
    this.#socket.destroySoon();
    this.#session?.hangup();
  }
}
