/** Backslash escapes of echo, printf and tr-like words, as bytes. */
import { encodeBytes } from '../../syscalls/bytes.ts';

const LETTERS: Readonly<Record<string, number>> = {
  '\\': 92,
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '"': 34,
};

const ESCAPE =
  /\\(?:(?<letter>[\\abefnrtv"])|(?<stop>c)|0(?<zero>[0-7]{0,3})|(?<octal>[1-7][0-7]{0,2})|x(?<hex>[0-9a-fA-F]{1,2})|u(?<u>[0-9a-fA-F]{1,4})|U(?<U>[0-9a-fA-F]{1,8}))/;

/**
 * Text with its escapes carried out. `echo`: echo's (octal numbers begin with 0, \" is none);
 * otherwise those of printf's format, where \NNN has no leading 0. \c ends everything.
 */
export function unescapeText(text: string, echo: boolean): { bytes: Uint8Array; stopped: boolean } {
  const bytes: number[] = [];
  let rest = text;
  for (;;) {
    const match = ESCAPE.exec(rest);
    if (match === null) {
      bytes.push(...encodeBytes(rest));
      return { bytes: Uint8Array.from(bytes), stopped: false };
    }
    bytes.push(...encodeBytes(rest.slice(0, match.index)));
    rest = rest.slice(match.index + match[0].length);
    const { letter, stop, zero, octal, hex, u, U } = match.groups ?? {};
    if (stop !== undefined) return { bytes: Uint8Array.from(bytes), stopped: true };
    if (letter !== undefined) bytes.push(...(echo && letter === '"' ? [92, 34] : [LETTERS[letter]]));
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (u ?? U) bytes.push(...encodeBytes(String.fromCodePoint(Number.parseInt(u ?? U, 16))));
    else bytes.push(Number.parseInt((octal ?? zero) || '0', 8) & 255);
  }
}
