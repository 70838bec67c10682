/** `damselfly attach SOCK`: log in on a machine that another `damselfly boot --control SOCK` runs. */
import net from 'node:net';
import { CommandError, EXIT_FAILED, EXIT_USAGE } from './errors.ts';
import { isInteractive, show, takeKeyboard } from './terminal.ts';
import {
  decodeExit,
  encodeFrame,
  FRAME_DATA,
  FRAME_EXIT,
  FRAME_HELLO,
  FRAME_REFUSED,
  FRAME_RESIZE,
  FrameReader,
} from './wire.ts';

/** @returns the exit code of the session */
export async function attachCommand(path: string): Promise<number> {
  if (!isInteractive()) {
    throw new CommandError('attach needs a terminal on standard input and output', EXIT_USAGE);
  }
  const socket = await connect(path);
  const keyboard = takeKeyboard(
    (bytes) => send(socket, encodeFrame(FRAME_DATA, bytes)),
    (size) => void send(socket, encodeFrame(FRAME_RESIZE, JSON.stringify(size))),
  );
  try {
    const hello = { ...keyboard.size(), term: process.env.TERM ?? 'dumb' };
    await send(socket, encodeFrame(FRAME_HELLO, JSON.stringify(hello)));
    return await follow(socket, path);
  } finally {
    keyboard.release();
    socket.destroy();
  }
}

async function connect(path: string): Promise<net.Socket> {
  const socket = net.connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) =>
      reject(new CommandError(`no machine answers on ${path}: ${error.message}`, EXIT_FAILED)),
    );
  });
  return socket;
}

function send(socket: net.Socket, frame: Uint8Array): void | Promise<void> {
  if (socket.destroyed || socket.write(frame)) return undefined;
  return new Promise((resolve) => socket.once('drain', () => resolve()));
}

/** Show what the machine says, to the end. */
async function follow(socket: net.Socket, path: string): Promise<number> {
  const reader = new FrameReader();
  try {
    for await (const chunk of socket) {
      for (const { type, payload } of reader.push(chunk as Uint8Array)) {
        if (type === FRAME_DATA) await show(payload);
        else if (type === FRAME_EXIT) return decodeExit(payload);
        else if (type === FRAME_REFUSED) {
          throw new CommandError(`${path}: ${new TextDecoder().decode(payload)}`, EXIT_FAILED);
        }
      }
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path}: ${(error as Error).message}`, EXIT_FAILED);
  }
  throw new CommandError(`the machine behind ${path} has gone`, EXIT_FAILED);
}
