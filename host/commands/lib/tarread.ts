/**
 * Reading an archive member by member: ustar, pax and GNU's headers, those of before ustar, and all
 * kinds of sparse files, whose holes are given as such. What cannot be read is an error, never
 * other bytes than those that were archived.
 */
import { concatenate, decodeBytes } from '../../syscalls/bytes.ts';
import type { Time } from './stat.ts';
import { decodeText } from './text.ts';
import {
  BLOCK_BYTES,
  type Field,
  FIELD,
  type MemberType,
  padding,
  sumOf,
  type TarHeader,
  TYPES,
  XATTR_KEY,
} from './tarformat.ts';
import { checkedMap, oldMap, pairsOf, readMap, type SparseMap, sparsePieces } from './tarsparse.ts';

/** Longest extended header, or name. */
const EXTRA_MAX = 4 << 20;

/** A piece of a file: bytes, or so many that are not there. */
export type Piece = Uint8Array | { readonly hole: number };

export interface Member {
  readonly header: TarHeader;
  /** Its type flag. */
  readonly flag: string;
  /** The data, once, in pieces. What is not taken is passed over. */
  data(): AsyncIterable<Piece>;
}

/** Bytes of a stream, as many as are asked for. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** Some bytes, at most `most`; none at the end. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#held.length === 0) {
      const next = await this.#source.next();
      if (next.done) return this.#held;
      this.#held = next.value;
    }
    const bytes = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(bytes.length);
    return bytes;
  }

  /** Exactly so many. @throws Error if there are fewer, unless there are none and that `mayEnd` */
  async exactly(count: number, mayEnd = false): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      if (part.length === 0) {
        if (mayEnd && left === count) return undefined;
        throw new Error('Unexpected end of data');
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 0 ? new Uint8Array() : concatenate(parts);
  }

  async block(): Promise<Uint8Array> {
    return (await this.exactly(BLOCK_BYTES)) as Uint8Array;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      if (part.length === 0) throw new Error('Unexpected end of data');
      left -= part.length;
    }
  }

  /** So that who writes it is not cut off. */
  async drain(): Promise<void> {
    while ((await this.some(Number.POSITIVE_INFINITY)).length > 0);
  }
}

// ── fields ───────────────────────────────────────────────────────────────────────────────────

const bytesAt = (block: Uint8Array, [at, length]: Field) => block.subarray(at, at + length);

function stringAt(block: Uint8Array, field: Field): string {
  const bytes = bytesAt(block, field);
  const end = bytes.indexOf(0);
  return decodeBytes(bytes.slice(0, end < 0 ? bytes.length : end));
}

