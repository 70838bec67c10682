/**
 * Patterns: `*`, `?`, bracket expressions, and `\` before a character that is meant as it is.
 * Characters are code points. Matching takes time of text × pattern at worst.
 */

/** A character, a set of them, any one, or any number of any. */
type Token = number | CharacterSet | typeof ANY | typeof STAR;
const ANY = 'any';
const STAR = 'star';

interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [number, number])[];
  readonly classes: readonly RegExp[];
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[\p{L}\p{Nd}]/u,
  alpha: /\p{L}/u,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[^\s\p{Cc}\p{Cs}]/u,
  lower: /\p{Ll}/u,
  print: /[^\t-\r\p{Cc}\p{Cs}]/u,
  punct: /[!-/:-@[-`{-~]|[^\s\p{Cc}\p{Cs}\p{L}\p{Nd}\0-\x7f]/u,
  space: /\s/,
  upper: /\p{Lu}/u,
  xdigit: /[0-9A-Fa-f]/,
};

const SPECIAL = /[*?[\]\\!^-]/g;

/** Text as a pattern that matches it and nothing else. */
export function escapePattern(text: string): string {
  return text.replace(SPECIAL, '\\$&');
}

/** Is there anything in a pattern but characters? */
export function isPattern(source: string): boolean {
  for (let i = 0; i < source.length; i++) {
    const c = source[i];
    if (c === '\\') i++;
    else if (c === '*' || c === '?') return true;
    else if (c === '[' && bracket(source, i) !== undefined) return true;
  }
  return false;
}

/** The text that a pattern without `*`, `?` and brackets matches. */
export function unescapePattern(source: string): string {
  return source.replace(/\\([\s\S])/g, '$1');
}

function bracket(source: string, start: number): { set: CharacterSet; end: number } | undefined {
  let at = start + 1;
  const negated = source[at] === '!' || source[at] === '^';
  if (negated) at++;
  const ranges: [number, number][] = [];
  const classes: RegExp[] = [];
  for (let first = true; ; first = false) {
    if (at >= source.length) return undefined;
    if (source[at] === ']' && !first) return { set: { negated, ranges, classes }, end: at + 1 };
    const named = /^\[:(\w*):\]/.exec(source.slice(at, at + 16));
    if (named !== null) {
      const known = CLASSES[named[1]];
      if (known === undefined) return undefined;
      classes.push(known);
      at += named[0].length;
      continue;
    }
    const low = element(source, at);
    if (low === undefined) return undefined;
    at = low.end;
    let high = low.code;
    if (source[at] === '-' && at + 1 < source.length && source[at + 1] !== ']') {
      const upper = element(source, at + 1);
      if (upper === undefined) return undefined;
      high = upper.code;
      at = upper.end;
    }
    ranges.push([low.code, high]);
  }
}

/** One character of a bracket expression: plain, escaped, `[.x.]` or `[=x=]`. */
function element(source: string, at: number): { code: number; end: number } | undefined {
  const collating = /^\[([.=])(.)\1\]/su.exec(source.slice(at, at + 8));
  if (collating !== null)
    return { code: collating[2].codePointAt(0) as number, end: at + collating[0].length };
  const from = source[at] === '\\' && at + 1 < source.length ? at + 1 : at;
  const code = source.codePointAt(from);
  if (code === undefined) return undefined;
  return { code, end: from + (code > 0xffff ? 2 : 1) };
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; ) {
    const c = source[at];
    if (c === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
      at++;
      continue;
    }
    if (c === '?') {
      tokens.push(ANY);
      at++;
      continue;
    }
    const set = c === '[' ? bracket(source, at) : undefined;
    if (set !== undefined) {
      tokens.push(set.set);
      at = set.end;
      continue;
    }
    if (c === '\\' && at + 1 < source.length) at++;
    const code = source.codePointAt(at) as number;
    tokens.push(code);
    at += code > 0xffff ? 2 : 1;
  }
  return tokens;
}

function accepts(token: Token, code: number): boolean {
  if (typeof token === 'number') return token === code;
  if (token === ANY || token === STAR) return true;
  let found = token.ranges.some(([low, high]) => code >= low && code <= high);
  if (!found && token.classes.length > 0) {
    const character = String.fromCodePoint(code);
    found = token.classes.some((each) => each.test(character));
  }
  return found !== token.negated;
}

function codes(text: string): number[] {
  const found: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number;
    found.push(code);
    if (code > 0xffff) i++;
  }
  return found;
}

const CACHE_MAX = 500;
const cache = new Map<string, Pattern>();

export class Pattern {
  readonly #tokens: readonly Token[];
  /** What it matches, if that is one text only. */
  readonly #literal: string | undefined;

  private constructor(source: string) {
    this.#tokens = tokenize(source);
    this.#literal = this.#tokens.every((each) => typeof each === 'number')
      ? String.fromCodePoint(...(this.#tokens as number[]))
      : undefined;
  }

  static of(source: string): Pattern {
    let pattern = cache.get(source);
    if (pattern === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear();
      pattern = new Pattern(source);
      cache.set(source, pattern);
    }
    return pattern;
  }

  /** Does it match the whole text? */
  matches(text: string): boolean {
    if (this.#literal !== undefined) return text === this.#literal;
    const tokens = this.#tokens;
    const input = codes(text);
    let at = 0;
    let token = 0;
    let star = -1;
    let retry = 0;
    while (at < input.length) {
      if (token < tokens.length && tokens[token] === STAR) {
        star = token++;
        retry = at;
      } else if (token < tokens.length && accepts(tokens[token], input[at])) {
        token++;
        at++;
      } else if (star >= 0) {
        token = star + 1;
        at = ++retry;
      } else return false;
    }
    while (token < tokens.length && tokens[token] === STAR) token++;
    return token === tokens.length;
  }

  /** `text` without its shortest or longest prefix that matches. */
  withoutPrefix(text: string, longest: boolean): string {
    const input = codes(text);
    const count = this.#extent(this.#tokens, input, longest);
    return count <= 0 ? text : text.slice(sliceLength(input, 0, count));
  }

  /** `text` without its shortest or longest suffix that matches. */
  withoutSuffix(text: string, longest: boolean): string {
    const input = codes(text);
    const count = this.#extent(this.#tokens.toReversed(), input.toReversed(), longest);
    return count <= 0 ? text : text.slice(0, sliceLength(input, 0, input.length - count));
  }

  /** How many characters from the beginning match; -1 if no number of them. All states at once. */
  #extent(tokens: readonly Token[], input: readonly number[], longest: boolean): number {
    let states = new Uint8Array(tokens.length + 1);
    let found = -1;
    const close = (set: Uint8Array) => {
      for (let i = 0; i < tokens.length; i++) if (set[i] && tokens[i] === STAR) set[i + 1] = 1;
    };
    states[0] = 1;
    close(states);
    for (let at = 0; ; at++) {
      if (states[tokens.length]) {
        found = at;
        if (!longest) return found;
      }
      if (at === input.length) return found;
      const next = new Uint8Array(tokens.length + 1);
      let alive = false;
      for (let i = 0; i < tokens.length; i++) {
        if (!states[i] || !accepts(tokens[i], input[at])) continue;
        next[tokens[i] === STAR ? i : i + 1] = 1;
        alive = true;
      }
      if (!alive) return found;
      close(next);
      states = next;
    }
  }
}

/** UTF-16 length of some code points. */
function sliceLength(input: readonly number[], from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i++) length += input[i] > 0xffff ? 2 : 1;
  return length;
}
