/**
 * A program as its author would write it, with nothing in it of where its files lie: notes in a
 * directory, an index of them, a log that is only appended to. mock.test.ts replaces its node:fs.
 */
import fs, { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

export class Notes {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    if (!existsSync(directory)) fs.mkdirSync(directory, { recursive: true });
  }

  /** Replaces the note as a whole: a reader sees the old text or the new one. */
  async save(title: string, text: string): Promise<void> {
    const file = this.#file(title);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
    fs.appendFileSync(path.join(this.#directory, 'log'), `saved ${title}\n`);
  }

  load(title: string): Promise<string> {
    return readFile(this.#file(title), 'utf8');
  }

  async titles(): Promise<string[]> {
    const names = await readdir(this.#directory, { recursive: true });
    return names
      .filter((name) => name.endsWith('.md'))
      .map((name) => name.slice(0, -3))
      .sort();
  }

  get log(): string[] {
    return readFileSync(path.join(this.#directory, 'log'), 'utf8').trimEnd().split('\n');
  }

  async remove(title: string): Promise<void> {
    await rm(this.#file(title));
  }

  async compress(title: string): Promise<void> {
    const file = this.#file(title);
    await pipeline(fs.createReadStream(file), createGzip(), fs.createWriteStream(`${file}.gz`));
  }

  async decompress(title: string): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of fs.createReadStream(`${this.#file(title)}.gz`).pipe(createGunzip()))
      chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  #file(title: string): string {
    return path.join(this.#directory, `${title}.md`);
  }
}
