/** What Linux has open: a file handle is a descriptor of the server's process, if it is one that was given. */

export interface OpenFile {
  readonly fd: number;
  /** The node that it was opened by. */
  readonly id: number;
  readonly directory: boolean;
  /** Of a directory: where its descriptor stands. */
  position: number;
}

/** Of the 16,384 descriptors that a process of the machine can have, some are for nodes: lookups must go on. */
const OPEN_MAX = 15_000;

export class Files {
  readonly #open: (OpenFile | undefined)[] = [];
  #count = 0;

  /** No more can be open. */
  get full(): boolean {
    return this.#count >= OPEN_MAX;
  }

  add(fd: number, id: number, directory: boolean): void {
    this.#open[fd] = { fd, id, directory, position: 0 };
    this.#count++;
  }

  /** @param fh  as a request has it: any number */
  get(fh: number): OpenFile | undefined {
    return this.#open[fh];
  }

  /** One that is open. */
  remove(fh: number): void {
    this.#open[fh] = undefined;
    this.#count--;
  }

  close(close: (fd: number) => void): void {
    for (const file of this.#open) if (file !== undefined) close(file.fd);
    this.#open.length = 0;
    this.#count = 0;
  }
}
