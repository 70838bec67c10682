/**
 * What the threads of a served machine share: requests that were read and are to be worked on.
 *
 *     reader ─ read(2), length, HEAD ─→ slot ─→ the serving thread: works on it, TAIL ─→ slot free
 *                                         └─ watcher: takes one that would never be worked on
 *
 * R1. A slot between TAIL and HEAD is the serving thread's, once it has taken its length (an exchange with 0);
 *     whoever takes the length first answers the request.
 * R2. AWAKE is 1 from the reader's message until the serving thread has found nothing more to do, so there is
 *     one message for however many requests came meanwhile, and none gets lost.
 */
import { MAX_REQUEST } from '../server.ts';

export const SLOTS = 16;

// words
export const HEAD = 0; //    requests read so far
export const TAIL = 1; //    requests worked on so far
export const AWAKE = 2; //   the serving thread has been told
export const ENDED = 3; //   the reader: nothing is mounted any more
export const LENGTHS = 4; // by slot: bytes of the request; 0: taken
const WORDS = LENGTHS + SLOTS;

export interface Ring {
  readonly words: Int32Array;
  readonly slots: readonly SharedArrayBuffer[];
}

export function makeRing(): Ring {
  return {
    words: new Int32Array(new SharedArrayBuffer(4 * WORDS)),
    slots: Array.from({ length: SLOTS }, () => new SharedArrayBuffer(MAX_REQUEST)),
  };
}

/** Which slot the request with this number is in: numbers wrap, and SLOTS divides 2^32. */
export const slotOf = (count: number): number => (count >>> 0) % SLOTS;
