/** The colours of names, by LS_COLORS and dircolors' defaults. */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '../../../assembly/abi/flags.ts';

const DEFAULTS: Readonly<Record<string, string>> = {
  di: '01;34',
  ln: '01;36',
  pi: '33',
  so: '01;35',
  bd: '01;33',
  cd: '01;33',
  su: '37;41',
  sg: '30;43',
  tw: '30;42',
  ow: '34;42',
  st: '37;44',
  ex: '01;32',
};

const TYPES = new Map([
  [S_IFLNK, 'ln'],
  [S_IFIFO, 'pi'],
  [S_IFSOCK, 'so'],
  [S_IFBLK, 'bd'],
  [S_IFCHR, 'cd'],
]);

export class Colors {
  readonly #codes: Record<string, string>;
  readonly #suffixes: [suffix: string, code: string][] = [];
  #begun = false;

  constructor(setting: string | undefined) {
    this.#codes = { ...DEFAULTS };
    for (const part of (setting ?? '').split(':')) {
      const [key, code] = part.split('=');
      if (code === undefined) continue;
      if (key.startsWith('*')) this.#suffixes.unshift([key.slice(1), code]);
      else this.#codes[key] = code;
    }
  }

  #code(key: string): string | undefined {
    const code = this.#codes[key];
    return code === undefined || code === '' || /^0+$/.test(code) ? undefined : code;
  }

  #directory(mode: number): string | undefined {
    if (mode & S_ISVTX && mode & 0o002 && this.#code('tw')) return this.#code('tw');
    if (mode & 0o002 && this.#code('ow')) return this.#code('ow');
    if (mode & S_ISVTX && this.#code('st')) return this.#code('st');
    return this.#code('di');
  }

  #regular(name: string, mode: number): string | undefined {
    if (mode & S_ISUID && this.#code('su')) return this.#code('su');
    if (mode & S_ISGID && this.#code('sg')) return this.#code('sg');
    if (mode & 0o111 && this.#code('ex')) return this.#code('ex');
    return this.#suffixes.find(([suffix]) => name.endsWith(suffix))?.[1] ?? this.#code('fi');
  }

  #codeOf(name: string, mode: number, broken: boolean): string | undefined {
    const type = mode & S_IFMT;
    if (type === S_IFDIR) return this.#directory(mode);
    if (type === S_IFREG) return this.#regular(name, mode);
    if (type === S_IFLNK && broken && this.#code('or')) return this.#code('or');
    return this.#code(TYPES.get(type) ?? 'fi');
  }

  /** Are links' targets looked at, and painted? */
  get paintsTargets(): boolean {
    return this.#code('or') !== undefined || this.#code('mi') !== undefined;
  }

  /** What a link that leads nowhere would lead to. */
  paintMissing(shown: string): string {
    return this.#painted(shown, this.#code('mi'));
  }

  /** A name in its colour. `broken`: a link that leads nowhere. */
  paint(shown: string, name: string, mode: number, broken = false): string {
    return this.#painted(shown, this.#codeOf(name, mode, broken));
  }

  #painted(shown: string, code: string | undefined): string {
    if (code === undefined) return shown;
    const lead = this.#begun ? '' : '\x1b[0m';
    this.#begun = true;
    return `${lead}\x1b[${code}m${shown}\x1b[0m`;
  }
}
