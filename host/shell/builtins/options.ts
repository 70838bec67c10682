/** Options of builtins: letters after a dash, up to the first argument or `--`. */
import type { Shell } from '../shell.ts';

export interface ParsedOptions {
  readonly letters: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

/**
 * @param accepted  letters; one that is followed by `:` has an argument
 * @throws ShellError
 */
export function parseOptions(shell: Shell, argv: readonly string[], accepted: string): ParsedOptions {
  const letters = new Map<string, string>();
  let at = 1;
  for (; at < argv.length; at++) {
    const argument = argv[at];
    if (argument === '--') {
      at++;
      break;
    }
    if (!/^-./s.test(argument)) break;
    for (let i = 1; i < argument.length; i++) {
      const letter = argument[i];
      const index = letter === ':' ? -1 : accepted.indexOf(letter);
      if (index < 0) shell.fail(`Illegal option -${letter}`);
      if (accepted[index + 1] !== ':') {
        letters.set(letter, '');
        continue;
      }
      let value: string | undefined = argument.slice(i + 1);
      if (value === '') value = argv[++at];
      if (value === undefined) shell.fail(`No arg for -${letter} option`);
      letters.set(letter, value);
      break;
    }
  }
  return { letters, operands: argv.slice(at) };
}

/** A whole number that is not negative. @throws ShellError */
export function parseCount(shell: Shell, text: string): number {
  if (!/^\d+$/.test(text)) shell.fail(`Illegal number: ${text}`);
  return Number(text);
}

/** A value as the shell reads it back: in single quotes. */
export function quote(value: string): string {
  return value
    .split(/('+)/)
    .map((part, i) => (i % 2 === 1 ? `"${part}"` : part === '' && value !== '' ? '' : `'${part}'`))
    .join('');
}
