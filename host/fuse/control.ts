/**
 * How others find the server of a mount and learn of its end: a socket, named by the device number of the mount,
 * in a directory of the server's user. Whoever connects is told, when all is written, how it went, and the
 * connection's end is the server's.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** Where the sockets of a user's servers are. */
export function runDirectory(uid: number): string {
  if (uid === 0) return '/run/damselfly';
  const own = process.env.XDG_RUNTIME_DIR;
  if (own !== undefined && uid === process.getuid?.()) return path.join(own, 'damselfly');
  return fs.existsSync(`/run/user/${uid}`) ? `/run/user/${uid}/damselfly` : `/tmp/damselfly-${uid}`;
}

const socketOf = (uid: number, dev: number) => path.join(runDirectory(uid), `${dev}.sock`);

export interface Control {
  /** Tell those who wait, and be gone. */
  end(problem: string | undefined): void;
}

/** @param dev  st_dev of what is mounted */
export function listen(dev: number): Control | undefined {
  const uid = process.getuid?.() ?? 0;
  const file = socketOf(uid, dev);
  const waiting = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => waiting.delete(socket));
  });
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.rmSync(file, { force: true });
  } catch {
    return undefined;
  }
  // without it umount(8) still works: only nobody can wait for the end
  server.on('error', () => undefined);
  server.listen(file);
  server.unref();
  return {
    end(problem) {
      for (const socket of waiting) socket.end(problem === undefined ? 'done\n' : `${problem}\n`);
      server.close();
      fs.rmSync(file, { force: true });
    },
  };
}

export interface Watched {
  /** The server's end: undefined if all was written, or what went wrong. */
  readonly ended: Promise<string | undefined>;
  /** It is not waited for. */
  close(): void;
}

/** Connect to the server of a mount; null: there is none. */
export async function connect(uid: number, dev: number): Promise<Watched | null> {
  const socket = net.connect(socketOf(uid, dev));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch {
    return null;
  }
  const ended = new Promise<string | undefined>((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (text === 'done\n') resolve(undefined);
      else resolve(text.trim() === '' ? 'the server ended without a word' : text.trim());
    });
  });
  return { ended, close: () => void socket.destroy() };
}
