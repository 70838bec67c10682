/** From the parser's words to ours: quoting resolved, tildes found, what is only Bash's refused. */
import type { ParsedScript, Word as ParsedWord, WordPart } from 'unbash';
import { parse } from '../../vendor/unbash.ts';
import type { List, ParameterOperator, ParameterSegment, Segment, Word } from './ast.ts';
import { Lines, ShellSyntaxError, syntaxError } from './errors.ts';

/** How a word is read: where tildes are expanded, and whether it stands in double quotes. */
export type WordMode = 'word' | 'assignment' | 'argument' | 'quoted';

type ParameterPart = Extract<WordPart, { type: 'ParameterExpansion' }>;
type ArithmeticPart = Extract<WordPart, { type: 'ArithmeticExpansion' }>;

/** Of a word's unquoted text: is there a pattern? */
const ACTIVE = /[*?]|\[[\s\S]*\]/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*=/;
/** A here-document's delimiter that no expression holds. */
const DELIMITER = '\u0001';

/** Lowers the words of one source. */
export class Words {
  readonly #lines: Lines;
  /** Lowers the commands of a substitution. */
  readonly #script: (script: ParsedScript, lines: Lines) => List;

  constructor(lines: Lines, script: (script: ParsedScript, lines: Lines) => List) {
    this.#lines = lines;
    this.#script = script;
  }

  /** @param mode  'argument': `name=value` of export and its kin */
  word(word: ParsedWord, mode: WordMode): Word {
    const segments: Segment[] = [];
    const quoted = mode === 'quoted';
    if (word.parts !== undefined) for (const part of word.parts) this.#part(part, quoted, segments);
    else if (quoted) text(word.value, true, segments);
    else literal(word.text, segments);
    return finish(segments, word.text, mode);
  }

  /** `prefix` as it stands, and then a word. */
  prefixed(prefix: string, word: ParsedWord, mode: WordMode): Word {
    const whole = this.word(word, mode === 'argument' ? 'assignment' : mode);
    const segments: Segment[] = [];
    text(prefix, false, segments);
    segments.push(...whole.segments);
    const joined = finish(segments, prefix + word.text, 'quoted');
    return mode === 'argument' ? { ...joined, assignment: true } : joined;
  }

  /** A here-document's body. Tabs at the beginning of lines are taken off for `<<-`. */
  hereDocument(parts: readonly WordPart[], stripTabs: boolean): Word {
    const segments: Segment[] = [];
    for (const [i, part] of parts.entries()) {
      if (part.type !== 'Literal') this.#part(part, true, segments);
      else text(stripTabs ? withoutTabs(part.value, i === 0) : part.value, true, segments);
    }
    return finish(segments, '', 'quoted');
  }

