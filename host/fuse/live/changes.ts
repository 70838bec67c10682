/**
 * What Linux is to forget: the machine's tree changes by other ways in, and the kernel tells of it (queues of
 * everything, assembly/vfs/inotify.ts, which leave out what this server's own process does).
 *
 *     kernel's queue ─ read(2) that waits ─→ pending, each file and name once ─ one batch at a time ─→ Linux
 *                            └─ overflow, or too many pending ─→ everything
 *
 * C1. A change is told after it is made, and what the server answers afterwards is the new state. Whatever Linux
 *     learned before is either forgotten by the notification, or was the new state already.
 * C2. Only of files that Linux knows is it told.
 */
import { IN_ATTRIB, IN_MODIFY, IN_Q_OVERFLOW } from '../../../assembly/abi/flags.ts';
import { IA_DEV, IA_INO, IA_NAME, INOTIFY_EVENT_SIZE } from '../../../assembly/abi/layout.ts';
import * as fuse from '../protocol.ts';
import type { Server } from '../server.ts';

const BATCH_BYTES = 64 * 1024;
/** Files and names; more at once are everything. */
const PENDING_MAX = 8192;
/** Notifications in one message. */
const SENT_MAX = 1024;

interface Name {
  readonly parent: number;
  readonly name: Buffer;
}

export class Changes {
  readonly #server: Server;
  readonly #send: (batch: Uint8Array) => Promise<void>;
  readonly #fd: number;
  readonly #stop = new AbortController();
  /** By node: is its data out of date too, or only its attributes? */
  readonly #inodes = new Map<number, boolean>();
  readonly #names = new Map<string, Name>();
  #everything = false;
  #sending = false;
  /** Notifications sent so far. */
  sent = 0;

  /** @param send  hands a batch to Linux, and is done when that has taken it */
  constructor(server: Server, send: (batch: Uint8Array) => Promise<void>) {
    this.#server = server;
    this.#send = send;
    const { process } = server;
    process.enter();
    this.#fd = process.exports.proc_inotify_all();
    if (this.#fd < 0) throw process.failure(this.#fd, 'inotify_init');
    this.#listen().catch(() => undefined);
  }

  async #listen(): Promise<void> {
    const { process, cpu, exports } = this.#server;
    const batch = Buffer.alloc(BATCH_BYTES);
    for (;;) {
      const read = () => {
        cpu.spaces[0] = batch;
        return exports.sys_read(this.#fd, 0, 0, batch.length);
      };
      process.enter();
      const count = await process.later(read, this.#stop.signal);
      if (count <= 0) return;
      this.#hear(batch.subarray(0, count));
      void this.#flush();
    }
  }

  #hear(batch: Buffer): void {
    for (let at = 0; at < batch.length; ) {
      const mask = batch.readUInt32LE(at + 4);
      const length = batch.readUInt32LE(at + 12);
      const event = batch.subarray(at + INOTIFY_EVENT_SIZE, at + INOTIFY_EVENT_SIZE + length);
      at += INOTIFY_EVENT_SIZE + length;
      if (mask & IN_Q_OVERFLOW) this.#everything = true;
      else this.#happened(mask, event);
    }
  }

  #happened(mask: number, event: Buffer): void {
    const { nodes } = this.#server;
    const id = nodes.idOf(event.readUInt32LE(IA_DEV), event.readDoubleLE(IA_INO));
    if (id === 0 || !nodes.known(id)) return;
    const name = event.subarray(IA_NAME, event.indexOf(0, IA_NAME));
    if (name.length === 0) {
      const data = (mask & IN_MODIFY) !== 0 || this.#inodes.get(id) === true;
      if (mask & (IN_MODIFY | IN_ATTRIB)) this.#inodes.set(id, data);
    } else {
      // the directory's listing, and its times
      this.#inodes.set(id, true);
      const key = `${id}/${name.toString('latin1')}`;
      if (!this.#names.has(key)) this.#names.set(key, { parent: id, name: Buffer.from(name) });
    }
    if (this.#inodes.size + this.#names.size > PENDING_MAX) this.#everything = true;
  }

  /** Send what is pending, one batch after the other: what comes meanwhile is collected. */
  async #flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#everything || this.#inodes.size + this.#names.size > 0) {
        const batch = this.#everything ? this.#all() : this.#some();
        this.sent += batch.length;
        await this.#send(Buffer.concat(batch));
      }
    } finally {
      this.#sending = false;
    }
  }

  /** Every name, and every file. */
  #all(): Buffer[] {
    this.#everything = false;
    this.#inodes.clear();
    this.#names.clear();
    const batch = [message(fuse.FUSE_NOTIFY_INC_EPOCH, 0)];
    for (const id of this.#server.nodes.ids()) batch.push(inodeMessage(id, true));
    return batch;
  }

  #some(): Buffer[] {
    const batch: Buffer[] = [];
    // names first: whoever asks anew for a file that another has taken the place of is told of that one
    for (const [key, name] of this.#names) {
      if (batch.length === SENT_MAX) return batch;
      this.#names.delete(key);
      batch.push(nameMessage(name));
    }
    for (const [id, data] of this.#inodes) {
      if (batch.length === SENT_MAX) return batch;
      this.#inodes.delete(id);
      batch.push(inodeMessage(id, data));
    }
    return batch;
  }

  /** Told nothing more. */
  close(): void {
    const { process, exports } = this.#server;
    this.#stop.abort();
    process.enter();
    exports.sys_close(this.#fd);
  }
}

function message(code: number, bodyLength: number): Buffer {
  const bytes = Buffer.alloc(fuse.FUSE_OUT_HEADER + bodyLength);
  bytes.writeUInt32LE(bytes.length, fuse.OUT_LEN);
  bytes.writeInt32LE(code, fuse.OUT_ERROR);
  return bytes;
}

function inodeMessage(id: number, data: boolean): Buffer {
  const bytes = message(fuse.FUSE_NOTIFY_INVAL_INODE, fuse.INVAL_INODE);
  bytes.writeBigUInt64LE(BigInt(id), fuse.FUSE_OUT_HEADER + fuse.INVAL_INODE_ID);
  bytes.writeBigInt64LE(data ? 0n : -1n, fuse.FUSE_OUT_HEADER + fuse.INVAL_INODE_OFFSET);
  return bytes;
}

function nameMessage({ parent, name }: Name): Buffer {
  const bytes = message(fuse.FUSE_NOTIFY_INVAL_ENTRY, fuse.INVAL_ENTRY + name.length + 1);
  const body = fuse.FUSE_OUT_HEADER;
  bytes.writeBigUInt64LE(BigInt(parent), body + fuse.INVAL_ENTRY_PARENT);
  bytes.writeUInt32LE(name.length, body + fuse.INVAL_ENTRY_NAMELEN);
  name.copy(bytes, body + fuse.INVAL_ENTRY);
  return bytes;
}
