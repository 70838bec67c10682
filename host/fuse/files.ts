/** What Linux has open: a file handle is a descriptor of the server's process, if it is one that was given. */

export interface OpenFile {
  readonly fd: number;
  /** The node that it was opened by. */
  readonly id: number;
  readonly directory: boolean;
  /** Of a directory: where its descriptor stands. */
  position: number;
}

export class Files {
  readonly #open: (OpenFile | undefined)[] = [];

  add(fd: number, id: number, directory: boolean): void {
    this.#open[fd] = { fd, id, directory, position: 0 };
  }

  /** @param fh  as a request has it: any number */
  get(fh: number): OpenFile | undefined {
    return this.#open[fh];
  }

  remove(fh: number): void {
    this.#open[fh] = undefined;
  }

  get count(): number {
    return this.#open.reduce((n, file) => (file === undefined ? n : n + 1), 0);
  }

  close(close: (fd: number) => void): void {
    for (const file of this.#open) if (file !== undefined) close(file.fd);
    this.#open.length = 0;
  }
}
