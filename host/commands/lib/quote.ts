/** Names in messages and listings, quoted as GNU's quotearg does, with UTF-8 taken as printable. */

/** What a shell would not take as it stands. */
const SPECIAL = /[\s!"$&'()*;<=>?[\\^`|\p{Cc}\uDC80-\uDCFF]|^[#~]|^[{}]$/u;
/** Control characters, and bytes that are not UTF-8 (syscalls/bytes.ts). */
const CONTROL = /[\p{Cc}\uDC80-\uDCFF]/u;
export const CONTROLS = /[\p{Cc}\uDC80-\uDCFF]+/gu;

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

/** A control character as a backslash and a letter or three octal digits. */
export function escapeControl(c: string): string {
  return ESCAPES[c] ?? `\\${(c.charCodeAt(0) & 0xff).toString(8).padStart(3, '0')}`;
}

/** All of them in a text. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (run) => [...run].map(escapeControl).join(''));
}

/** A word that a shell reads as `text`, always in quotes. For names in messages. */
export function quoted(text: string): string {
  if (!CONTROL.test(text)) {
    if (text.includes("'") && !/["$`\\!]/.test(text)) return `"${text}"`;
    return `'${text.replaceAll("'", "'\\''")}'`;
  }
  // Runs of control characters stand in $'…' between the quoted rest.
  const body = text.replaceAll("'", "'\\''").replace(CONTROLS, (run) => `'$'${escapeControls(run)}''`);
  return `'${body}'`.replace(/''$/, '');
}

/** The same in quotes only where a shell needs them. */
export function quotedIfNeeded(text: string): string {
  return text === '' || SPECIAL.test(text) ? quoted(text) : text;
}

/** In messages about words that are no names: quotes, and backslashes inside. */
export function quote(text: string): string {
  return `'${escapeControls(text.replace(/['\\]/g, '\\$&'))}'`;
}
