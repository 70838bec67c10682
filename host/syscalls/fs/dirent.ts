import * as flag from '../../../assembly/abi/flags.ts';

/** The DT_* of an entry. */
export let direntType: (entry: Dirent<string | Buffer>) => number;

/** An entry of a directory: its name, where it is, and what type of file it names. */
export class Dirent<Name extends string | Buffer = string> {
  name: Name;
  parentPath: string;
  readonly #type: number;

  static {
    direntType = (entry) => entry.#type;
  }

  /** @param type  DT_* */
  constructor(name: Name, parentPath: string, type: number) {
    this.name = name;
    this.parentPath = parentPath;
    this.#type = type;
  }

  /** Deprecated by Node: the same as `parentPath`. */
  get path(): string {
    return this.parentPath;
  }

  isDirectory(): boolean {
    return this.#type === flag.DT_DIR;
  }
  isFile(): boolean {
    return this.#type === flag.DT_REG;
  }
  isBlockDevice(): boolean {
    return this.#type === flag.DT_BLK;
  }
  isCharacterDevice(): boolean {
    return this.#type === flag.DT_CHR;
  }
  isSymbolicLink(): boolean {
    return this.#type === flag.DT_LNK;
  }
  isFIFO(): boolean {
    return this.#type === flag.DT_FIFO;
  }
  isSocket(): boolean {
    return this.#type === flag.DT_SOCK;
  }
}
