/// <reference types="node" preserve="true" />
/**
 * The type of `machine.fs`: node:fs as the reader's own @types/node declares it, without what is
 * not offered (docs/fs.md says why), and with what an older @types/node does not declare yet.
 */
import type * as nodeFs from 'node:fs';

/**
 * What node:fs has and the machine's `fs` has not. (`lchmod` and `lchmodSync` are declared and not
 * there, as in Node on Linux: who asks for all of node:fs gets what it gets there.)
 */
export type NotOffered = '_toUnixTimestamp' | 'Utf8Stream' | 'default' | 'module.exports';

type NodeModule = typeof nodeFs;
type Offered = Omit<NodeModule, NotOffered | 'promises'>;

export interface GlobOptions {
  /** Where relative patterns start; the working directory if absent. */
  cwd?: string | URL | undefined;
  /** Leaves out what it returns true for, or what any of the patterns matches. */
  exclude?: ((item: string) => boolean) | readonly string[] | undefined;
  withFileTypes?: false | undefined;
  /** "**" descends into links to directories. */
  followSymlinks?: boolean | undefined;
}

export interface GlobEntryOptions extends Omit<GlobOptions, 'withFileTypes' | 'exclude'> {
  exclude?: ((item: nodeFs.Dirent) => boolean) | readonly string[] | undefined;
  withFileTypes: true;
}

type Patterns = string | readonly string[];
type GlobCallback<T> = (error: NodeJS.ErrnoException | null, matches: T[]) => void;

/** A directory that is removed, with all in it, when it is disposed of. */
export interface DisposableTempDir extends Disposable {
  readonly path: string;
  remove(): void;
}

export interface AsyncDisposableTempDir extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

interface Newer {
  glob(pattern: Patterns, callback: GlobCallback<string>): void;
  glob(pattern: Patterns, options: GlobEntryOptions, callback: GlobCallback<nodeFs.Dirent>): void;
  glob(pattern: Patterns, options: GlobOptions, callback: GlobCallback<string>): void;
  globSync(pattern: Patterns, options?: GlobOptions): string[];
  globSync(pattern: Patterns, options: GlobEntryOptions): nodeFs.Dirent[];
  mkdtempDisposableSync(prefix: string, options?: nodeFs.EncodingOption): DisposableTempDir;
}

interface NewerPromises {
  glob(pattern: Patterns, options?: GlobOptions): AsyncIterableIterator<string>;
  glob(pattern: Patterns, options: GlobEntryOptions): AsyncIterableIterator<nodeFs.Dirent>;
  mkdtempDisposable(prefix: string, options?: nodeFs.EncodingOption): Promise<AsyncDisposableTempDir>;
}

export type NodeFsPromises = NodeModule['promises'] & Omit<NewerPromises, keyof NodeModule['promises']>;

/** node:fs on the machine. */
export type NodeFs = Offered & Omit<Newer, keyof NodeModule> & { promises: NodeFsPromises };
