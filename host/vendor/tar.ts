/** tar-stream, bundled when the package is built, so that who installs it installs nothing more. */
import * as tar from 'tar-stream';

export interface TarHeader {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  uname: string;
  gname: string;
  size: number;
  mtime: Date;
  type: string;
  linkname: string | null;
  devmajor: number;
  devminor: number;
  /** Extended header records. */
  pax?: Record<string, string>;
}

export interface TarEntry extends AsyncIterable<Uint8Array> {
  readonly header: TarHeader;
  /** What is left is skipped. */
  resume(): void;
}

export interface TarSink {
  write(chunk: Uint8Array): boolean;
  end(): void;
  once(event: 'drain' | 'close', listener: () => void): void;
  once(event: 'error', listener: (error: Error) => void): void;
}

export interface TarPack extends AsyncIterable<Uint8Array> {
  /** @param done  called when the entry is complete */
  entry(header: Partial<TarHeader>, done: (error?: Error | null) => void): TarSink;
  /** Blocks of the caller's own, between entries. */
  push(chunk: Uint8Array): boolean;
  finalize(): void;
  destroy(error?: Error): void;
}

export interface TarExtract extends AsyncIterable<TarEntry> {
  write(chunk: Uint8Array): boolean;
  end(): void;
  once(event: 'drain', listener: () => void): void;
  destroy(error?: Error): void;
}

export const pack = tar.pack as unknown as () => TarPack;
export const extract = tar.extract as unknown as (options: { filenameEncoding: string }) => TarExtract;
