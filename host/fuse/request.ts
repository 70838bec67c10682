/**
 * A request in the buffer that it was read into, and its answer in another: fields by their offsets, names
 * and data as what they must be, or nothing. Everything here was sent by somebody else: what is too short
 * or has no end is found out, and nothing outside the request is ever looked at.
 */
import { EINVAL, ENAMETOOLONG } from '../../assembly/abi/errno.ts';
import { NAME_MAX } from '../../assembly/abi/flags.ts';
import {
  FUSE_BATCH_FORGET,
  FUSE_FORGET,
  FUSE_IN_HEADER,
  FUSE_INTERRUPT,
  FUSE_OUT_HEADER,
  IN_GID,
  IN_LEN,
  IN_NODEID,
  IN_OPCODE,
  IN_PID,
  IN_UID,
  IN_UNIQUE,
} from './protocol.ts';

const HIGH = 2 ** 32;

/** What an operation returns when its answer is sent later, or there is none. */
export const NO_ANSWER = -0x10000;

export class Request {
  /** What the device's bytes are read into. */
  readonly bytes: Uint8Array;
  readonly #u32: Uint32Array;
  /** Bytes of the request, its header included. */
  length = 0;
  /** Of the last name that was taken: where it is in {@link bytes}, and how long. */
  nameAt = 0;
  nameLength = 0;

  /** @param buffer  where requests are read into, with room for the largest; its size is a multiple of 8 */
  constructor(buffer: ArrayBufferLike) {
    this.bytes = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
  }

  /** `length` bytes were read: are they one request? */
  arrived(length: number): boolean {
    this.length = length;
    return length >= FUSE_IN_HEADER && this.#u32[IN_LEN >> 2] === length;
  }

  /** How many bytes it has, by its own word. */
  get claimed(): number {
    return this.#u32[IN_LEN >> 2];
  }
  /** Is it one that has no answer? */
  get unanswered(): boolean {
    return this.opcode === FUSE_FORGET || this.opcode === FUSE_BATCH_FORGET || this.opcode === FUSE_INTERRUPT;
  }
  get opcode(): number {
    return this.#u32[IN_OPCODE >> 2];
  }
  get uniqueLow(): number {
    return this.#u32[IN_UNIQUE >> 2];
  }
  get uniqueHigh(): number {
    return this.#u32[(IN_UNIQUE >> 2) + 1];
  }
  get nodeid(): number {
    return this.#u32[IN_NODEID >> 2] + this.#u32[(IN_NODEID >> 2) + 1] * HIGH;
  }
  get uid(): number {
    return this.#u32[IN_UID >> 2];
  }
  get gid(): number {
    return this.#u32[IN_GID >> 2];
  }
  get pid(): number {
    return this.#u32[IN_PID >> 2];
  }

  /** Bytes of the body. */
  get bodyLength(): number {
    return this.length - FUSE_IN_HEADER;
  }

  /** A field of the body. One that lies behind the request's end is what an earlier request left there: a
   *  body's length is checked against its struct before any of its fields counts. */
  u32(offset: number): number {
    return this.#u32[(FUSE_IN_HEADER + offset) >> 2];
  }

  /** A u64 as a number: exact to 2^53, and beyond that still as large as it is. */
  u64(offset: number): number {
    const at = (FUSE_IN_HEADER + offset) >> 2;
    return this.#u32[at] + this.#u32[at + 1] * HIGH;
  }

  /** A u64 that is a number of somebody else's, such as a lock's owner. */
  key(offset: number): bigint {
    const at = (FUSE_IN_HEADER + offset) >> 2;
    return (BigInt(this.#u32[at + 1]) << 32n) | BigInt(this.#u32[at]);
  }

  /** An i64, such as seconds before 1970. */
  i64(offset: number): number {
    const at = (FUSE_IN_HEADER + offset) >> 2;
    return this.#u32[at] + (this.#u32[at + 1] | 0) * HIGH;
  }

  /**
   * Take the text at `offset` of the body, which a NUL ends: 0 with nameAt and nameLength set, or -EINVAL.
   */
  text(offset: number): number {
    const at = FUSE_IN_HEADER + offset;
    const { bytes, length } = this;
    let end = at;
    while (end < length && bytes[end] !== 0) end++;
    if (end >= length) return -EINVAL;
    this.nameAt = at;
    this.nameLength = end - at;
    return 0;
  }

  /** The same for a name in a directory: no path, which could lead out of it. */
  name(offset: number): number {
    if (this.text(offset) !== 0 || this.nameLength === 0) return -EINVAL;
    const { bytes, nameAt, nameLength } = this;
    if (nameLength > NAME_MAX) return -ENAMETOOLONG;
    for (let i = 0; i < nameLength; i++) if (bytes[nameAt + i] === 0x2f) return -EINVAL;
    if (bytes[nameAt] === 0x2e && (nameLength === 1 || (nameLength === 2 && bytes[nameAt + 1] === 0x2e)))
      return -EINVAL;
    return 0;
  }

  /** Where in the body the last name's successor begins. */
  get afterName(): number {
    return this.nameAt + this.nameLength + 1 - FUSE_IN_HEADER;
  }
}

export class Answer {
  /** Header and body. */
  readonly bytes: Uint8Array;
  /** The body, for what the kernel copies out. */
  readonly body: Uint8Array;
  readonly #u32: Uint32Array;

  /** @param size  of the largest body */
  constructor(size: number) {
    const buffer = new ArrayBuffer(FUSE_OUT_HEADER + size);
    this.bytes = new Uint8Array(buffer);
    this.body = new Uint8Array(buffer, FUSE_OUT_HEADER);
    this.#u32 = new Uint32Array(buffer);
  }

  put32(offset: number, value: number): void {
    this.#u32[(FUSE_OUT_HEADER + offset) >> 2] = value;
  }

  /** @param value  -2^53 to 2^53, in two's complement if it is negative */
  put64(offset: number, value: number): void {
    const at = (FUSE_OUT_HEADER + offset) >> 2;
    this.#u32[at] = value >>> 0;
    this.#u32[at + 1] = Math.floor(value / HIGH) >>> 0;
  }

  /** The header: `error` 0 or negated, for a body of `length` bytes. */
  head(error: number, length: number, uniqueLow: number, uniqueHigh: number): void {
    this.#u32[0] = FUSE_OUT_HEADER + length;
    this.#u32[1] = error;
    this.#u32[2] = uniqueLow;
    this.#u32[3] = uniqueHigh;
  }

  zero(offset: number, length: number): void {
    this.body.fill(0, offset, offset + length);
  }
}
