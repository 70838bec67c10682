/** Syntax errors, in the words that people know from dash. */
import type { ParseError } from 'unbash';

export class ShellSyntaxError extends Error {
  /** From 1. */
  readonly line: number;
  /** More input could make it right. */
  readonly incomplete: boolean;

  constructor(message: string, line: number, incomplete = false) {
    super(message);
    this.name = 'ShellSyntaxError';
    this.line = line;
    this.incomplete = incomplete;
  }
}

/** Lines of a source by offset. */
export class Lines {
  readonly source: string;
  readonly #first: number;
  #at = 0;
  #line = 0;

  constructor(source: string, first: number) {
    this.source = source;
    this.#first = first;
  }

  /** Another source that stands at an offset of this one. */
  at(source: string, offset: number): Lines {
    return new Lines(source, this.of(offset));
  }

  /** The line of an offset. Offsets mostly grow from call to call. */
  of(offset: number): number {
    if (offset < this.#at) {
      this.#at = 0;
      this.#line = 0;
    }
    for (let next = this.source.indexOf('\n', this.#at); next >= 0 && next < offset; ) {
      this.#line++;
      this.#at = next + 1;
      next = this.source.indexOf('\n', this.#at);
    }
    return this.#first + this.#line;
  }
}

const RESERVED = new Set('! { } case do done elif else esac fi for if in then until while'.split(' '));
const TOKEN = /;;|;&|&&|\|\||<<-|<<|>>|<&|>&|<>|>\||[;&|<>()]|[^\s;&|<>()]+/y;

/** What stands at an offset, as dash calls it. */
function tokenAt(source: string, offset: number): string {
  let at = offset;
  while (source[at] === ' ' || source[at] === '\t') at++;
  if (at >= source.length) return 'end of file';
  if (source[at] === '\n') return 'newline';
  TOKEN.lastIndex = at;
  const token = TOKEN.exec(source)?.[0] ?? source[at];
  return /^[;&|<>()]/.test(token) || RESERVED.has(token) ? `"${token}"` : 'word';
}

/** Quoting and expansions that are not closed: parser's message, ours. */
const UNTERMINATED: readonly (readonly [string, string])[] = [
  ['quote', 'Unterminated quoted string'],
  ['backtick', 'EOF in backquote substitution'],
  ['parameter', "Missing '}'"],
  ['arithmetic', "Missing '))'"],
];

/** The parser's errors as one of ours. */
export function syntaxError(errors: readonly ParseError[], lines: Lines): ShellSyntaxError {
  const { source } = lines;
  const end = source.trimEnd().length;
  const open = ({ message, pos }: ParseError) =>
    message.startsWith('unterminated') || (pos >= end && !message.includes('redirect target'));
  const error = errors.find((each) => !open(each)) ?? errors[0];
  const incomplete = open(error);
  const { message, pos } = error;
  if (message.startsWith('unterminated')) {
    const known = UNTERMINATED.find(([word]) => message.includes(word));
    const text = known?.[1] ?? 'end of file unexpected (expecting ")")';
    return new ShellSyntaxError(text, lines.of(source.length), incomplete);
  }
  const expecting = /^expected '([^']+)'/.exec(message)?.[1];
  const text = `${tokenAt(source, pos)} unexpected${expecting === undefined ? '' : ` (expecting "${expecting}")`}`;
  return new ShellSyntaxError(text, lines.of(pos), incomplete);
}
