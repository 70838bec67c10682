/**
 * The threads beside the one that has the machine. Both may block in the device; neither enters the machine.
 *
 * The reader reads requests, and hands them over by the ring. One that the serving thread makes itself, by a
 * synchronous call on the directory that it serves, could never be worked on: it is refused here. (EBUSY: what
 * EDEADLK is Node cannot tell.)
 *
 * The notifier writes what Linux is to forget. Linux may not take that before a request that is under way has
 * its answer, so whoever answers must not be who waits here. It also watches that requests are worked on.
 */
import fs from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { EBUSY, EDEADLK } from '../../../assembly/abi/errno.ts';
import { deviceTransport } from '../device.ts';
import * as fuse from '../protocol.ts';
import { descendsFrom, isAsleep } from './procs.ts';
import { AWAKE, ENDED, HEAD, LENGTHS, type Ring, SLOTS, slotOf, TAIL } from './ring.ts';
import { UNWAITED } from './unwaited.ts';

export interface ThreadConfig {
  readonly role: 'reader' | 'notifier';
  readonly ring: Ring;
  /** /dev/fuse, mounted. */
  readonly fd: number;
  readonly directory: string;
  /** The serving thread, as Linux counts threads. */
  readonly servingTid: number;
}

export type FromReader = 'requests' | 'refused' | 'ended' | { readonly failed: string };

const STUCK_MS = 2500;

/** An answer without a body. @param errno  0: it is done */
function answerOf(request: Uint32Array, errno: number): Uint8Array {
  const answer = new Uint32Array(fuse.FUSE_OUT_HEADER >> 2);
  answer[fuse.OUT_LEN >> 2] = fuse.FUSE_OUT_HEADER;
  answer[fuse.OUT_ERROR >> 2] = -errno;
  answer[fuse.OUT_UNIQUE >> 2] = request[fuse.IN_UNIQUE >> 2];
  answer[(fuse.OUT_UNIQUE >> 2) + 1] = request[(fuse.IN_UNIQUE >> 2) + 1];
  return new Uint8Array(answer.buffer);
}

function read(
  { ring: { words, slots }, fd, servingTid }: ThreadConfig,
  say: (what: FromReader) => void,
): void {
  const device = deviceTransport(fd);
  const bytes = slots.map((slot) => new Uint8Array(slot));
  const heads = slots.map((slot) => new Uint32Array(slot, 0, fuse.FUSE_IN_HEADER >> 2));
  let locks = false;
  for (let head = 0; ; ) {
    for (;;) {
      const tail = Atomics.load(words, TAIL);
      if (((head - tail) | 0) < SLOTS) break;
      Atomics.wait(words, TAIL, tail);
    }
    const slot = slotOf(head);
    const length = device.read(bytes[slot]);
    if (length === 0) return;
    const request = heads[slot];
    if (request[fuse.IN_PID >> 2] === servingTid && !UNWAITED.has(request[fuse.IN_OPCODE >> 2])) {
      device.write(answerOf(request, EBUSY), fuse.FUSE_OUT_HEADER);
      say('refused');
      continue;
    }
    const opcode = request[fuse.IN_OPCODE >> 2];
    locks ||= opcode === fuse.FUSE_SETLK || opcode === fuse.FUSE_SETLKW;
    // a close matters to locks only; whoever starts a program waits until that has closed what it inherited
    if (opcode === fuse.FUSE_FLUSH && !locks) {
      device.write(answerOf(request, 0), fuse.FUSE_OUT_HEADER);
      continue;
    }
    Atomics.store(words, LENGTHS + slot, length);
    head = (head + 1) | 0;
    Atomics.store(words, HEAD, head);
    if (Atomics.exchange(words, AWAKE, 1) === 0) say('requests');
  }
}

/** Messages one behind the other in `batch`. What Linux does not know any more it says, and that is well. */
function notify(fd: number, batch: Uint8Array): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at < batch.length; ) {
    const length = view.getUint32(at + fuse.OUT_LEN, true);
    try {
      fs.writeSync(fd, batch, at, length);
    } catch {
      // ENOENT: not cached; ENODEV: unmounted; EINVAL: this Linux has no such notification
    }
    at += length;
  }
}

/**
 * Nothing was worked on for a while, and there are requests. If the serving thread sleeps and a program that it
 * started is who asks, it probably waits for that program (execSync, spawnSync): neither would ever go on. The
 * program is refused then.
 */
function watch(config: ThreadConfig): void {
  const { ring, fd, servingTid, directory } = config;
  const { words, slots } = ring;
  // where it stood the last time, if requests waited then
  let seen: number | undefined;
  let told = false;
  setInterval(() => {
    const tail = Atomics.load(words, TAIL);
    const waiting = Atomics.load(words, HEAD) !== tail;
    const stuck = waiting && tail === seen;
    seen = waiting ? tail : undefined;
    if (!stuck || !isAsleep(servingTid)) return;
    for (let at = tail; at !== Atomics.load(words, HEAD); at = (at + 1) | 0) {
      const slot = slotOf(at);
      const request = new Uint32Array(slots[slot], 0, fuse.FUSE_IN_HEADER >> 2);
      if (UNWAITED.has(request[fuse.IN_OPCODE >> 2])) continue;
      if (!descendsFrom(request[fuse.IN_PID >> 2], process.pid)) continue;
      if (Atomics.exchange(words, LENGTHS + slot, 0) === 0) continue;
      deviceTransport(fd).write(answerOf(request, EDEADLK), fuse.FUSE_OUT_HEADER);
      if (!told)
        fs.writeSync(
          2,
          `damselfly: ${directory} is served by a thread that waits for a program, which waits for it: EDEADLK\n`,
        );
      told = true;
    }
  }, STUCK_MS).unref();
}

const config = workerData as ThreadConfig;
const port = parentPort;
if (port === null) throw new Error('this is a worker');
if (config.role === 'reader') {
  let last: FromReader = 'ended';
  try {
    read(config, (what) => port.postMessage(what));
  } catch (error) {
    last = { failed: (error as Error).message };
  }
  Atomics.store(config.ring.words, ENDED, 1);
  Atomics.notify(config.ring.words, ENDED);
  port.postMessage(last);
} else {
  watch(config);
  port.on('message', (batch: Uint8Array) => {
    notify(config.fd, batch);
    port.postMessage('done');
  });
}
