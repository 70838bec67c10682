/**
 * The tar format (POSIX ustar and pax, as GNU's tar reads and writes them): what a member is, and its
 * header as blocks. Names are bytes in archives, and text that stands for any bytes here (bytes.ts).
 */
import { concatenate, encodeBytes } from '../../syscalls/bytes.ts';
import type { Time } from './stat.ts';
import { encodeText } from './text.ts';

export const BLOCK_BYTES = 512;

export type MemberType =
  | 'file'
  | 'link'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo'
  /** Of a kind that this does not know: taken for a file, as POSIX wants it. */
  | 'unknown';

export interface TarHeader {
  name: string;
  type: MemberType;
  linkname: string;
  mode: number;
  uid: number;
  gid: number;
  uname: string;
  gname: string;
  /** Of a file, holes included. */
  size: number;
  mtime: Time;
  devmajor: number;
  devminor: number;
  /** Extended attributes, their names each byte a character. */
  xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Where fields of a header begin, and how long they are (pax(1), "ustar Interchange Format"). */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  sum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const;

export type Field = readonly [at: number, length: number];

/** Type flags by kind; the first is the one that is written. */
export const TYPES: ReadonlyMap<MemberType, string> = new Map([
  ['file', '0\x007'],
  ['link', '1'],
  ['symlink', '2'],
  ['character-device', '3'],
  ['block-device', '4'],
  ['directory', '5'],
  ['fifo', '6'],
]);

export const PAX_TYPE = 'x';
/** Before the name of an attribute, in the key of its record: star's, and GNU's. */
export const XATTR_KEY = 'SCHILY.xattr.';

const SPACE = 0x20;

/** A header's sum: its own field counts as spaces. */
export function sumOf(block: Uint8Array): number {
  const [at, length] = FIELD.sum;
  let sum = length * SPACE;
  for (let i = 0; i < BLOCK_BYTES; i++) if (i < at || i >= at + length) sum += block[i];
  return sum;
}

/** Octal digits and a NUL; what is too large is a record's, and the largest here. */
function octal(block: Uint8Array, [at, length]: Field, value: number): void {
  const most = 8 ** (length - 1) - 1;
  const shown = Math.min(Math.max(value, 0), most);
  block.set(encodeText(shown.toString(8).padStart(length - 1, '0')), at);
}

const fits = (value: number, [, length]: Field) => value >= 0 && value < 8 ** (length - 1);

interface Short {
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
}

const SLASH = 0x2f;
const isAscii = (bytes: Uint8Array) => bytes.every((byte) => byte < 0x80);

/** A name in the header's own fields; undefined: it takes a record. */
function shortName(name: Uint8Array): Short | undefined {
  if (!isAscii(name)) return undefined;
  const [most, above] = [FIELD.name[1], FIELD.prefix[1]];
  if (name.length <= most) return { name, prefix: new Uint8Array() };
  for (let at = Math.max(name.length - most - 1, 1); at <= above && at < name.length - 1; at++)
    if (name[at] === SLASH) return { name: name.subarray(at + 1), prefix: name.subarray(0, at) };
  return undefined;
}

/** What stands in the header of a member whose name is in a record, for readers that know none. */
function plain(name: string): Uint8Array {
  const text = name.replace(/[^ -~]/g, '_').slice(-FIELD.name[1]);
  return encodeText(text.replace(/^\/+(?=.)/, ''));
}

/** The records of a pax header: "length key=value\n", the length its own digits included. */
function recordsOf(records: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [key, value] of records) {
    const rest = key.length + value.length + 3;
    let length = rest + String(rest).length;
    if (rest + String(length).length > length) length++;
    parts.push(encodeText(`${length} ${key}=`), value, encodeText('\n'));
  }
  return concatenate(parts);
}

/** Seconds since 1970 with as many digits behind the point as there are. */
function decimal({ seconds, nanoseconds }: Time): string {
  if (nanoseconds === 0) return String(seconds);
  const isBefore = seconds < 0;
  const whole = isBefore ? -(seconds + 1) : seconds;
  const rest = isBefore ? 1e9 - nanoseconds : nanoseconds;
  return `${isBefore ? '-' : ''}${whole}.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
}

/** What its own fields cannot say of a member. */
function paxOf(header: TarHeader, name: Uint8Array, linkname: Uint8Array): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  if (shortName(name) === undefined) records.set('path', name);
  if (linkname.length > FIELD.linkname[1] || !isAscii(linkname)) records.set('linkpath', linkname);
  for (const key of ['uid', 'gid', 'size'] as const)
    if (!fits(header[key], FIELD[key])) records.set(key, encodeText(String(header[key])));
  const { mtime } = header;
  if (mtime.nanoseconds !== 0 || !fits(mtime.seconds, FIELD.mtime))
    records.set('mtime', encodeText(decimal(mtime)));
  for (const key of ['uname', 'gname'] as const)
    if (encodeBytes(header[key]).length > FIELD[key][1]) records.set(key, encodeBytes(header[key]));
  // An equals sign would end the key; GNU's tar writes it so.
  for (const [attribute, value] of header.xattrs)
    records.set(XATTR_KEY + attribute.replaceAll('%', '%25').replaceAll('=', '%3D'), value);
  return records;
}

function ustar(header: TarHeader, type: string, name: Short, linkname: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(name.name, FIELD.name[0]);
  block.set(name.prefix, FIELD.prefix[0]);
  block.set(linkname, FIELD.linkname[0]);
  octal(block, FIELD.mode, header.mode & 0o7777);
  for (const key of ['uid', 'gid', 'size', 'devmajor', 'devminor'] as const)
    octal(block, FIELD[key], header[key]);
  octal(block, FIELD.mtime, header.mtime.seconds);
  block.set(encodeText(type), FIELD.type[0]);
  block.set(encodeText('ustar\x0000'), FIELD.magic[0]);
  for (const key of ['uname', 'gname'] as const)
    block.set(encodeBytes(header[key]).subarray(0, FIELD[key][1] - 1), FIELD[key][0]);
  block.set(encodeText(`${sumOf(block).toString(8).padStart(6, '0')}\0 `), FIELD.sum[0]);
  return block;
}

/** Zeros up to a whole block. */
export function padding(lenBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (lenBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The blocks before a member's data: its header, and before that what does not fit into one. */
export function headerBlocks(header: TarHeader): Uint8Array {
  const name = encodeBytes(header.name);
  const linkname = encodeBytes(header.linkname);
  const records = paxOf(header, name, linkname);
  const type = (TYPES.get(header.type) ?? '0')[0];
  const short = shortName(name) ?? { name: plain(header.name), prefix: new Uint8Array() };
  const link = records.has('linkpath') ? plain(header.linkname) : linkname;
  const own = ustar(header, type, short, link);
  if (records.size === 0) return own;
  const data = recordsOf(records);
  const last = header.name.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const pax: TarHeader = {
    ...header,
    size: data.length,
    mode: 0o644,
    mtime: { seconds: Math.max(header.mtime.seconds, 0), nanoseconds: 0 },
    devmajor: 0,
    devminor: 0,
  };
  const before = { name: plain(`PaxHeaders/${last.slice(0, 80)}`), prefix: new Uint8Array() };
  return concatenate([ustar(pax, PAX_TYPE, before, new Uint8Array()), data, padding(data.length), own]);
}

/** Behind the last member. */
export const endBlocks = (): Uint8Array => new Uint8Array(2 * BLOCK_BYTES);
