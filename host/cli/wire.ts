/**
 * What `damselfly attach` and a machine's control socket say to each other: frames of a type, a
 * length and that many bytes.
 *
 *     0      1                5
 *     ├ type ┼ length, u32 LE ┼ payload …
 *
 * The client says HELLO once (JSON: rows, columns, TERM), then DATA as it is typed and RESIZE; the
 * machine says DATA, and at the end EXIT (JSON: code) or REFUSED (text).
 */
export const FRAME_HELLO = 1;
export const FRAME_DATA = 2;
export const FRAME_RESIZE = 3;
export const FRAME_EXIT = 4;
export const FRAME_REFUSED = 5;

const HEADER_BYTES = 5;
/** Longer payloads are refused: nobody types or shows so much at once. */
export const PAYLOAD_MAX = 1 << 20;

export interface Frame {
  type: number;
  payload: Uint8Array;
}

export class FrameError extends Error {}

export function encodeFrame(type: number, payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const frame = new Uint8Array(HEADER_BYTES + bytes.length);
  frame[0] = type;
  new DataView(frame.buffer).setUint32(1, bytes.length, true);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #rest = new Uint8Array(0);

  /** The frames that are complete now. @throws FrameError */
  *push(chunk: Uint8Array): Generator<Frame> {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const type = bytes[at];
      const length = view.getUint32(at + 1, true);
      if (type < FRAME_HELLO || type > FRAME_REFUSED) throw new FrameError(`no frame has type ${type}`);
      if (length > PAYLOAD_MAX) throw new FrameError(`a frame of ${length} bytes is too long`);
      if (bytes.length - at - HEADER_BYTES < length) break;
      yield { type, payload: bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + length) };
      at += HEADER_BYTES + length;
    }
    this.#rest = bytes.slice(at);
  }
}

export interface Hello {
  rows: number;
  columns: number;
  term: string;
}

const TERM_MAX = 64;
const SIZE_MAX = 0xffff;

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= SIZE_MAX;
}

/** What a HELLO or RESIZE says. @throws FrameError */
export function decodeHello(payload: Uint8Array): Hello {
  let value: Partial<Hello> | null;
  try {
    value = JSON.parse(new TextDecoder().decode(payload)) as Partial<Hello> | null;
  } catch {
    throw new FrameError('not JSON');
  }
  const { rows, columns, term = '' } = value ?? {};
  if (!isSize(rows) || !isSize(columns)) throw new FrameError('no window size');
  if (typeof term !== 'string' || term.length > TERM_MAX || /[^\x20-\x7e]/.test(term)) {
    throw new FrameError('TERM makes no sense');
  }
  return { rows, columns, term };
}

/** The code of an EXIT. @throws FrameError */
export function decodeExit(payload: Uint8Array): number {
  let value: { code?: unknown } | null;
  try {
    value = JSON.parse(new TextDecoder().decode(payload)) as { code?: unknown } | null;
  } catch {
    throw new FrameError('not JSON');
  }
  const code = value?.code;
  if (!Number.isInteger(code)) throw new FrameError('no exit code');
  return (code as number) & 0xff;
}
