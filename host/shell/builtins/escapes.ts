/** Backslash escapes, as echo and printf read them. Bytes beyond ASCII are written as bytes. */

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/** A byte as text that stands for it (see bytes.ts). */
function byteText(code: number): string {
  return String.fromCharCode(code < 0x80 ? code : 0xdc00 + code);
}

const ESCAPE = /\\(?:([abefnrtv\\])|(c)|(0[0-7]{0,3})|([1-7][0-7]{0,2}))/g;

export interface Unescaped {
  readonly text: string;
  /** `\c` was there: nothing more is to be put out. */
  readonly stop: boolean;
}

/** @param kind  'argument': echo's and %b's, where `\0` begins up to three more digits and `\c` stops */
export function readEscapes(source: string, kind: 'argument' | 'format'): Unescaped {
  let stop = false;
  let end = source.length;
  const text = source.replace(
    ESCAPE,
    (whole, simple: string, c: string, zero: string, octal: string, at: number) => {
      if (stop) return '';
      if (simple !== undefined) return SIMPLE[simple];
      if (c !== undefined) {
        if (kind === 'format') return whole;
        stop = true;
        end = at;
        return '';
      }
      if (octal !== undefined) return byteText(Number.parseInt(octal, 8) & 0xff);
      if (kind === 'argument') return byteText(Number.parseInt(zero, 8) & 0xff);
      const digits = zero.slice(0, 3);
      return byteText(Number.parseInt(digits, 8)) + zero.slice(3);
    },
  );
  return stop ? { text: readEscapes(source.slice(0, end), kind).text, stop } : { text, stop };
}
