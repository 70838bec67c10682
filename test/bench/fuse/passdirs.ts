/** Listings of the pass-through: a directory's entries are read when it is first listed, and kept while it is open. */
import fs from 'node:fs';
import { EBADF } from '../../../assembly/abi/errno.ts';
import * as fuse from '../../../host/fuse/protocol.ts';
import type { Request } from '../../../host/fuse/request.ts';
import type { PassFs } from './passops.ts';

interface OpenDirectory {
  readonly path: string;
  entries: readonly fs.Dirent[] | undefined;
}

const [DT_DIR, DT_REG, DT_LNK] = [4, 8, 10];

export class PassDirectories {
  readonly #open = new Map<number, OpenDirectory>();
  #last = 0;

  /** @returns a handle */
  open(path: string): number {
    this.#open.set(++this.#last, { path, entries: undefined });
    return this.#last;
  }

  close(handle: number): boolean {
    return this.#open.delete(handle);
  }

  /** As many entries as fit, each preceded by `extra` bytes of an entry's attributes. */
  list(pass: PassFs, request: Request, extra: number): number {
    const directory = this.#open.get(request.u64(fuse.READ_IN_FH));
    if (directory === undefined) return -EBADF;
    const size = request.u32(fuse.READ_IN_SIZE);
    const from = request.u64(fuse.READ_IN_OFFSET);
    if (from === 0 || directory.entries === undefined)
      directory.entries = fs.readdirSync(directory.path, { withFileTypes: true });
    let used = 0;
    for (let i = from; i < directory.entries.length; i++) {
      const next = put(pass, directory, i, { used, size, extra });
      if (next === used) break;
      used = next;
    }
    return used;
  }
}

/** Entry `i` into the answer; `used` stays where it does not fit. */
function put(
  pass: PassFs,
  { path, entries }: OpenDirectory,
  i: number,
  { used, size, extra }: { used: number; size: number; extra: number },
): number {
  const { answer } = pass;
  const entry = (entries as fs.Dirent[])[i];
  const at = used + extra;
  const length = Buffer.byteLength(entry.name);
  const end = at + ((fuse.DIRENT + length + 7) & ~7);
  if (end > size) return used;
  let ino = 0;
  if (extra !== 0) {
    const name = `${path}/${entry.name}`;
    const stats = fs.lstatSync(name, { throwIfNoEntry: false });
    if (stats === undefined) answer.zero(used, fuse.ENTRY_OUT);
    else {
      pass.tell(name, stats, used);
      ino = pass.idOf(stats);
    }
  }
  // Dirents tell no number; where none is asked for with the rest, any but 0 will do
  answer.put64(at + fuse.DIRENT_INO, ino || i + 1);
  answer.put64(at + fuse.DIRENT_OFF, i + 1);
  answer.put32(at + fuse.DIRENT_NAMELEN, length);
  answer.put32(
    at + fuse.DIRENT_TYPE,
    entry.isDirectory() ? DT_DIR : entry.isSymbolicLink() ? DT_LNK : DT_REG,
  );
  Buffer.from(answer.body.buffer, answer.body.byteOffset).write(entry.name, at + fuse.DIRENT);
  answer.body.fill(0, at + fuse.DIRENT + length, end);
  return end;
}
