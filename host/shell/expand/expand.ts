/**
 * Word expansion: tildes, parameters, commands, arithmetic; then fields and pathnames.
 *
 * Expansion waits only for command substitutions. It is written as generators that yield what they
 * wait for, and `drive` runs one to its end at once if it waits for nothing.
 */
import type { List, ParameterSegment, Segment, Word } from '../syntax/ast.ts';
import { type Field, FieldSink, PatternSink, type Sink, TextSink } from './fields.ts';
import { Pattern } from './pattern.ts';

export type Expanding<T> = Generator<Promise<string> | string, T, string>;

/** What expansion needs of the shell. */
export interface ExpansionHost {
  readonly positional: readonly string[];
  /** IFS, or its default. */
  readonly ifs: string;
  /** set -u */
  readonly nounset: boolean;
  /** set -f */
  readonly noglob: boolean;
  /** A variable or special parameter. */
  parameter(name: string): string | undefined;
  assign(name: string, value: string): void;
  substitute(body: List): Promise<string>;
  arithmetic(text: string): string;
  /** The directory for `~user`; undefined if nobody is called so. */
  home(user: string): string | undefined;
  /** The paths that a pattern matches, sorted. */
  glob(pattern: string): string[];
  /** An expansion that fails ends the command, or the shell. */
  fail(message: string): never;
}

/** Run a generator: its result at once if nothing in it waits. */
export function drive<T>(steps: Expanding<T>): T | Promise<T> {
  for (let step = steps.next(''); ; ) {
    if (step.done) return step.value;
    if (typeof step.value !== 'string') return finish(steps, step.value);
    step = steps.next(step.value);
  }
}

async function finish<T>(steps: Expanding<T>, first: Promise<string>): Promise<T> {
  let waited: string | Promise<string> = first;
  for (;;) {
    let value: string;
    try {
      value = await waited;
    } catch (error) {
      const step = steps.throw(error);
      if (step.done) return step.value;
      waited = step.value;
      continue;
    }
    const step = steps.next(value);
    if (step.done) return step.value;
    waited = step.value;
  }
}

export class Expander {
  readonly #host: ExpansionHost;

  constructor(host: ExpansionHost) {
    this.#host = host;
  }

