/**
 * Where commands come from: lines put together until they are complete commands, from a text, from
 * a descriptor, or from a person.
 */
import { ESPIPE } from '../../assembly/abi/errno.ts';
import { SEEK_CUR } from '../../assembly/abi/flags.ts';
import { concatenate, decodeBytes } from '../syscalls/bytes.ts';
import { isSyscallError } from './errors.ts';
import type { Shell } from './shell.ts';
import { expandAliases } from './syntax/aliases.ts';
import type { List } from './syntax/ast.ts';
import { ShellSyntaxError } from './syntax/errors.ts';
import { parseShell } from './syntax/parse.ts';

const CHUNK_BYTES = 4096;
const NEWLINE = 10;
/** An odd number of backslashes, and the end of the line. */
const CONTINUES = /(?:^|[^\\])(?:\\\\)*\\\n$/;
const COMMENT = /(?:^|[\s;&|()])#[^\n]*\n$/;

export class CommandAssembler {
  readonly #shell: Shell;
  /** `set -v` shows the lines. */
  readonly #shown: boolean;
  #text = '';
  /** Line of the text's first line, and of the next one to come. */
  #first = 1;
  #next = 1;

  constructor(shell: Shell, shown = true) {
    this.#shell = shell;
    this.#shown = shown;
  }

  /** Has a command begun that is not complete? */
  get pending(): boolean {
    return this.#text !== '';
  }

  /** The commands that this line completes, if it does. @throws ShellSyntaxError */
  add(line: string): List | undefined {
    if (this.#shown && this.#shell.state.options.has('verbose')) this.#shell.writeNow(2, line);
    this.#text += line;
    this.#next++;
    return this.#take(false);
  }

  /** No more lines come. @throws ShellSyntaxError */
  finish(): List | undefined {
    return this.#text === '' ? undefined : this.#take(true);
  }

  /** Forget what has begun. */
  reset(): void {
    this.#text = '';
    this.#first = this.#next;
  }

  #take(last: boolean): List | undefined {
    const text = this.#text;
    if (!last && CONTINUES.test(text) && !COMMENT.test(text)) return undefined;
    try {
      const { aliases } = this.#shell.state;
      const source = aliases.size === 0 ? text : expandAliases(text, aliases);
      const { list, openHere } = parseShell(source, this.#first);
      if (openHere && !last) return undefined;
      this.reset();
      return list.items.length === 0 ? undefined : list;
    } catch (error) {
      if (!last && error instanceof ShellSyntaxError && error.incomplete) return undefined;
      this.reset();
      throw error;
    }
  }
}

/** Lines of a descriptor, of which no byte beyond the line is taken from those who share it. */
export class LineReader {
  readonly #shell: Shell;
  readonly #fd: number;
  #seekable: boolean | undefined;

  constructor(shell: Shell, fd: number) {
    this.#shell = shell;
    this.#fd = fd;
  }

  /** The next line with its end, or undefined at the end of the file. */
  async line(): Promise<string | undefined> {
    this.#seekable ??= this.#canSeek();
    const bytes = this.#seekable ? await this.#ahead() : await this.#byByte();
    return bytes.length === 0 ? undefined : decodeBytes(bytes);
  }

  #canSeek(): boolean {
    try {
      this.#shell.process.lseek(this.#fd, 0, SEEK_CUR);
      return true;
    } catch (error) {
      if (isSyscallError(error) && error.errno === -ESPIPE) return false;
      throw error;
    }
  }

  async #read(buffer: Uint8Array): Promise<number> {
    return this.#shell.retry(() => this.#shell.data.readLater(this.#fd, buffer, 0, buffer.length, -1));
  }

  /** Read chunks, and go back to the end of the line. */
  async #ahead(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = await this.#read(chunk);
      if (count === 0) return concatenate(chunks.length === 0 ? [chunk.subarray(0, 0)] : chunks);
      const end = chunk.subarray(0, count).indexOf(NEWLINE);
      if (end < 0) {
        chunks.push(chunk.subarray(0, count));
        continue;
      }
      chunks.push(chunk.subarray(0, end + 1));
      if (end + 1 < count) this.#shell.process.lseek(this.#fd, end + 1 - count, SEEK_CUR);
      return concatenate(chunks);
    }
  }

  async #byByte(): Promise<Uint8Array> {
    const bytes: number[] = [];
    const one = new Uint8Array(1);
    while ((await this.#read(one)) > 0) {
      bytes.push(one[0]);
      if (one[0] === NEWLINE) break;
    }
    return Uint8Array.from(bytes);
  }
}
