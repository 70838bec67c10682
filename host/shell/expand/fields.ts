/** Where expanded words go: fields (split and with their patterns kept), one text, or a pattern. */
import { escapePattern, isPattern } from './pattern.ts';

export interface Sink {
  /** Unquoted text of the word itself. */
  literal(text: string): void;
  /** Quoted text, maybe empty. */
  quoted(text: string): void;
  /** What an unquoted expansion gave. */
  result(text: string): void;
  /** Between two positional parameters. @param quoted  of "$@" */
  separate(quoted: boolean): void;
}

/** A field, and if it is a pattern for pathname expansion, that. */
export interface Field {
  readonly text: string;
  readonly pattern: string | undefined;
}

const WHITE = ' \t\n';
const MAGIC = /[*?[\\]/;

/** Builds fields, splitting at the characters of IFS. */
export class FieldSink implements Sink {
  readonly fields: Field[] = [];
  readonly #ifs: string;
  #open = false;
  #text = '';
  #pattern = '';
  #magic = false;
  /** White space of IFS has just ended a field: a delimiter that follows belongs to it. */
  #white = false;

  constructor(ifs: string) {
    this.#ifs = ifs;
  }

  literal(text: string): void {
    this.#open = true;
    this.#white = false;
    this.#plain(text);
  }

  quoted(text: string): void {
    this.#open = true;
    this.#white = false;
    this.#text += text;
    this.#pattern += MAGIC.test(text) || this.#magic ? escapePattern(text) : text;
  }

  result(text: string): void {
    if (this.#ifs === '') {
      if (text !== '') this.literal(text);
      return;
    }
    // A delimiter is of one expansion, as dash has it.
    this.#white = false;
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const c = text[at];
      if (!this.#ifs.includes(c)) continue;
      if (at > from) this.literal(text.slice(from, at));
      from = at + 1;
      this.#delimiter(c);
    }
    if (from < text.length) this.literal(text.slice(from));
  }

  separate(quoted: boolean): void {
    if (quoted) this.#close();
    else if (this.#open) this.#close();
    this.#white = false;
  }

  end(): Field[] {
    if (this.#open) this.#close();
    return this.fields;
  }

  #plain(text: string): void {
    if (!this.#magic && MAGIC.test(text)) this.#magic = true;
    this.#text += text;
    this.#pattern += text;
  }

  #delimiter(c: string): void {
    if (WHITE.includes(c)) {
      if (!this.#open) return;
      this.#close();
      this.#white = true;
      return;
    }
    if (this.#white && !this.#open) this.#white = false;
    else this.#close();
  }

  #close(): void {
    const pattern = this.#magic && isPattern(this.#pattern) ? this.#pattern : undefined;
    this.fields.push({ text: this.#text, pattern });
    this.#open = false;
    this.#text = '';
    this.#pattern = '';
    this.#magic = false;
    this.#white = false;
  }
}

/** Everything as one text: assignments, here-documents, the word of `case`. */
export class TextSink implements Sink {
  text = '';

  literal(text: string): void {
    this.text += text;
  }

  quoted(text: string): void {
    this.text += text;
  }

  result(text: string): void {
    this.text += text;
  }

  separate(): void {
    this.text += ' ';
  }
}

/** A pattern in which quoted characters are meant as they are. */
export class PatternSink implements Sink {
  pattern = '';

  literal(text: string): void {
    this.pattern += text;
  }

  quoted(text: string): void {
    this.pattern += escapePattern(text);
  }

  result(text: string): void {
    this.pattern += text;
  }

  separate(): void {
    this.pattern += ' ';
  }
}
