/** Builtins that read and write: echo, read. */
import { LineReader } from '../input.ts';
import { ReadonlyError, isName } from '../variables.ts';
import type { Shell } from '../shell.ts';
import { isTerminal } from '../terminal.ts';
import { readEscapes } from './escapes.ts';
import { parseOptions } from './options.ts';

/** Escapes are always read; `-n` is the only option. */
export function echo(shell: Shell, argv: readonly string[]): number {
  let first = 1;
  let end = '\n';
  if (argv[1] === '-n') {
    first = 2;
    end = '';
  }
  const line = argv.slice(first).join(' ');
  if (!line.includes('\\')) {
    shell.write(line + end);
    return 0;
  }
  const { text, stop } = readEscapes(line, 'argument');
  shell.write(stop ? text : text + end);
  return 0;
}

/** A character of a line; a backslash before it has made it none of IFS's. */
interface Character {
  readonly text: string;
  readonly quoted: boolean;
}

export async function read(shell: Shell, argv: readonly string[]): Promise<number> {
  const { letters, operands } = parseOptions(shell, argv, 'rp:');
  if (operands.length === 0) shell.fail('arg count');
  for (const name of operands) if (!isName(name)) shell.fail(`${name}: bad variable name`);
  const prompt = letters.get('p');
  if (prompt !== undefined && isTerminal(shell.process, 0)) shell.writeNow(2, prompt);
  const { characters, complete } = await readLine(shell, letters.has('r'));
  const values = splitLine(characters, shell.ifs, operands.length);
  for (const [i, name] of operands.entries()) {
    try {
      shell.assign(name, values[i] ?? '');
    } catch (error) {
      if (error instanceof ReadonlyError) shell.fail(error.message);
      throw error;
    }
  }
  return complete ? 0 : 1;
}

/** A line without its end; with backslashes, lines that they join. */
async function readLine(shell: Shell, raw: boolean): Promise<{ characters: Character[]; complete: boolean }> {
  const reader = new LineReader(shell, 0);
  const characters: Character[] = [];
  for (;;) {
    const line = (await reader.line())?.replaceAll('\0', '');
    if (line === undefined) return { characters, complete: false };
    const complete = line.endsWith('\n');
    const text = complete ? line.slice(0, -1) : line;
    let joined = false;
    for (const [, escaped, plain] of text.matchAll(/\\([\s\S]?)|([\s\S])/gu)) {
      if (raw && escaped !== undefined) {
        characters.push({ text: '\\', quoted: false });
        if (escaped !== '') characters.push({ text: escaped, quoted: false });
      } else if (escaped === '') joined = complete;
      else characters.push({ text: escaped ?? plain, quoted: escaped !== undefined });
    }
    if (!joined) return { characters, complete };
  }
}

/** Fields of a line: the last one is all that is left. */
function splitLine(characters: readonly Character[], ifs: string, count: number): string[] {
  const isWhite = ({ text, quoted }: Character) => !quoted && ifs.includes(text) && /[ \t\n]/.test(text);
  const isMark = ({ text, quoted }: Character) => !quoted && ifs.includes(text) && !/[ \t\n]/.test(text);
  const join = (from: number, to: number) =>
    characters
      .slice(from, to)
      .map(({ text }) => text)
      .join('');
  const end = characters.length;
  let at = 0;
  while (at < end && isWhite(characters[at])) at++;
  const fields: string[] = [];
  /** Go over one delimiter: white space, and one mark in it. */
  const skip = () => {
    while (at < end && isWhite(characters[at])) at++;
    if (at < end && isMark(characters[at])) at++;
    while (at < end && isWhite(characters[at])) at++;
  };
  while (at < end) {
    const start = at;
    const last = fields.length === count - 1;
    while (at < end && !isWhite(characters[at]) && !isMark(characters[at])) at++;
    const stop = at;
    skip();
    if (!last) {
      fields.push(join(start, stop));
      continue;
    }
    // One field and what ends it: the end is not part of it. Otherwise all, but for white space.
    let tail = end;
    while (tail > start && isWhite(characters[tail - 1])) tail--;
    fields.push(at === end ? join(start, stop) : join(start, tail));
    break;
  }
  return fields;
}
