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

/** A word that ends what has begun, where a command would begin: the parser's position is after it. */
const CLOSER = /(?:^|[;&|\n({])\s*(fi|done|esac|\})\s*$/;

/** Does an error say that the text ends too early? */
function isOpen({ message, pos }: ParseError, source: string): boolean {
  if (message.startsWith('unterminated')) return true;
  if (message.includes('redirect target') || pos < source.trimEnd().length) return false;
  return !(message.startsWith("expected '") && CLOSER.test(source.slice(0, pos)));
}

/** The parser's errors as one of ours. */
export function syntaxError(errors: readonly ParseError[], lines: Lines): ShellSyntaxError {
  const { source } = lines;
  const open = (error: ParseError) => isOpen(error, source);
  const incomplete =
    errors.some(open) && !errors.some((each) => each.message.startsWith('unexpected') && !open(each));
  // What is missing at the end is said by what would close it.
  const error =
    (incomplete
      ? (errors.find((each) => open(each) && /^(unterminated|expected ')/.test(each.message)) ??
        errors.find(open))
      : errors.find((each) => !open(each))) ?? errors[0];
  const { message, pos } = error;
  if (message.startsWith('unterminated')) {
    const known = UNTERMINATED.find(([word]) => message.includes(word));
    const text = known?.[1] ?? 'end of file unexpected (expecting ")")';
    return new ShellSyntaxError(text, lines.of(source.length), incomplete);
  }
  const expecting = /^expected '([^']+)'/.exec(message)?.[1];
  const text = `${unexpectedToken(error, source)} unexpected${expecting === undefined ? '' : ` (expecting "${expecting}")`}`;
  return new ShellSyntaxError(text, lines.of(pos), incomplete);
}

function unexpectedToken({ message, pos }: ParseError, source: string): string {
  if (message.startsWith('expected command in')) return message.includes('subshell') ? '")"' : '"}"';
  const closer = message.startsWith("expected '") ? CLOSER.exec(source.slice(0, pos))?.[1] : undefined;
  return closer === undefined ? tokenAt(source, pos) : `"${closer}"`;
}
