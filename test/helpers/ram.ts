/**
 * A machine's RAM, checked from outside: the page table against itself, frame by frame.
 */
import {
  BB_FRAMES_FREE,
  BB_FRAMES_TOTAL,
  BB_PAGES,
  BOOTBLOCK,
  PAGE_SHIFT,
  PAGE_SIZE,
  PG_FLAGS,
  PG_FREE,
  VMPAGE_SIZE,
} from '../../assembly/abi/layout.ts';

/** The views of a machine's RAM that the check needs. */
export interface Ram {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
}

export interface FrameCount {
  total: number;
  free: number;
  kernel: number;
  zone: number;
  file: number;
}

// The words of a VmPage and the kinds of frames, as assembly/vm/page.ts has them. They are not
// part of the ABI; a change there fails the check at once.
const OWNER = 0;
const INDEX = 1;
const NEXT = 3;
const PREV = 4;
const FIRST = 5;
const KERNEL = 2;
const ZONE = 4;
const FILE = 8;
const KINDS = KERNEL | ZONE | FILE;

const word = (offset: number) => (BOOTBLOCK + offset) >>> 2;

function fail(what: string, frame: number): never {
  throw new Error(`RAM is inconsistent: ${what} (frame ${frame})`);
}

/** Free objects of a zone's frame: the chain must stay in the frame and be as long as counted. */
function checkZoneFrame({ u32 }: Ram, frame: number, page: number): void {
  const wanted = u32[page + INDEX];
  let n = 0;
  for (let object = u32[page + FIRST]; object !== 0; object = u32[object >>> 2]) {
    if (object >>> PAGE_SHIFT !== frame) fail('a zone frame links to an object of another frame', frame);
    if (++n > wanted) break;
  }
  if (n !== wanted) fail(`a zone frame counts ${wanted} free objects and links ${n}`, frame);
}

/** The frames on the free list, found from any of them; the list is doubly linked. */
function freeListLength({ u32 }: Ram, table: number, head: number): number {
  let n = 0;
  let previous = 0;
  for (let at = head; at !== 0; at = u32[(at >>> 2) + NEXT]) {
    if (u32[(at >>> 2) + PREV] !== previous) fail('the free list is torn', (at - table) / VMPAGE_SIZE);
    if (u32[(at + PG_FLAGS) >>> 2] !== PG_FREE)
      fail('the free list holds a frame in use', (at - table) / VMPAGE_SIZE);
    previous = at;
    n++;
  }
  return n;
}

/**
 * Check the page table: every frame is free, the kernel's, a zone's or a file's; the counts, the
 * free list and the zones' free chains agree; no two pages of a file have one place.
 * Call it between system calls, on a machine whose CPUs cache no objects (up, or a debug flavour).
 * @throws Error naming the first frame that is wrong
 */
export function checkRam(ram: Ram): FrameCount {
  const { u32 } = ram;
  const table = u32[word(BB_PAGES)];
  const total = u32[word(BB_FRAMES_TOTAL)];
  const count: FrameCount = { total, free: 0, kernel: 0, zone: 0, file: 0 };
  if (total * PAGE_SIZE !== ram.u8.length) fail('the frames are not all of RAM', total);
  const places = new Set<number>();
  let heads = 0;
  let head = 0;
  let linked = 0;
  let lastUsed = 0;
  for (let frame = 0; frame < total; frame++) {
    const at = table + frame * VMPAGE_SIZE;
    const page = at >>> 2;
    const flags = u32[(at + PG_FLAGS) >>> 2];
    const kind = flags & KINDS;
    if (flags === PG_FREE) {
      count.free++;
      if (u32[page + NEXT] !== 0 || u32[page + PREV] !== 0) linked++;
      if (u32[page + NEXT] !== 0 && u32[page + PREV] === 0) {
        heads++;
        head = at;
      }
      continue;
    }
    lastUsed = frame;
    if (kind === KERNEL) count.kernel++;
    else if (kind === ZONE) {
      count.zone++;
      checkZoneFrame(ram, frame, page);
    } else if (kind === FILE) {
      count.file++;
      const owner = u32[page + OWNER];
      const place = owner * 2 ** 21 + u32[page + INDEX];
      // pages that tmpfs keeps for a file without a vnode have no owner
      if (owner !== 0 && u32[page + INDEX] < 2 ** 21 && places.has(place))
        fail('two pages have one place in a file', frame);
      places.add(place);
    } else fail(`flags ${flags.toString(16)}`, frame);
  }
  if (count.free !== u32[word(BB_FRAMES_FREE)]) {
    fail(`${count.free} frames are free, ${u32[word(BB_FRAMES_FREE)]} are counted`, lastUsed);
  }
  if (heads > 1) fail('there are two free lists', lastUsed);
  if (heads === 1 && freeListLength(ram, table, head) !== linked)
    fail('free frames are linked outside the free list', lastUsed);
  return count;
}
