/**
 * Numbers in bytes: little-endian for ext4, big-endian for its journal. Numbers of more than 32
 * bits are JavaScript numbers, exact to 2^53: what a hostile image says beyond that is only more
 * than any device has.
 */

export type Bytes = Uint8Array<ArrayBuffer>;

const TWO_32 = 2 ** 32;

export function get16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

export function get32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function get64(bytes: Uint8Array, at: number): number {
  return get32(bytes, at) + get32(bytes, at + 4) * TWO_32;
}

export function put64(bytes: Uint8Array, at: number, value: number): void {
  put32(bytes, at, value);
  put32(bytes, at + 4, Math.floor(value / TWO_32));
}

/** One number of two halves that lie apart. */
export function joined(low: number, high: number): number {
  return low + high * TWO_32;
}

/** What the half that holds the high bits holds. */
export function highPart(value: number): number {
  return Math.floor(value / TWO_32);
}

export function getBe16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function getBe32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function putBe32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function isZero(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Text of a field that NULs fill up; its bytes as Latin-1 where they are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
}

/** A UUID as people write it. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @throws RangeError if the text is no UUID */
export function uuidBytes(text: string): Bytes {
  if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text))
    throw new RangeError(`Invalid UUID: ${text}`);
  return Uint8Array.from(text.replaceAll('-', '').match(/../g) as string[], (pair) =>
    Number.parseInt(pair, 16),
  );
}
