/** /dev/fuse as a server's transport. */
import fs from 'node:fs';
import type { Transport } from './server.ts';

/** Linux took the request back before it could be read, or nobody waits for an answer any more. */
const GIVEN_UP = new Set(['ENOENT', 'EINTR', 'EAGAIN']);
/** Unmounted, or the connection was aborted. */
const OVER = new Set(['ENODEV', 'ECONNABORTED']);

/** @param fd  open on /dev/fuse, and mounted */
export function deviceTransport(fd: number): Transport {
  return {
    read(into) {
      for (;;) {
        try {
          return fs.readSync(fd, into);
        } catch (error) {
          const { code = '' } = error as NodeJS.ErrnoException;
          if (OVER.has(code)) return 0;
          if (!GIVEN_UP.has(code)) throw error;
        }
      }
    },
    write(bytes, length) {
      try {
        fs.writeSync(fd, bytes, 0, length);
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!GIVEN_UP.has(code) && !OVER.has(code)) throw error;
      }
    },
  };
}
