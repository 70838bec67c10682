/** Completion: commands by builtins, functions and PATH; variables; paths. By the kernel's lookups. */
import { builtins } from '../builtins/index.ts';
import { KEYWORDS } from '../builtins/names.ts';
import { compareBytes } from '../../syscalls/bytes.ts';
import { isEnded } from '../errors.ts';
import { executable } from '../lookup.ts';
import type { Shell } from '../shell.ts';
import type { Completion } from './editor.ts';

/** A part of a word, quoted parts and escaped characters whole; or what stands between words. */
const PART = /"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|\\[\s\S]?|[^\s"'\\;|&()<>`]+|([\s;|&()<>`])/y;
/** What stands before a command's name. */
const BEFORE_COMMAND =
  /(?:^|[;|&(`]|\$\(|\b(?:then|do|else|elif|if|while|until|time|exec|command)\s|[{!]\s)\s*$/;
const SPECIAL = /[\s"'\\;|&()<>`$*?[\]#~!{}]/g;

export function complete(shell: Shell, line: string): Completion {
  const replaced = lastWord(line);
  const variable = /\$(\{?)(\w*)$/.exec(replaced);
  if (variable !== null && !replaced.startsWith("'")) {
    const [whole, brace, name] = variable;
    const before = replaced.slice(0, replaced.length - whole.length);
    const names = shell.state.variables.names().filter((each) => each.startsWith(name));
    const candidates = names.sort().map((each) => `${before}$${brace}${each}${brace === '' ? '' : '}'}`);
    return { candidates, replaced, shown: names };
  }
  const before = line.slice(0, line.length - replaced.length);
  const word = unquoted(replaced);
  const isCommand = BEFORE_COMMAND.test(before);
  const found =
    isCommand && !word.includes('/')
      ? commands(shell, word)
      : paths(shell, word, isCommand && !/[<>]\s*$/.test(before));
  const candidates = found.map((each) => requoted(each, replaced));
  return { candidates, replaced, shown: found.map((each) => /[^/]*\/?$/.exec(each)?.[0] ?? each) };
}

/** The word at the end of a line, which only reading from its beginning can tell from quoted text. */
function lastWord(line: string): string {
  let start = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(line); part !== null; part = PART.exec(line)) {
    if (part[1] !== undefined) start = PART.lastIndex;
  }
  return line.slice(start);
}

function unquoted(word: string): string {
  return word.replace(/\\([\s\S])|["']/g, (_, escaped: string | undefined) => escaped ?? '');
}

/** A candidate written as the word was begun: in its quotes, or with backslashes. */
function requoted(text: string, begun: string): string {
  const ended = /[/ ]$/.test(text) ? text.slice(-1) : '';
  const plain = ended === ' ' ? text.slice(0, -1) : text;
  const quote = /^["']/.exec(begun)?.[0];
  if (quote === "'") return `'${plain}${ended === ' ' ? "' " : ''}`;
  if (quote === '"') return `"${plain.replace(/["\\$`]/g, '\\$&')}${ended === ' ' ? '" ' : ''}`;
  const home = plain.startsWith('~') && begun.startsWith('~') ? (/^~[^/]*/.exec(plain)?.[0] ?? '') : '';
  return home + plain.slice(home.length).replace(SPECIAL, '\\$&') + (ended === ' ' ? ' ' : '');
}

function list(shell: Shell, directory: string): { name: string; isDirectory: boolean; path: string }[] {
  try {
    const entries = shell.context.fs.readdirSync(directory, { withFileTypes: true });
    return entries.map((entry) => {
      const { name } = entry;
      return { name, isDirectory: entry.isDirectory(), path: `${directory.replace(/\/$/, '')}/${name}` };
    });
  } catch (error) {
    if (isEnded(error)) throw error;
    return [];
  }
}

function commands(shell: Shell, prefix: string): string[] {
  const { aliases, functions, variables } = shell.state;
  const names = new Set([...KEYWORDS, ...builtins.keys(), ...functions.keys(), ...aliases.keys()]);
  for (const directory of (variables.get('PATH') ?? '').split(':')) {
    for (const { name, path } of list(shell, directory === '' ? '.' : directory)) {
      if (name.startsWith(prefix) && executable(shell, path) === 'yes') names.add(name);
    }
  }
  return finished([...names].filter((name) => name.startsWith(prefix)));
}

/** One candidate is complete: a blank follows. */
function finished(names: string[]): string[] {
  return names.length === 1 && !names[0].endsWith('/') ? [`${names[0]} `] : names.sort(compareBytes);
}

function paths(shell: Shell, word: string, onlyExecutable: boolean): string[] {
  const at = word.lastIndexOf('/') + 1;
  const directory = word.slice(0, at);
  const prefix = word.slice(at);
  const user = /^~([^/]*)\//.exec(directory);
  const home = user === null ? undefined : shell.home(user[1]);
  const place = user !== null && home !== undefined ? home + directory.slice(user[0].length - 1) : directory;
  const found: string[] = [];
  for (const { name, isDirectory, path } of list(shell, place === '' ? '.' : place)) {
    if (!name.startsWith(prefix) || (name.startsWith('.') && !prefix.startsWith('.'))) continue;
    const leads = isDirectory || isDirectoryBehind(shell, path);
    if (onlyExecutable && !leads && executable(shell, path) !== 'yes') continue;
    found.push(`${directory}${name}${leads ? '/' : ''}`);
  }
  return finished(found);
}

function isDirectoryBehind(shell: Shell, path: string): boolean {
  try {
    return shell.context.fs.statSync(path).isDirectory();
  } catch (error) {
    if (isEnded(error)) throw error;
    return false;
  }
}
