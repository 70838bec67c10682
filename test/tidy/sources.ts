/** The sources as the tidy tests see them: files, their lines, their functions, their imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { repositoryRoot } from '../oracle/root.ts';

export interface Source {
  /** From the repository's root, with slashes. */
  path: string;
  text: string;
  lines: string[];
}

export interface FunctionSpan {
  name: string;
  /** Counted from 1. */
  line: number;
  /** Lines of its own: those of functions inside it are theirs, and a name alone on one makes none. */
  length: number;
}

/** Made by the build, not by people. */
const GENERATED: ReadonlySet<string> = new Set(['assembly/kern/stackprobe.ts']);

/** Every TypeScript file below a directory of the repository. */
export function sources(directory: string): Source[] {
  const entries = readdirSync(join(repositoryRoot, directory), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => !GENERATED.has(path) && !path.includes('/node_modules/'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(repositoryRoot, path), 'utf8');
      return { path, text, lines: text.trimEnd().split('\n') };
    });
}

const BLANK = (text: string) => text.replace(/[^\n]/g, ' ');

/** The code alone: comments, regular expressions and the insides of quoted strings become spaces; lines stay. */
export function code({ text }: Source): string {
  return text.replace(
    /(?<=[(,=:]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (piece) => (piece.startsWith('/') ? BLANK(piece) : `'${BLANK(piece.slice(1, -1))}'`),
  );
}

const HEAD =
  /^(\s*)(?:(?:export|default|async|static|override|private|protected|public|get|set|function\*?|\*)\s+)*\*?#?([\w$]+)\s*(?:<[^(]*>)?\(/;
const NOT_NAMES: ReadonlySet<string> = new Set(
  'if for while switch catch return await new throw typeof super import void yield do else'.split(' '),
);

/** Where the body of a function that begins on line `at` opens, or -1: that line begins no function. */
function bodyLine(lines: string[], at: number, indent: string): number {
  for (let line = at; line < lines.length && line < at + 20; line++) {
    const text = lines[line];
    if (
      line > at &&
      !/^\s*[)}\]]/.test(text) &&
      text.startsWith(indent) &&
      !/^\s/.test(text.slice(indent.length))
    )
      return -1;
    if (/=> \{$/.test(text)) return -1;
    if (text.endsWith('{') && text.startsWith(indent) && /^\S/.test(text.slice(indent.length))) return line;
    if (text.endsWith(';')) return -1;
  }
  return -1;
}

/**
 * The functions and methods of a file, by its layout: a body ends at the first brace that stands
 * where its head begins. (Files are formatted, so that this is exact.)
 */
export function functions(source: Source): FunctionSpan[] {
  const lines = code(source)
    .split('\n')
    .map((line) => line.trimEnd());
  const found: { name: string; first: number; last: number }[] = [];
  for (let i = 0; i < lines.length; i++) {
    const arrow = /^(\s*)\S.*=> \{$/.exec(lines[i]);
    const head = arrow ? [lines[i], arrow[1], 'arrow function'] : HEAD.exec(lines[i]);
    if (!head || NOT_NAMES.has(head[2]) || (head[1] === '' && !arrow && !/\bfunction\b/.test(lines[i])))
      continue;
    const body = arrow ? i : bodyLine(lines, i, head[1]);
    if (body < 0) continue;
    let last = body + 1;
    while (last < lines.length && !lines[last].startsWith(`${head[1]}}`)) last++;
    found.push({ name: head[2], first: i, last });
  }
  return found.map(({ name, first, last }) => {
    let length = lines.slice(first, last + 1).filter((line) => !/^\s*\w+,$/.test(line)).length;
    let covered = first;
    for (const inner of found) {
      if (inner.first <= covered || inner.last > last) continue;
      length -= lines.slice(inner.first, inner.last + 1).filter((line) => !/^\s*\w+,$/.test(line)).length;
      covered = inner.last;
    }
    return { name, line: first + 1, length };
  });
}

/** What a file imports by a relative path, as paths from the root (without the extension). */
export function imports({ path, text }: Source): string[] {
  return [...text.matchAll(/\bfrom '(\.[^']*)'/g)].map((match) =>
    join(dirname(path), match[1]).replaceAll('\\', '/'),
  );
}

/** The constants that a shared file exports: name and value as written. */
export function constants({ text }: Source): Map<string, string> {
  return new Map(
    [...text.matchAll(/^export const (\w+)(?:: \w+)? = ([^;]+);/gm)].map((match) => [match[1], match[2]]),
  );
}
