/**
 * What the command prints: results on stdout, in sections; progress on stderr, as bars on a
 * terminal and as a line now and then elsewhere.
 */
import type { WriteStream } from 'node:tty';
import type { SingleBar } from 'cli-progress';
import type { CopyProgress } from '../hostfiles/entry.ts';
import { formatBytes, formatCount } from './values.ts';

type Style = (text: string) => string;

/** SGR codes, where they are wanted: on a terminal, unless NO_COLOR says otherwise. */
function styles(stream: WriteStream) {
  const coloured = stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const sgr =
    (on: number, off: number): Style =>
    (text) =>
      coloured ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), green: sgr(32, 39), cyan: sgr(36, 39) };
}

export const style = styles(process.stdout);

let hushed = false;

/** From now on standard output belongs to somebody else: what goes well is not told. */
export function hush(): void {
  hushed = true;
}

export function print(line = ''): void {
  if (!hushed) process.stdout.write(`${line}\n`);
}

/** Something a user should know that is no failure. */
export function warn(line: string): void {
  process.stderr.write(`damselfly: ${line}\n`);
}

export function heading(title: string): void {
  print();
  print(style.bold(title));
}

export function detail(line: string): void {
  print(`  ${line}`);
}

/** Plain lines come no closer together than this. */
const LINE_EVERY_MS = 5000;

export interface Meter extends CopyProgress {
  stop(): void;
}

/** How far something with a known amount of work is. Nothing stays of it on a terminal. */
export async function meter(label: string, totalFiles: number, totalBytes: number): Promise<Meter> {
  if (!process.stderr.isTTY) return new LineMeter(label, totalFiles, totalBytes);
  const { SingleBar: Bar } = (await import('cli-progress')).default;
  return new BarMeter(Bar, label, totalFiles, totalBytes);
}

/** Files count as this many bytes, so that a bar moves through many small files too. */
const FILE_WEIGHT = 16 * 1024;

class BarMeter implements Meter {
  readonly #bar: SingleBar;
  #files = 0;
  #bytes = 0;

  constructor(Bar: typeof SingleBar, label: string, totalFiles: number, totalBytes: number) {
    this.#bar = new Bar({
      format: `  ${label} {bar} {percentage}%  {files}  {size}  {eta_formatted} left`,
      stream: process.stderr,
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      fps: 8,
    });
    this.#bar.start(Math.max(1, totalBytes + totalFiles * FILE_WEIGHT), 0, this.#payload());
  }

  #payload() {
    return { files: formatCount(this.#files, 'file'), size: formatBytes(this.#bytes) };
  }

  file(): void {
    this.#files++;
    this.#bar.increment(FILE_WEIGHT, this.#payload());
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#bar.increment(count, this.#payload());
  }

  stop(): void {
    this.#bar.stop();
  }
}

class LineMeter implements Meter {
  readonly #label: string;
  readonly #totalFiles: number;
  readonly #totalBytes: number;
  #files = 0;
  #bytes = 0;
  #next = performance.now() + LINE_EVERY_MS;

  constructor(label: string, totalFiles: number, totalBytes: number) {
    this.#label = label;
    this.#totalFiles = totalFiles;
    this.#totalBytes = totalBytes;
  }

  file(): void {
    this.#files++;
    this.#tell();
  }

  bytes(count: number): void {
    this.#bytes += count;
    this.#tell();
  }

  #tell(): void {
    if (performance.now() < this.#next) return;
    this.#next = performance.now() + LINE_EVERY_MS;
    process.stderr.write(
      `${this.#label}: ${this.#files} of ${formatCount(this.#totalFiles, 'file')}, ` +
        `${formatBytes(this.#bytes)} of ${formatBytes(this.#totalBytes)}\n`,
    );
  }

  stop(): void {}
}