/** Octal digits, or GNU's base 256 with its sign. @throws Error */
export function numberAt(block: Uint8Array, field: Field): number {
  const bytes = bytesAt(block, field);
  if (bytes[0] & 0x80) {
    let value = BigInt.asIntN(7, BigInt(bytes[0]));
    for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new Error('Invalid tar header: a number is too large');
    return number;
  }
  const text = decodeText(bytes).replace(/\0.*$/s, '').trim();
  if (!/^[0-7]*$/.test(text)) throw new Error('Invalid tar header: a number has no octal digits');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** @throws Error */
function checkSum(block: Uint8Array): void {
  const sum = numberAt(block, FIELD.sum);
  const unsigned = sumOf(block);
  // Some tars added up signed bytes.
  let signed = unsigned;
  for (let i = 0; i < BLOCK_BYTES; i++)
    if (block[i] > 0x7f && (i < FIELD.sum[0] || i >= FIELD.type[0])) signed -= 256;
  if (sum !== unsigned && sum !== signed) throw new Error('Invalid tar header: its checksum is wrong');
}

function typeOf(flag: string, name: string): MemberType {
  for (const [type, flags] of TYPES)
    if (flags.includes(flag)) return type === 'file' && name.endsWith('/') ? 'directory' : type;
  return flag === 'S' ? 'file' : flag === 'D' ? 'directory' : 'unknown';
}

/** A header's own fields; of one from before ustar, those that it had. */
function fieldsOf(block: Uint8Array): { header: TarHeader; flag: string } {
  const magic = decodeText(bytesAt(block, FIELD.magic));
  const isPosix = magic.startsWith('ustar\0');
  const isUstar = isPosix || magic.startsWith('ustar ');
  const flag = String.fromCharCode(block[FIELD.type[0]]);
  const prefix = isPosix ? stringAt(block, FIELD.prefix) : '';
  const name = (prefix === '' ? '' : `${prefix}/`) + stringAt(block, FIELD.name);
  return {
    flag,
    header: {
      name,
      type: typeOf(flag, name),
      linkname: stringAt(block, FIELD.linkname),
      mode: numberAt(block, FIELD.mode),
      uid: numberAt(block, FIELD.uid),
      gid: numberAt(block, FIELD.gid),
      uname: isUstar ? stringAt(block, FIELD.uname) : '',
      gname: isUstar ? stringAt(block, FIELD.gname) : '',
      size: numberAt(block, FIELD.size),
      mtime: { seconds: numberAt(block, FIELD.mtime), nanoseconds: 0 },
      devmajor: isUstar ? numberAt(block, FIELD.devmajor) : 0,
      devminor: isUstar ? numberAt(block, FIELD.devminor) : 0,
      xattrs: new Map(),
    },
  };
}

// ── extended headers ─────────────────────────────────────────────────────────────────────────

type Records = Map<string, Uint8Array>;

const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const BLANK = 0x20;

/** Records added to those there; an empty value takes one away. Pieces of a sparse map come one by one. */
function addRecords(records: Records, bytes: Uint8Array): void {
  const bad = () => new Error('Invalid tar header: malformed extended header');
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(BLANK, at);
    const length = blank < 0 ? Number.NaN : Number(decodeText(bytes.subarray(at, blank)));
    const end = at + length;
    if (!Number.isInteger(length) || end > bytes.length || end <= blank || bytes[end - 1] !== NEWLINE)
      throw bad();
    const equals = bytes.indexOf(EQUALS, blank);
    if (equals < 0 || equals >= end) throw bad();
    const key = decodeText(bytes.subarray(blank + 1, equals));
    const value = bytes.slice(equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const before = records.get('GNU.sparse.map');
      const digits = [...(before === undefined ? [] : [before, Uint8Array.of(0x2c)]), value];
      records.set('GNU.sparse.map', concatenate(digits));
    } else if (value.length === 0 && !key.startsWith(XATTR_KEY)) records.delete(key);
    else records.set(key, value);
    at = end;
  }
}

function timeIn(text: string): Time {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) throw new Error('Invalid tar header: a time that is none');
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return { seconds: Number(match[2]), nanoseconds };
  // One second earlier, and the rest of it on top.
  return nanoseconds === 0
    ? { seconds: 0 - Number(match[2]), nanoseconds }
    : { seconds: -Number(match[2]) - 1, nanoseconds: 1e9 - nanoseconds };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new Error('Invalid tar header: a number that is none');
  return value;
}

/** What records say is said instead of what the fields say. */
function apply(header: TarHeader, records: Records): void {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    const text = decodeBytes(value);
    if (key === 'path') header.name = text;
    else if (key === 'linkpath') header.linkname = text;
    else if (key === 'uid' || key === 'gid' || key === 'size') header[key] = wholeNumber(text);
    else if (key === 'uname' || key === 'gname') header[key] = text;
    else if (key === 'mtime') header.mtime = timeIn(text);
    else if (key.startsWith(XATTR_KEY)) {
      const name = key.slice(XATTR_KEY.length).replaceAll('%3D', '=').replaceAll('%25', '%');
      xattrs.set(name, value);
    }
  }
  header.xattrs = xattrs;
}

/** Headers before a member's own. */
interface Before {
  readonly global: Records;
  records: Records;
  name: string | undefined;
  linkname: string | undefined;
}

