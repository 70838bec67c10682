/** Files with holes in GNU's archives: a map of where their data is, and the data without the holes. */
import { BLOCK_BYTES, type Field } from './tarformat.ts';
import type { ByteReader, Piece } from './tarread.ts';
import { decodeText } from './text.ts';

/** No file that is meant has more pieces. */
const PIECES_MAX = 1 << 20;

export interface SparseMap {
  /** Offset and length of each piece. */
  readonly pairs: readonly number[];
  /** Of the file. */
  readonly size: number;
  /** Bytes of it that are in the archive. */
  readonly stored: number;
}

const bad = () => new Error('Invalid tar header: a sparse file has no map that can be meant');

/** @throws Error */
export function pairsOf(numbers: readonly string[]): number[] {
  if (numbers.length === 1 && numbers[0] === '') return [];
  if (numbers.length % 2 !== 0 || numbers.length > 2 * PIECES_MAX) throw bad();
  return numbers.map((text) => {
    if (!/^\d+$/.test(text)) throw bad();
    return Number(text);
  });
}

const OLD_FIRST = 386;
const OLD_COUNT = 4;
const OLD_MORE = 482;
const OLD_SIZE: Field = [483, 12];
const MORE_COUNT = 21;
const MORE_MORE = 504;
const PAIR_BYTES = 24;

/** The one in the header of a member of type S, and in blocks behind it. */
export async function oldMap(
  input: ByteReader,
  header: Uint8Array,
  numberAt: (block: Uint8Array, field: Field) => number,
): Promise<{ pairs: number[]; size: number }> {
  const pairs: number[] = [];
  const take = (block: Uint8Array, first: number, count: number) => {
    for (let at = first; at < first + count * PAIR_BYTES; at += PAIR_BYTES) {
      // The last one may be of length 0, and says how long the file is.
      if (block[at] === 0 && block[at + 12] === 0) return;
      pairs.push(numberAt(block, [at, 12]), numberAt(block, [at + 12, 12]));
    }
  };
  take(header, OLD_FIRST, OLD_COUNT);
  for (let more = header[OLD_MORE] !== 0; more; ) {
    if (pairs.length > 2 * PIECES_MAX) throw bad();
    const block = await input.block();
    take(block, 0, MORE_COUNT);
    more = block[MORE_MORE] !== 0;
  }
  return { pairs, size: numberAt(header, OLD_SIZE) };
}

/** The one at the beginning of the data (format 1.0): lines of digits, in whole blocks. */
export async function readMap(input: ByteReader, most: number): Promise<{ pairs: number[]; taken: number }> {
  let text = '';
  let taken = 0;
  for (;;) {
    if (taken + BLOCK_BYTES > most || taken > PIECES_MAX * PAIR_BYTES) throw bad();
    text += decodeText(await input.block());
    taken += BLOCK_BYTES;
    const lines = text.split('\n');
    const count = Number(lines[0]);
    if (lines.length > 1 && (!/^\d+$/.test(lines[0]) || count > PIECES_MAX)) throw bad();
    if (lines.length > 2 * count + 1)
      return { pairs: pairsOf(count === 0 ? [''] : lines.slice(1, 2 * count + 1)), taken };
  }
}

/** @throws Error unless the pieces are in order, inside the file, and as long together as what is stored */
export function checkedMap(map: SparseMap): SparseMap {
  const { pairs, size, stored } = map;
  let end = 0;
  let sum = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] < end) throw bad();
    end = pairs[i] + pairs[i + 1];
    sum += pairs[i + 1];
  }
  if (end > size || sum !== stored) throw bad();
  return map;
}

/** The file, its holes as such. */
export async function* sparsePieces(data: AsyncIterable<Uint8Array>, map: SparseMap): AsyncGenerator<Piece> {
  const { pairs, size } = map;
  let at = 0;
  let index = 0;
  for await (let part of data) {
    while (part.length > 0) {
      while (index < pairs.length && at >= pairs[index] + pairs[index + 1]) index += 2;
      if (at < pairs[index]) {
        yield { hole: pairs[index] - at };
        at = pairs[index];
      }
      const piece = part.subarray(0, pairs[index] + pairs[index + 1] - at);
      yield piece;
      at += piece.length;
      part = part.subarray(piece.length);
    }
  }
  if (at < size) yield { hole: size - at };
}
