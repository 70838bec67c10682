/**
 * Text without strings: a writer over a piece of RAM, and access to the characters of a string
 * literal (UTF-16 in the module's read-only data; only ASCII literals are used).
 */

/** Length of a literal in characters: asc keeps its size in bytes in the word before it. */
// @ts-ignore: decorator
@inline
export function litLen(s: string): u32 {
  return load<u32>(changetype<usize>(s) - 4) >> 1;
}

// @ts-ignore: decorator
@inline
export function litChar(s: string, i: u32): u32 {
  return load<u16>(changetype<usize>(s) + ((<usize>i) << 1));
}

/** Do `len` bytes at `p` spell the literal? */
export function litEquals(s: string, p: usize, len: u32): bool {
  if (litLen(s) != len) return false;
  for (let i: u32 = 0; i < len; i++) if (<u32>load<u8>(p + i) != litChar(s, i)) return false;
  return true;
}

/** Do the `len` bytes at `p` begin with the literal? */
export function litBegins(s: string, p: usize, len: u32): bool {
  const n = litLen(s);
  return len >= n && litEquals(s, p, n);
}

/** Write the literal's characters as bytes at `p`; returns their number. */
export function litCopy(s: string, p: usize): u32 {
  const n = litLen(s);
  for (let i: u32 = 0; i < n; i++) store<u8>(p + i, <u8>litChar(s, i));
  return n;
}

/** A cursor over [t_buf, t_buf + t_cap). What does not fit goes where t_more says, or is counted in
 *  t_over and dropped. */
@unmanaged
export class Text {
  t_buf: usize;
  t_len: u32;
  t_cap: u32;
  t_over: u32;
  t_more: u32; // function index: gives the full text a new empty buffer, or false; 0: none
}

export function textInit(t: Text, buf: usize, cap: u32): void {
  t.t_buf = buf;
  t.t_len = 0;
  t.t_cap = cap;
  t.t_over = 0;
  t.t_more = 0;
}

/** Whenever it is full, `more` gives it a new buffer. */
export function textSetMore(t: Text, more: (t: Text) => bool): void {
  t.t_more = more.index;
}

export function textByte(t: Text, c: u32): void {
  if (t.t_len < t.t_cap || (t.t_more != 0 && call_indirect<bool>(t.t_more, t))) {
    store<u8>(t.t_buf + t.t_len, <u8>c);
    t.t_len++;
  } else t.t_over++;
}

export function textLit(t: Text, s: string): void {
  const n = litLen(s);
  for (let i: u32 = 0; i < n; i++) textByte(t, litChar(s, i));
}

export function textBytes(t: Text, p: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) textByte(t, load<u8>(p + i));
}

export function textU64(t: Text, v: u64): void {
  let div: u64 = 1;
  while (v / div >= 10) div *= 10;
  for (; div != 0; div /= 10) textByte(t, 48 + <u32>((v / div) % 10));
}

export function textI64(t: Text, v: i64): void {
  if (v < 0) {
    textByte(t, 45);
    textU64(t, 0 - <u64>v);
  } else textU64(t, <u64>v);
}

export function textHex(t: Text, v: u32): void {
  let shift: i32 = 28;
  while (shift > 0 && ((v >> shift) & 15) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const d = (v >> shift) & 15;
    textByte(t, d < 10 ? 48 + d : 87 + d);
  }
}

export function textOct(t: Text, v: u32): void {
  let shift: i32 = 30;
  while (shift > 0 && ((v >> shift) & 7) == 0) shift -= 3;
  for (; shift >= 0; shift -= 3) textByte(t, 48 + ((v >> shift) & 7));
}

/** Right-aligned decimal, for tables. */
export function textPad(t: Text, v: u64, width: u32): void {
  let n: u32 = 1;
  for (let w = v; w >= 10; w /= 10) n++;
  for (; n < width; n++) textByte(t, 32);
  textU64(t, v);
}
