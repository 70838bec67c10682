/** Earlier lines, kept in the machine: in $HISTFILE, or ~/.sh_history. */
import { decodeBytes, encodeBytes } from '../../syscalls/bytes.ts';
import { isEnded } from '../errors.ts';
import type { Shell } from '../shell.ts';

const DEFAULT_SIZE = 1000;
const FILE_MODE = 0o600;

export class History {
  readonly #shell: Shell;
  #lines: string[];

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#lines = this.#load();
  }

  /** The oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get #path(): string | undefined {
    const { variables } = this.#shell.state;
    const home = variables.get('HOME');
    const path = variables.get('HISTFILE') ?? (home === undefined ? '' : `${home}/.sh_history`);
    return path === '' ? undefined : path;
  }

  get #size(): number {
    const given = Number(this.#shell.state.variables.get('HISTSIZE') ?? DEFAULT_SIZE);
    return Number.isSafeInteger(given) && given >= 0 ? given : DEFAULT_SIZE;
  }

  #load(): string[] {
    const path = this.#path;
    if (path === undefined) return [];
    try {
      const text = decodeBytes(this.#shell.context.fs.readFileSync(path));
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.slice(Math.max(0, lines.length - this.#size));
    } catch (error) {
      if (isEnded(error)) throw error;
      return [];
    }
  }

  /** A line has been given: keep it, here and in the file. */
  add(line: string): void {
    if (line.trim() === '' || line === this.#lines.at(-1)) return;
    this.#lines.push(line);
    const size = this.#size;
    const grown = this.#lines.length > size;
    if (grown) this.#lines = this.#lines.slice(this.#lines.length - size);
    const path = this.#path;
    if (path === undefined) return;
    const { fs } = this.#shell.context;
    try {
      const text = grown ? this.#lines.map((each) => `${each}\n`).join('') : `${line}\n`;
      const options = { mode: FILE_MODE, flag: grown ? 'w' : 'a' };
      fs.writeFileSync(path, encodeBytes(text), options);
    } catch (error) {
      // A history that cannot be written is kept for this session only.
      if (isEnded(error)) throw error;
    }
  }
}