/** Take in a header that says something of the next one. Returns whether it is one. */
async function takeExtra(input: ByteReader, flag: string, size: number, before: Before): Promise<boolean> {
  if (!'xXgLKV'.includes(flag)) return false;
  if (size > EXTRA_MAX) throw new Error('Invalid tar header: an extended header is too large');
  const bytes = (await input.exactly(size)) as Uint8Array;
  await input.skip(padding(size).length);
  const name = () => decodeBytes(bytes.slice(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0)));
  if (flag === 'g') addRecords(before.global, bytes);
  else if (flag === 'L') before.name = name();
  else if (flag === 'K') before.linkname = name();
  else if (flag !== 'V') addRecords(before.records, bytes);
  return true;
}

// ── members ──────────────────────────────────────────────────────────────────────────────────

const isZero = (block: Uint8Array) => block.every((byte) => byte === 0);
const HAS_DATA: ReadonlySet<MemberType> = new Set(['file', 'unknown']);

/** Flags of files, whatever else their names make of them, and of GNU's directories with a list of names. */
const STORED = '\x0007D';

interface Body {
  /** Bytes of it in the archive that were not read yet. */
  left: number;
  readonly pad: number;
}

async function* plainPieces(input: ByteReader, body: Body): AsyncGenerator<Uint8Array> {
  while (body.left > 0) {
    const part = await input.some(body.left);
    if (part.length === 0) throw new Error('Unexpected end of data');
    body.left -= part.length;
    yield part;
  }
}

/** All members, each to be done with before the next is asked for. @throws Error about a broken archive */
export async function* readMembers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const input = new ByteReader(chunks);
  const fresh = { records: new Map(), name: undefined, linkname: undefined };
  let before: Before = { ...fresh, global: new Map() };
  for (;;) {
    const block = await input.exactly(BLOCK_BYTES, true);
    if (block === undefined) return;
    if (isZero(block)) continue;
    checkSum(block);
    const { header, flag } = fieldsOf(block);
    if (await takeExtra(input, flag, header.size, before)) continue;
    if (flag === 'M') throw new Error('Invalid tar header: the archive goes on one of several volumes');
    const { global, records, name, linkname } = before;
    before = { ...fresh, records: new Map(), global };
    const said: Records = new Map([...global, ...records]);
    header.name = name ?? header.name;
    header.linkname = linkname ?? header.linkname;
    apply(header, said);
    header.type = typeOf(flag, header.name);
    // Of links, directories and devices a size may be told, and nothing follows.
    const stored = HAS_DATA.has(header.type) || STORED.includes(flag) ? header.size : 0;
    const body: Body = { left: stored, pad: padding(stored).length };
    const map = await mapOf(input, block, flag, header, said, body);
    if (!HAS_DATA.has(header.type)) header.size = 0;
    yield {
      header,
      flag,
      data: () =>
        map === undefined ? plainPieces(input, body) : sparsePieces(plainPieces(input, body), map),
    };
    await input.skip(body.left + body.pad);
  }
}

/** The map of a file with holes, in any of the four ways to write it; its header says the size then. */
async function mapOf(
  input: ByteReader,
  block: Uint8Array,
  flag: string,
  header: TarHeader,
  records: Records,
  body: Body,
): Promise<SparseMap | undefined> {
  const text = (key: string) => {
    const value = records.get(`GNU.sparse.${key}`);
    return value === undefined ? undefined : decodeBytes(value);
  };
  let pairs: number[];
  if (flag === 'S') {
    const old = await oldMap(input, block, numberAt);
    header.size = old.size;
    pairs = old.pairs;
  } else {
    const size = text('realsize') ?? text('size');
    if (size === undefined) return undefined;
    header.name = text('name') ?? header.name;
    header.size = wholeNumber(size);
    const major = text('major');
    if (major === undefined) pairs = pairsOf((text('map') ?? '').split(','));
    else if (major === '1') {
      const read = await readMap(input, body.left);
      body.left -= read.taken;
      pairs = read.pairs;
    } else throw new Error(`Invalid tar header: sparse files of version ${major} are not known`);
  }
  return checkedMap({ pairs, size: header.size, stored: body.left });
}
