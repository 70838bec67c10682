/** The shell's own switches: `set -e` and `set -o errexit` are the same one. */

/** Letter (or none) and name, in the order in which `set -o` shows them. */
export const OPTIONS = [
  ['e', 'errexit'],
  ['f', 'noglob'],
  ['I', 'ignoreeof'],
  ['i', 'interactive'],
  ['m', 'monitor'],
  ['n', 'noexec'],
  ['s', 'stdin'],
  ['x', 'xtrace'],
  ['v', 'verbose'],
  ['V', 'vi'],
  ['E', 'emacs'],
  ['C', 'noclobber'],
  ['a', 'allexport'],
  ['b', 'notify'],
  ['u', 'nounset'],
  ['h', 'hashall'],
  ['', 'pipefail'],
] as const;

export type OptionName = (typeof OPTIONS)[number][1];

export class Options {
  readonly #on: Set<OptionName>;
  // Looked at for every command.
  errexit: boolean;
  nounset: boolean;
  xtrace: boolean;
  noexec: boolean;

  constructor(on: Iterable<OptionName> = []) {
    this.#on = new Set(on);
    this.errexit = this.#on.has('errexit');
    this.nounset = this.#on.has('nounset');
    this.xtrace = this.#on.has('xtrace');
    this.noexec = this.#on.has('noexec');
  }

  has(name: OptionName): boolean {
    return this.#on.has(name);
  }

  set(name: OptionName, on: boolean): void {
    if (on) this.#on.add(name);
    else this.#on.delete(name);
    if (name === 'errexit' || name === 'nounset' || name === 'xtrace' || name === 'noexec') this[name] = on;
  }

  /** By letter: false if there is none such. */
  setLetter(letter: string, on: boolean): boolean {
    const found = OPTIONS.find(([each]) => each === letter && each !== '');
    if (found !== undefined) this.set(found[1], on);
    return found !== undefined;
  }

  /** By name: false if there is none such. */
  setName(name: string, on: boolean): boolean {
    const found = OPTIONS.find(([, each]) => each === name);
    if (found !== undefined) this.set(found[1], on);
    return found !== undefined;
  }

  /** `$-` */
  letters(): string {
    return OPTIONS.filter(([, name]) => this.#on.has(name))
      .map(([letter]) => letter)
      .reverse()
      .join('');
  }

  clone(): Options {
    return new Options(this.#on);
  }
}
