/**
 * Text that stands for any bytes, as programs have it. What is not UTF-8 becomes lone surrogates,
 * U+DC80 + byte - 0x80 (Python's "surrogateescape"), and those become the bytes again: names,
 * arguments, variables and output keep every byte.
 */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();
const LONE = /[\uDC80-\uDCFF]/;
const ESCAPE = /[\uDC80-\uDCFF]/u;
const ESCAPED = 0xdc00;

/** Length of the UTF-8 sequence at `at`, or 0 if there is none. */
function sequence(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** Does it stand for bytes that are not UTF-8? */
export function escapedBytes(text: string): boolean {
  return LONE.test(text) && ESCAPE.test(text);
}

export function decodeBytes(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  if (!text.includes('\uFFFD')) return text;
  let result = '';
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequence(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    result += decoder.decode(bytes.subarray(from, at)) + String.fromCharCode(ESCAPED + bytes[at]);
    from = ++at;
  }
  return result + decoder.decode(bytes.subarray(from));
}

export function encodeBytes(text: string): Uint8Array {
  if (!LONE.test(text)) return encoder.encode(text);
  const chunks: Uint8Array[] = [];
  for (const part of text.split(/((?<![\uD800-\uDBFF])[\uDC80-\uDCFF])/)) {
    const code = part.charCodeAt(0);
    if (part.length === 1 && code >= 0xdc80 && code <= 0xdcff) chunks.push(Uint8Array.of(code - ESCAPED));
    else chunks.push(encoder.encode(part));
  }
  return concatenate(chunks);
}

export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Order of names by their bytes. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const wide = /[\uD800-\uDFFF]/;
  if (!wide.test(a) && !wide.test(b)) return a < b ? -1 : 1;
  const x = encodeBytes(a);
  const y = encodeBytes(b);
  for (let i = 0; i < x.length && i < y.length; i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}
