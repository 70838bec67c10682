/** Counting lines in chunks, and holding back the end of a stream. */

/** How many lines end in a chunk, at most `most`, and where the last of them does. */
export function countLines(chunk: Uint8Array, most: number, delimiter = 10): { lines: number; end: number } {
  let lines = 0;
  let end = 0;
  while (lines < most) {
    const at = chunk.indexOf(delimiter, end);
    if (at < 0) break;
    lines++;
    end = at + 1;
  }
  return { lines, end };
}

/** A stream without its last bytes, which are kept. */
export class ByteTail {
  readonly #count: number;
  readonly #chunks: Uint8Array[] = [];
  #held = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Take a chunk; get what is certainly not among the last bytes. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const out: Uint8Array[] = [];
    while (this.#held > this.#count) {
      const [first] = this.#chunks;
      const size = Math.min(first.length, this.#held - this.#count);
      out.push(first.subarray(0, size));
      this.#held -= size;
      if (size === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(size);
    }
    return out;
  }

  /** What is kept. */
  rest(): readonly Uint8Array[] {
    return this.#chunks;
  }
}

/** A stream without its last lines, which are kept; an unfinished line is one. */
export class LineTail {
  readonly #count: number;
  readonly #delimiter: number;
  readonly #chunks: Uint8Array[] = [];
  /** Line ends in the chunks. */
  #ends = 0;

  constructor(count: number, delimiter: number) {
    this.#count = count;
    this.#delimiter = delimiter;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#ends += countLines(chunk, Number.POSITIVE_INFINITY, this.#delimiter).lines;
    const out: Uint8Array[] = [];
    while (this.#surplus() > 0) {
      const [first] = this.#chunks;
      const { lines, end } = countLines(first, this.#surplus(), this.#delimiter);
      if (lines === 0) {
        // A piece of a line that goes as a whole.
        out.push(first);
        this.#chunks.shift();
        continue;
      }
      out.push(first.subarray(0, end));
      this.#ends -= lines;
      if (end === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(end);
    }
    return out;
  }

  /** Lines that are more than are to be kept. */
  #surplus(): number {
    const last = this.#chunks.at(-1);
    const isUnfinished = last !== undefined && last.at(-1) !== this.#delimiter;
    return this.#ends + (isUnfinished ? 1 : 0) - this.#count;
  }

  rest(): readonly Uint8Array[] {
    return this.#chunks;
  }
}