  #part(part: WordPart, quoted: boolean, to: Segment[]): void {
    switch (part.type) {
      case 'Literal':
        if (quoted) text(part.value, true, to);
        else literal(part.text, to);
        return;
      case 'Glob':
        if (part.kind !== 'bracket') {
          text(part.text, quoted, to);
          return;
        }
        text('[', quoted, to);
        for (const inner of part.parts) this.#part(inner, quoted, to);
        text(']', quoted, to);
        return;
      case 'SingleQuoted':
      case 'AnsiCQuoted':
        // In a here-document single quotes quote nothing.
        text(quoted ? part.text : part.value, true, to);
        return;
      case 'LocaleString':
      case 'DoubleQuoted':
        if (part.type === 'LocaleString') text('$', quoted, to);
        if (part.parts.length === 0) to.push({ kind: 'text', text: '', quoted: true });
        for (const inner of part.parts) this.#part(inner, true, to);
        return;
      case 'BraceExpansion':
        if (part.parts === undefined) literal(part.text, to);
        else for (const inner of part.parts) this.#part(inner, quoted, to);
        return;
      case 'SimpleExpansion':
        to.push({ kind: 'parameter', name: part.text.slice(1), quoted, text: part.text });
        return;
      case 'ParameterExpansion':
        to.push(this.#parameter(part, quoted));
        return;
      case 'CommandExpansion':
        to.push({ kind: 'command', quoted, body: this.#substitution(part.script, part.pos) });
        return;
      case 'ArithmeticExpansion':
        to.push({ kind: 'arithmetic', quoted, expression: this.#arithmetic(part) });
        return;
      default:
        throw new ShellSyntaxError('"(" unexpected', this.#lines.of(part.pos));
    }
  }

  #substitution(script: ParsedScript | undefined, pos: number): List {
    if (script === undefined) return { kind: 'list', items: [] };
    if (script.source === undefined) return this.#script(script, this.#lines);
    return this.#script(script, this.#lines.at(script.source, pos));
  }

  #parameter(part: ParameterPart, quoted: boolean): ParameterSegment {
    // The parser takes a line continuation in the braces for an operator.
    if (part.operation?.type === 'Unknown' && part.text.includes('\\\n')) {
      const again = this.hereText(part.text.replaceAll('\\\n', ''), part.pos).segments[0];
      if (again.kind === 'parameter') return { ...again, quoted };
    }
    const { parameter: name, operation, prefix, index, text: written } = part;
    const base = { kind: 'parameter', name, quoted, text: written } as const;
    if (prefix === '!' || index !== undefined || !/^([A-Za-z_]\w*|\d+|[@*#?$!-])$/.test(name)) {
      return { ...base, operator: 'bad' };
    }
    if (prefix === '#') return { ...base, operator: operation === undefined ? 'length' : 'bad' };
    if (operation === undefined) return base;
    const operator = 'operator' in operation ? (operation.operator as ParameterOperator) : 'bad';
    if (operation.type === 'Default') {
      return { ...base, operator, operand: this.word(operation.operand, quoted ? 'quoted' : 'word') };
    }
    if (operation.type === 'Remove') {
      return { ...base, operator, operand: this.word(operation.operand, 'word') };
    }
    return { ...base, operator: 'bad' };
  }

  /** The text between the parentheses as a word: as in double quotes, with quotes dropped. */
  #arithmetic(part: ArithmeticPart): Word {
    const inner = part.text.slice(3, -2).replaceAll('"', '');
    return this.hereText(inner, part.pos);
  }

  /** Text that is read as a here-document's. @param pos  of the source, where it stands */
  hereText(inner: string, pos: number): Word {
    const segments: Segment[] = [];
    if (!/[$`\\]/.test(inner)) text(inner, true, segments);
    else {
      // The text's first line is the second one of this source.
      const lines = new Lines(`: <<${DELIMITER}\n${inner}\n${DELIMITER}\n`, this.#lines.of(pos) - 1);
      const script = parse(lines.source);
      if (script.errors !== undefined && script.errors.length > 0) throw syntaxError(script.errors, lines);
      const command = script.commands[0].command;
      const here = command.type === 'Command' ? command.redirects[0] : undefined;
      if (here?.type !== 'HereDoc') throw new Error('a here-document was parsed as something else');
      if (here.body.parts === undefined) text(unescaped(here.body.text), true, segments);
      else {
        const body = new Words(lines, this.#script).hereDocument(here.body.parts, false);
        segments.push(...body.segments);
      }
      withoutLastNewline(segments);
    }
    return finish(segments, inner, 'quoted');
  }
}

/** A here-document ends in a newline that the text in it need not have. */
function withoutLastNewline(segments: Segment[]): void {
  const last = segments.at(-1);
  if (last?.kind === 'text') segments[segments.length - 1] = { ...last, text: last.text.replace(/\n$/, '') };
}

/** Append text to the last segment if it is quoted alike. */
function text(value: string, quoted: boolean, to: Segment[]): void {
  const last = to.at(-1);
  if (last?.kind === 'text' && last.quoted === quoted) {
    to[to.length - 1] = { kind: 'text', text: last.text + value, quoted };
  } else if (value !== '' || quoted) to.push({ kind: 'text', text: value, quoted });
}

/** Unquoted text as it is written: a backslash quotes the next character. */
function literal(written: string, to: Segment[]): void {
  if (!written.includes('\\')) {
    text(written, false, to);
    return;
  }
  for (const [, plain, escaped] of written.matchAll(/([^\\]+)|\\([\s\S]?)/gu)) {
    if (plain !== undefined) text(plain, false, to);
    else if (escaped === '') text('\\', true, to);
    else if (escaped !== '\n') text(escaped, true, to);
  }
}

/** Backslashes as in a here-document. */
export function unescaped(body: string): string {
  return body.replace(/\\([$`\\\n])/g, (_, c: string) => (c === '\n' ? '' : c));
}

/** Lines without their leading tabs; the first only if the text begins a line. */
export function withoutTabs(body: string, beginsLine: boolean): string {
  const rest = body.replace(/\n\t+/g, '\n');
  return beginsLine ? rest.replace(/^\t+/, '') : rest;
}

/** Find tildes, and whether the word is always the same field. */
function finish(segments: Segment[], written: string, mode: WordMode): Word {
  const found = mode === 'quoted' ? segments : tildes(segments, mode);
  let fixed: string | undefined = '';
  let unquoted = '';
  for (const segment of found) {
    if (segment.kind !== 'text') fixed = undefined;
    else if (fixed !== undefined) fixed += segment.text;
    if (segment.kind === 'text' && !segment.quoted) unquoted += segment.text;
  }
  if (found.length === 0 || ACTIVE.test(unquoted)) fixed = undefined;
  const assignment = mode === 'argument' && found[0]?.kind === 'text' && NAME.test(found[0].text);
  return { segments: found, text: written, literal: fixed, assignment };
}

/** Cut tilde-prefixes out of the unquoted text of a word. */
function tildes(segments: Segment[], mode: WordMode): Segment[] {
  if (!segments.some((each) => each.kind === 'text' && !each.quoted && each.text.includes('~')))
    return segments;
  const found: Segment[] = [];
  const everywhere = mode !== 'word';
  for (const [i, segment] of segments.entries()) {
    if (segment.kind !== 'text' || segment.quoted) {
      found.push(segment);
      continue;
    }
    const last = i === segments.length - 1;
    cut(segment.text, i === 0, last, everywhere, mode === 'argument', found);
  }
  return found;
}

function cut(
  source: string,
  first: boolean,
  last: boolean,
  everywhere: boolean,
  argument: boolean,
  to: Segment[],
): void {
  let from = 0;
  const put = (end: number) => {
    if (end > from) to.push({ kind: 'text', text: source.slice(from, end), quoted: false });
  };
  const named = argument && first ? (NAME.exec(source)?.[0].length ?? 0) : 0;
  for (let at = source.indexOf('~'); at >= 0; at = source.indexOf('~', at + 1)) {
    const begins = named > 0 ? at === named : first && at === 0;
    if (!begins && !(everywhere && at > 0 && source[at - 1] === ':' && (!argument || named > 0 || !first)))
      continue;
    const rest = source.slice(at + 1);
    const end = rest.search(everywhere ? /[/:]/ : /\//);
    if (end < 0 && !last) continue;
    const user = end < 0 ? rest : rest.slice(0, end);
    put(at);
    to.push({ kind: 'tilde', user });
    from = at + 1 + user.length;
  }
  put(source.length);
}
