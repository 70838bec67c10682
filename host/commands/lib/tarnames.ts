/**
 * Names in archives that are not UTF-8. The library writes names as text; GNU's tar writes their
 * bytes, longer ones as a member of type L (the name of the next one) or K (where it links to), and
 * that serves for any bytes.
 */
import { decodeBytes, encodeBytes, escapedBytes } from '../../syscalls/bytes.ts';
import type { TarHeader } from '../../vendor/tar.ts';
import { encodeText } from './text.ts';

const BLOCK_BYTES = 512;
const SIZE_DIGITS = 11;
const LONG_NAME = '././@LongLink';
const ASCII_MAX = 100;

/** A header of GNU's format, its sum included: fields by their offsets. */
function gnuHeader(type: string, sizeBytes: number): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const fields: Readonly<Record<number, string>> = {
    0: LONG_NAME,
    100: '0000644',
    108: '0000000',
    116: '0000000',
    124: sizeBytes.toString(8).padStart(SIZE_DIGITS, '0'),
    136: '00000000000',
    148: '        ',
    156: type,
    257: 'ustar  ',
  };
  for (const [at, text] of Object.entries(fields)) block.set(encodeText(text), Number(at));
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(encodeText(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

function longName(type: string, name: string): Uint8Array[] {
  const bytes = encodeBytes(name);
  const padded = new Uint8Array(Math.ceil((bytes.length + 1) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  return [gnuHeader(type, bytes.length + 1), padded];
}

/** What stands in the member's own header: as much as readers that know no L could show. */
const plain = (name: string) => name.replace(/[^ -~]/g, '_').slice(0, ASCII_MAX);

/** Blocks that go before a member, and the header with which it goes. */
export function withBytes(header: TarHeader): { before: Uint8Array[]; header: TarHeader } {
  const before: Uint8Array[] = [];
  const result = { ...header };
  if (header.linkname !== null && escapedBytes(header.linkname)) {
    before.push(...longName('K', header.linkname));
    result.linkname = plain(header.linkname);
  }
  if (escapedBytes(header.name)) {
    before.push(...longName('L', header.name));
    result.name = plain(header.name);
    // It is the slash that makes a directory for old readers.
    if (header.name.endsWith('/') && !result.name.endsWith('/')) result.name = `${result.name.slice(0, -1)}/`;
  }
  return { before, header: result };
}

/** A header as it was read (Latin-1, but for what pax says, which is UTF-8) with its names as text. */
export function namesOf(header: TarHeader): TarHeader {
  const { pax } = header;
  const text = (name: string, said: string | undefined) =>
    said === undefined ? decodeBytes(encodeText(name)) : name;
  return {
    ...header,
    name: text(header.name, pax?.path),
    linkname: header.linkname === null ? null : text(header.linkname, pax?.linkpath),
  };
}
