/** What each ext4 row does, through `node:fs` or what stands in for it. Every result is used. */
import type { LoadedTree } from './tree.ts';
import type { DiskOp } from './types.ts';

export interface DiskSubject {
  readonly fs: DiskFs;
  /** A directory on the file system. */
  readonly root: string;
  /** Everything written is on the device. */
  sync(): void;
  close(): void;
}

/** The calls that are measured. */
export type DiskFs = Pick<typeof import('node:fs'), (typeof DISK_CALLS)[number]>;
export const DISK_CALLS = [
  'closeSync',
  'fsyncSync',
  'lstatSync',
  'mkdirSync',
  'openSync',
  'readFileSync',
  'readSync',
  'readdirSync',
  'readlinkSync',
  'rmdirSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
] as const;

const SEQ_PIECE = 1 << 20;

export class DiskSteps {
  readonly #subject: DiskSubject;
  readonly #tree: LoadedTree;
  readonly #seqBytes: number;
  readonly #piece = Buffer.alloc(SEQ_PIECE, 'sequential ');
  #round = 0;

  constructor(subject: DiskSubject, tree: LoadedTree, seqBytes: number) {
    this.#subject = subject;
    this.#tree = tree;
    this.#seqBytes = seqBytes;
  }

  /** One step, and the device has what it did. @returns ms */
  run(op: DiskOp): number {
    const before = performance.now();
    this.#do(op);
    this.#subject.sync();
    const ms = performance.now() - before;
    if (op === 'ext4_seq_read') this.#removeLong();
    return ms;
  }

  /** Not measured: the next round writes a new one. */
  #removeLong(): void {
    this.#subject.fs.unlinkSync(this.#long);
    this.#subject.sync();
  }

  get #top(): string {
    return `${this.#subject.root}/tree${this.#round}`;
  }

  get #long(): string {
    return `${this.#subject.root}/long`;
  }

  #do(op: DiskOp): void {
    const steps: Record<DiskOp, () => void> = {
      ext4_create_tree: () => {
        this.#round++;
        this.#create();
      },
      ext4_stat_tree: () => this.#expect(this.#stat(), 'bytes too many or too few'),
      ext4_read_tree: () => this.#expect(this.#read(), 'files with other contents'),
      ext4_remove_tree: () => this.#remove(),
      ext4_seq_write: () => this.#write(),
      ext4_seq_read: () => this.#readLong(),
    };
    steps[op]();
  }

  #expect(bad: number, what: string): void {
    if (bad !== 0) throw new Error(`${bad} ${what}`);
  }

  #at(path: string): string {
    return path === '' ? this.#top : `${this.#top}/${path}`;
  }

  #create(): void {
    const { fs } = this.#subject;
    for (const { path, mode, data } of this.#tree.items) {
      if (data === null) fs.mkdirSync(this.#at(path), mode);
      else if (typeof data === 'string') fs.symlinkSync(data, this.#at(path));
      else fs.writeFileSync(this.#at(path), data, { mode });
    }
  }

  /** A walk: every directory read, every name looked at. */
  #stat(): number {
    const { fs } = this.#subject;
    let bytes = 0;
    const pending = [this.#top];
    for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
      for (const name of fs.readdirSync(dir)) {
        const at = `${dir}/${name}`;
        const stats = fs.lstatSync(at);
        if (stats.isDirectory()) pending.push(at);
        else if (stats.isFile()) bytes += stats.size;
      }
    }
    return Math.abs(bytes - this.#tree.facts.bytes);
  }

  #read(): number {
    const { fs } = this.#subject;
    let bad = 0;
    for (const { path, data } of this.#tree.items) {
      if (data === null) continue;
      if (typeof data === 'string') bad += fs.readlinkSync(this.#at(path)) === data ? 0 : 1;
      else bad += fs.readFileSync(this.#at(path)).length === data.length ? 0 : 1;
    }
    return bad;
  }

  #remove(): void {
    const { fs } = this.#subject;
    for (const { path, data } of [...this.#tree.items].reverse()) {
      if (data === null) fs.rmdirSync(this.#at(path));
      else fs.unlinkSync(this.#at(path));
    }
  }

  #write(): void {
    const { fs } = this.#subject;
    const fd = fs.openSync(this.#long, 'w');
    for (let at = 0; at < this.#seqBytes; at += SEQ_PIECE) fs.writeSync(fd, this.#piece, 0, SEQ_PIECE, at);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  }

  #readLong(): void {
    const { fs } = this.#subject;
    const fd = fs.openSync(this.#long, 'r');
    let bytes = 0;
    for (;;) {
      const got = fs.readSync(fd, this.#piece, 0, SEQ_PIECE, bytes);
      if (got === 0) break;
      bytes += got;
    }
    fs.closeSync(fd);
    this.#expect(bytes - this.#seqBytes, 'bytes too many or too few');
  }
}
