/** Attributes: struct stat as the kernel leaves it in the syscall area, as Linux wants it in an answer. */
import {
  SA_DATA,
  ST_ATIME,
  ST_ATIME_NS,
  ST_BLKSIZE,
  ST_BLOCKS,
  ST_CTIME,
  ST_CTIME_NS,
  ST_GID,
  ST_INO,
  ST_MODE,
  ST_MTIME,
  ST_MTIME_NS,
  ST_NLINK,
  ST_RDEV,
  ST_SIZE,
  ST_UID,
} from '../../assembly/abi/layout.ts';
import type { Cpu } from '../machine/cpu.ts';
import { numberOf } from './nodes.ts';
import * as fuse from './protocol.ts';
import type { Answer } from './request.ts';

/** A time for which an answer is good: whole seconds, and nanoseconds. */
export interface Timeout {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export const NOT_AT_ALL: Timeout = { seconds: 0, nanoseconds: 0 };

export function timeoutOf(seconds: number): Timeout {
  const whole = Math.floor(seconds);
  return { seconds: whole, nanoseconds: Math.floor((seconds - whole) * 1e9) };
}

/** Write `attr` of an answer from the stat in the area. */
export function putAttr(answer: Answer, at: number, cpu: Cpu, id: number): void {
  const { f64, u32 } = cpu;
  const d = (cpu.area + SA_DATA) >>> 3;
  const w = (cpu.area + SA_DATA) >>> 2;
  const ino = f64[d + (ST_INO >> 3)];
  answer.put64(at + fuse.ATTR_INO, numberOf(id, ino));
  answer.put64(at + fuse.ATTR_LENGTH, f64[d + (ST_SIZE >> 3)]);
  answer.put64(at + fuse.ATTR_BLOCKS, f64[d + (ST_BLOCKS >> 3)]);
  answer.put64(at + fuse.ATTR_ATIME, f64[d + (ST_ATIME >> 3)]);
  answer.put64(at + fuse.ATTR_MTIME, f64[d + (ST_MTIME >> 3)]);
  answer.put64(at + fuse.ATTR_CTIME, f64[d + (ST_CTIME >> 3)]);
  answer.put32(at + fuse.ATTR_ATIME_NS, u32[w + (ST_ATIME_NS >> 2)]);
  answer.put32(at + fuse.ATTR_MTIME_NS, u32[w + (ST_MTIME_NS >> 2)]);
  answer.put32(at + fuse.ATTR_CTIME_NS, u32[w + (ST_CTIME_NS >> 2)]);
  answer.put32(at + fuse.ATTR_MODE, u32[w + (ST_MODE >> 2)]);
  answer.put32(at + fuse.ATTR_NLINK, f64[d + (ST_NLINK >> 3)]);
  answer.put32(at + fuse.ATTR_UID, u32[w + (ST_UID >> 2)]);
  answer.put32(at + fuse.ATTR_GID, u32[w + (ST_GID >> 2)]);
  answer.put32(at + fuse.ATTR_RDEV, f64[d + (ST_RDEV >> 3)]);
  answer.put32(at + fuse.ATTR_BLKSIZE, u32[w + (ST_BLKSIZE >> 2)]);
  answer.put32(at + fuse.ATTR_BLKSIZE + 4, 0);
}

export function putAttrOut(answer: Answer, cpu: Cpu, id: number, valid: Timeout): number {
  answer.put64(fuse.ATTR_OUT_VALID, valid.seconds);
  answer.put32(fuse.ATTR_OUT_VALID_NS, valid.nanoseconds);
  answer.put32(fuse.ATTR_OUT_VALID_NS + 4, 0);
  putAttr(answer, fuse.ATTR_OUT_ATTR, cpu, id);
  return fuse.ATTR_OUT;
}
