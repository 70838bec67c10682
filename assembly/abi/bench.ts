/**
 * bench_loop's operations and their parameters, and the counters a benchmark reads. Compiled by
 * asc and by tsc alike.
 *
 * The names of a benchmark's directory are BENCH_NAME_PREFIX and eight lower-case hexadecimal
 * digits, most significant first, of 0 … names - 1. A lookup draws its name so, from a 32-bit
 * state that is never zero:
 *
 *     x ^= x << 13;  x ^= x >>> 17;  x ^= x << 5             (Marsaglia's xorshift, 13-17-5)
 *     hot = 0:  index = (x × names) >> 32
 *     hot > 0:  index = ((x × hot) >> 32) × floor(names / hot)
 *
 * so that a hot set lies spread over the whole directory.
 */

/** A bare call_indirect of an empty function with a VOP's signature: what dispatch is measured by. */
export const BENCH_CALL_INDIRECT = 1;
/** The same function called through a vop_* wrapper and an fsmanage's slot. */
export const BENCH_VOP_DISPATCH = 2;
/** The whole of sys_stat on the path at SA_PATH1, struct stat at SA_DATA included. */
export const BENCH_STAT = 3;
/** Draws and writes names and looks none up: what BENCH_LOOKUP costs besides its lookups. */
export const BENCH_NAMES = 4;
/** Looks names up in the directory whose path is at SA_PATH1; the first that is missing ends the
 *  loop with -ENOENT. */
export const BENCH_LOOKUP = 5;
/** Loads words from random places of the RAM that has been used, each place depending on the word
 *  before: what one miss of the processor's caches costs. BL_STATE alone counts. */
export const BENCH_LOAD = 6;

// ── parameters of BENCH_NAMES and BENCH_LOOKUP at SA_DATA ───────────────────────────────────
export const BL_NAMES = 0; // u32  names in the directory, at least 1
export const BL_HOT = 4; //   u32  size of the hot set, at most BL_NAMES; 0: draw from all names
export const BL_STATE = 8; // u32  the generator's state, not zero; written back by the call
export const BL_LEN = 12;

export const BENCH_NAME_PREFIX = 0x66; // "f"
export const BENCH_NAME_LEN = 9;

// ── counters (counter_get, counter_set) ─────────────────────────────────────────────────────
/** Names looked up in the namecache since boot, by this CPU. */
export const CTR_LOOKUPS = 1;
/** Hash-table entries compared by those lookups, the directory index of tmpfs included. */
export const CTR_PROBES = 2;
