/** A server whose device is the test: requests as Linux would send them, or would never. */
import { boot, type BootOptions, type Machine } from '../../host/index.ts';
import type { ServeOptions } from '../../host/fuse/options.ts';
import * as fuse from '../../host/fuse/protocol.ts';
import { Server } from '../../host/fuse/server.ts';

export interface Reply {
  /** 0, or an errno as a positive number. */
  readonly error: number;
  readonly body: Buffer;
  readonly unique: bigint;
}

export interface Who {
  uid?: number;
  gid?: number;
  pid?: number;
}

export class Rig {
  readonly machine: Machine;
  readonly server: Server;
  /** Answers that nobody has taken yet. */
  readonly replies: Reply[] = [];
  #unique = 2n;

  static async start(options: BootOptions = {}, serve: Partial<ServeOptions> = {}): Promise<Rig> {
    const rig = new Rig(await boot({ flavour: 'up-debug', ram: 16 << 20, ...options }), serve);
    rig.init();
    return rig;
  }

  constructor(machine: Machine, serve: Partial<ServeOptions>) {
    this.machine = machine;
    const transport = {
      read: () => 0,
      write: (bytes: Uint8Array, length: number) =>
        void this.replies.push(decode(Buffer.from(bytes.slice(0, length)))),
    };
    this.server = new Server(machine, '/mnt', transport, serve);
  }

  init(): Reply {
    return this.ask(
      fuse.FUSE_INIT,
      0,
      bytes32(fuse.FUSE_MAJOR, fuse.FUSE_MINOR, 131072, 0xffffffff, 0, ...new Array(11).fill(0)),
    );
  }

  /** Bytes as they come from the device. */
  raw(bytes: Uint8Array): void {
    this.server.request.bytes.set(bytes);
    this.server.serve(bytes.length);
  }

  /** Send a request; its unique number. */
  send(opcode: number, nodeid: number | bigint, body: Uint8Array = Buffer.alloc(0), who: Who = {}): bigint {
    const unique = this.#unique;
    this.#unique += 2n;
    const head = Buffer.alloc(fuse.FUSE_IN_HEADER);
    head.writeUInt32LE(head.length + body.length, fuse.IN_LEN);
    head.writeUInt32LE(opcode, fuse.IN_OPCODE);
    head.writeBigUInt64LE(unique, fuse.IN_UNIQUE);
    head.writeBigUInt64LE(BigInt(nodeid), fuse.IN_NODEID);
    head.writeUInt32LE(who.uid ?? 0, fuse.IN_UID);
    head.writeUInt32LE(who.gid ?? 0, fuse.IN_GID);
    head.writeUInt32LE(who.pid ?? 0, fuse.IN_PID);
    this.raw(Buffer.concat([head, body]));
    return unique;
  }

  /** Send a request, and have its answer. */
  ask(opcode: number, nodeid: number | bigint, body?: Uint8Array, who?: Who): Reply {
    const unique = this.send(opcode, nodeid, body, who);
    const reply = this.take(unique);
    if (reply === undefined) throw new Error(`no answer to opcode ${opcode}`);
    return reply;
  }

  /** The answer to a request, if there is one. */
  take(unique: bigint): Reply | undefined {
    const at = this.replies.findIndex((reply) => reply.unique === unique);
    return at < 0 ? undefined : this.replies.splice(at, 1)[0];
  }

  /** The node of a name. */
  lookup(parent: number, name: string, who?: Who): number {
    const { error, body } = this.ask(fuse.FUSE_LOOKUP, parent, text(name), who);
    if (error !== 0) throw new Error(`lookup of ${name}: ${error}`);
    return Number(body.readBigUInt64LE(fuse.ENTRY_NODEID));
  }

  create(parent: number, name: string, flags: number, mode = 0o644, who?: Who): { id: number; fh: number } {
    const { error, body } = this.ask(
      fuse.FUSE_CREATE,
      parent,
      Buffer.concat([bytes32(flags, mode, 0, 0), text(name)]),
      who,
    );
    if (error !== 0) throw new Error(`create of ${name}: ${error}`);
    return {
      id: Number(body.readBigUInt64LE(fuse.ENTRY_NODEID)),
      fh: Number(body.readBigUInt64LE(fuse.ENTRY_OUT + fuse.OPEN_OUT_FH)),
    };
  }

  mkdir(parent: number, name: string): number {
    const { error, body } = this.ask(fuse.FUSE_MKDIR, parent, Buffer.concat([bytes32(0o755, 0), text(name)]));
    if (error !== 0) throw new Error(`mkdir of ${name}: ${error}`);
    return Number(body.readBigUInt64LE(fuse.ENTRY_NODEID));
  }

  forget(id: number, times: number): void {
    this.send(fuse.FUSE_FORGET, id, bytes64(times));
  }

  /** Everything is let go of: nothing may be left in the kernel. */
  end(): void {
    this.server.close();
    this.machine.shutdown();
  }
}

function decode(bytes: Buffer): Reply {
  if (bytes.readUInt32LE(fuse.OUT_LEN) !== bytes.length)
    throw new Error('an answer has another length than it says');
  return {
    error: Math.abs(bytes.readInt32LE(fuse.OUT_ERROR)),
    unique: bytes.readBigUInt64LE(fuse.OUT_UNIQUE),
    body: bytes.subarray(fuse.FUSE_OUT_HEADER),
  };
}

export function bytes32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, i * 4);
  return bytes;
}

export function bytes64(...values: (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), i * 8);
  return bytes;
}

/** Names, a NUL after each. */
export function text(...names: string[]): Buffer {
  return Buffer.from(names.map((name) => `${name}\0`).join(''));
}

/** The body of SETLK and its kin. */
export function lock(
  fh: number,
  owner: bigint,
  type: number,
  start = 0,
  end = 99,
  flags = 0,
  pid = 1,
): Buffer {
  return Buffer.concat([bytes64(fh, owner, start, end), bytes32(type, pid, flags, 0)]);
}
