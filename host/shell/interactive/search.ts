/** ^R: earlier lines that hold what is typed, the newest first, as readline shows them. */
import { Buffer } from '#platform';

/** The line that is edited, as Node's Interface has it. */
export interface Edited {
  line: string;
  cursor: number;
  setPrompt(prompt: string): void;
  prompt(preserveCursor?: boolean): void;
}

const ABORT = [0x03, 0x07];
const AGAIN = 0x12;
const ERASE = [0x08, 0x7f];
const BLANK = 0x20;

export const SEARCH_KEY = AGAIN;

export class HistorySearch {
  readonly #edited: Edited;
  readonly #history: readonly string[];
  readonly #prompt: string;
  readonly #before: { line: string; cursor: number };
  #query: Buffer = Buffer.alloc(0);
  /** Where the match is; the length of the history: none yet. */
  #at: number;
  #failed = false;

  constructor(edited: Edited, history: readonly string[], prompt: string) {
    this.#edited = edited;
    this.#history = history;
    this.#prompt = prompt;
    this.#before = { line: edited.line, cursor: edited.cursor };
    this.#at = history.length;
    this.#show();
  }

  /** @returns 'on' while the search goes on; then what becomes of the key: it is the line's, or is used up */
  key(byte: number): 'on' | 'pass' | 'done' {
    if (ABORT.includes(byte)) {
      Object.assign(this.#edited, this.#before);
      this.#end();
      return 'done';
    }
    if (byte === AGAIN) this.#find(this.#at - 1);
    else if (ERASE.includes(byte)) {
      this.#query = Buffer.from([...this.#text].slice(0, -1).join(''));
      this.#find(this.#history.length - 1);
    } else if (byte >= BLANK) {
      this.#query = Buffer.concat([this.#query, Buffer.from([byte])]);
      this.#find(Math.min(this.#at, this.#history.length - 1));
    } else {
      this.#end();
      return 'pass';
    }
    this.#show();
    return 'on';
  }

  get #text(): string {
    return this.#query.toString();
  }

  #find(from: number): void {
    const text = this.#text;
    if (text === '') return;
    for (let at = from; at >= 0; at--) {
      const cursor = this.#history[at].indexOf(text);
      if (cursor < 0) continue;
      this.#at = at;
      this.#failed = false;
      Object.assign(this.#edited, { line: this.#history[at], cursor });
      return;
    }
    this.#failed = true;
  }

  #show(): void {
    this.#edited.setPrompt(`(${this.#failed ? 'failed ' : ''}reverse-i-search)\`${this.#text}': `);
    this.#edited.prompt(true);
  }

  #end(): void {
    this.#edited.setPrompt(this.#prompt);
    this.#edited.prompt(true);
  }
}