  /** Words to the arguments they make. */
  fields(words: readonly Word[]): string[] | Promise<string[]> {
    return drive(this.#fields(words));
  }

  /** A word to one text: no splitting, no pathnames. */
  text(word: Word): string | Promise<string> {
    return word.literal ?? drive(this.#text(word, false));
  }

  /** A word to a pattern. */
  pattern(word: Word): Pattern | Promise<Pattern> {
    return drive(this.#pattern(word));
  }

  *#fields(words: readonly Word[]): Expanding<string[]> {
    const result: string[] = [];
    for (const word of words) {
      if (word.literal !== undefined) result.push(word.literal);
      else if (word.assignment) result.push(yield* this.#text(word, false));
      else {
        const sink = new FieldSink(this.#host.ifs);
        yield* this.#segments(word.segments, sink, false);
        for (const field of sink.end()) this.#pathnames(field, result);
      }
    }
    return result;
  }

  #pathnames({ text, pattern }: Field, to: string[]): void {
    if (pattern === undefined || this.#host.noglob) to.push(text);
    else {
      const paths = this.#host.glob(pattern);
      if (paths.length === 0) to.push(text);
      else for (const path of paths) to.push(path);
    }
  }

  *#text(word: Word, nested: boolean): Expanding<string> {
    if (word.literal !== undefined) return word.literal;
    const sink = new TextSink();
    yield* this.#segments(word.segments, sink, nested);
    return sink.text;
  }

  *#pattern(word: Word): Expanding<Pattern> {
    const sink = new PatternSink();
    yield* this.#segments(word.segments, sink, false);
    return Pattern.of(sink.pattern);
  }

  /** @param nested  the word stands in an unquoted expansion: its own text is split as well */
  *#segments(segments: readonly Segment[], sink: Sink, nested: boolean): Expanding<void> {
    for (const segment of segments) {
      switch (segment.kind) {
        case 'text':
          if (segment.quoted) sink.quoted(segment.text);
          else if (nested) sink.result(segment.text);
          else sink.literal(segment.text);
          break;
        case 'tilde': {
          const home = this.#host.home(segment.user);
          if (home === undefined) sink.literal(`~${segment.user}`);
          else sink.quoted(home);
          break;
        }
        case 'parameter':
          if (segment.operator === undefined && segment.name !== '@' && segment.name !== '*') {
            this.#plain(segment, sink);
          } else yield* this.#parameter(segment, sink);
          break;
        case 'command': {
          const text: string = yield this.#host.substitute(segment.body);
          emit(sink, text, segment.quoted);
          break;
        }
        default: {
          const text: string = yield* this.#text(segment.expression, false);
          emit(sink, this.#host.arithmetic(text), segment.quoted);
        }
      }
    }
  }

  /** `$name` */
  #plain({ name, quoted }: ParameterSegment, sink: Sink): void {
    const value = this.#host.parameter(name);
    if (value === undefined && this.#host.nounset) this.#host.fail(`${name}: parameter not set`);
    emit(sink, value ?? '', quoted);
  }

  *#parameter(segment: ParameterSegment, sink: Sink): Expanding<void> {
    const { name, operator, operand, quoted } = segment;
    if (operator === 'bad') this.#host.fail('Bad substitution');
    const many = name === '@' || name === '*';
    const value = many ? this.#joined() : this.#host.parameter(name);
    const isSet = many ? this.#host.positional.length > 0 : value !== undefined;
    const present = isSet && !(operator?.startsWith(':') && value === '');
    if (
      operator === undefined ||
      operator.endsWith('-') ||
      operator.endsWith('=') ||
      operator.endsWith('?')
    ) {
      if (present) this.#whole(segment, value ?? '', sink);
      else if (operator === undefined) {
        if (!many && this.#host.nounset) this.#host.fail(`${name}: parameter not set`);
        if (quoted && name !== '@') sink.quoted('');
      } else yield* this.#absent(segment, sink);
      return;
    }
    if (operator.endsWith('+')) {
      if (present && operand !== undefined) yield* this.#segments(operand.segments, sink, !quoted);
      if (quoted && name !== '@') sink.quoted('');
      return;
    }
    if (!isSet && !many && this.#host.nounset) this.#host.fail(`${name}: parameter not set`);
    if (operator === 'length') {
      const count = name === '@' || name === '*' ? this.#host.positional.length : [...(value ?? '')].length;
      emit(sink, String(count), quoted);
    } else emit(sink, yield* this.#removed(segment, value ?? ''), quoted);
  }

  *#removed({ operator, operand }: ParameterSegment, value: string): Expanding<string> {
    if (operand === undefined) return value;
    const pattern = yield* this.#pattern(operand);
    const longest = operator?.length === 2;
    return operator?.startsWith('#')
      ? pattern.withoutPrefix(value, longest)
      : pattern.withoutSuffix(value, longest);
  }

  /** A parameter as it is; `@` and `*` as the fields they are. */
  #whole({ name, quoted }: ParameterSegment, value: string, sink: Sink): void {
    if (name !== '@' && name !== '*') {
      emit(sink, value, quoted);
      return;
    }
    if (name === '*' && (quoted || sink instanceof TextSink)) {
      emit(sink, value, quoted);
      return;
    }
    for (const [i, parameter] of this.#host.positional.entries()) {
      if (i > 0) sink.separate(quoted);
      emit(sink, parameter, quoted);
    }
  }

  /** The positional parameters with IFS's first character between them. */
  #joined(): string {
    return this.#host.positional.join(this.#host.ifs.slice(0, 1));
  }

  /** `-`, `=` and `?` of a parameter that is not there. */
  *#absent(segment: ParameterSegment, sink: Sink): Expanding<void> {
    const { name, operator = '', operand, quoted } = segment;
    if (operator.endsWith('-')) {
      if (operand !== undefined) yield* this.#segments(operand.segments, sink, !quoted);
      if (quoted) sink.quoted('');
      return;
    }
    const text = operand === undefined ? '' : yield* this.#text(operand, false);
    if (operator.endsWith('=')) {
      if (!/^[A-Za-z_]/.test(name)) this.#host.fail(`${name}: bad variable name`);
      this.#host.assign(name, text);
      emit(sink, this.#host.parameter(name) ?? '', quoted);
      return;
    }
    const what = operator === ':?' ? 'parameter not set or null' : 'parameter not set';
    this.#host.fail(`${name}: ${text === '' ? what : text}`);
  }
}

function emit(sink: Sink, text: string, quoted: boolean): void {
  if (quoted) sink.quoted(text);
  else sink.result(text);
}
