/**
 * just-bash's text filters, bundled when the package is built, so that who installs it installs
 * nothing more. What is used of it is its public API: a shell whose one command line is the filter,
 * with a file system of ours below.
 */
import { encodeBytes } from '../syscalls/bytes.ts';
import { Bash, type IFileSystem, type ExecResult } from 'just-bash/browser';

/** What a filter asks of files. Errors are system calls' errors. */
export interface FilterFiles {
  read(path: string): Promise<Uint8Array>;
  write(path: string, data: Uint8Array, append: boolean): Promise<void>;
  stat(path: string, follow: boolean): FilterStat;
  list(path: string): string[];
  mkdir(path: string, recursive: boolean): void;
  remove(path: string, options: { recursive: boolean; force: boolean }): void;
  rename(from: string, to: string): void;
  chmod(path: string, mode: number): void;
  symlink(target: string, path: string): void;
  link(target: string, path: string): void;
  readlink(path: string): string;
  realpath(path: string): string;
  utimes(path: string, atime: Date, mtime: Date): void;
}

export interface FilterStat {
  isFile: boolean;
  isDirectory: boolean;
  isSymbolicLink: boolean;
  mode: number;
  size: number;
  mtime: Date;
  dev: number;
  ino: number;
}

export interface FilterResult {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

/** A filter in the surroundings of one process. */
export interface Filter {
  run(args: readonly string[], stdin: Uint8Array): Promise<FilterResult>;
}

export interface FilterOptions {
  name: string;
  files: FilterFiles;
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** There is a machine with limits of its own around it. (It reckons with them in 32 bits.) */
const UNLIMITED = 2 ** 31 - 1;
const LIMITS = [
  'maxWorkUnits',
  'maxAwkIterations',
  'maxSedIterations',
  'maxJqIterations',
  'maxQueryElements',
  'maxTraversalEntries',
  'maxTraversalWork',
  'maxLiveBytes',
  'maxInputBytes',
  'maxOutputSize',
  'maxStringLength',
  'maxArrayElements',
] as const;

const CHUNK = 32768;

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return text;
}

function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const isBytes = (text: string) => !/[^\0-\u00ff]/.test(text);

/** Bytes that are no UTF-8 are taken for Latin-1 by the filters, and so they come out again. */
class Encoding {
  #foreign = false;

  /** Remember what kind of text was read. */
  look(bytes: Uint8Array): Uint8Array {
    if (this.#foreign) return bytes;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      this.#foreign = true;
    }
    return bytes;
  }

  encode(text: string, binary: boolean): Uint8Array {
    return (binary || this.#foreign) && isBytes(text) ? fromLatin1(text) : encodeBytes(text);
  }
}

function resolve(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

type Encoded = string | { encoding?: string | null } | undefined;
const encodingOf = (options: Encoded) => (typeof options === 'string' ? options : options?.encoding);
const isBinary = (options: Encoded) => /^(binary|latin1|ascii)$/.test(encodingOf(options) ?? '');

function fileSystem(files: FilterFiles, encoding: Encoding): IFileSystem {
  const bytes = async (path: string) => encoding.look(await files.read(path));
  const data = (content: string | Uint8Array, options: Encoded) =>
    typeof content === 'string' ? encoding.encode(content, isBinary(options)) : content;
  const system = {
    readFile: async (path: string, options?: Encoded) => {
      const content = await bytes(path);
      return isBinary(options)
        ? latin1(content)
        : new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
    },
    readFileBytes: async (path: string) => latin1(await bytes(path)),
    readFileBuffer: bytes,
    writeFile: (path: string, content: string | Uint8Array, options?: Encoded) =>
      files.write(path, data(content, options), false),
    appendFile: (path: string, content: string | Uint8Array, options?: Encoded) =>
      files.write(path, data(content, options), true),
    exists: async (path: string) => {
      try {
        files.stat(path, true);
        return true;
      } catch {
        return false;
      }
    },
    stat: async (path: string) => files.stat(path, true),
    lstat: async (path: string) => files.stat(path, false),
    mkdir: async (path: string, options?: { recursive?: boolean }) =>
      files.mkdir(path, options?.recursive ?? false),
    readdir: async (path: string) => files.list(path),
    rm: async (path: string, options?: { recursive?: boolean; force?: boolean }) =>
      files.remove(path, { recursive: options?.recursive ?? false, force: options?.force ?? false }),
    cp: async (from: string, to: string) => files.write(to, await files.read(from), false),
    mv: async (from: string, to: string) => files.rename(from, to),
    resolvePath: resolve,
    getAllPaths: () => [],
    chmod: async (path: string, mode: number) => files.chmod(path, mode),
    symlink: async (target: string, path: string) => files.symlink(target, path),
    link: async (target: string, path: string) => files.link(target, path),
    readlink: async (path: string) => files.readlink(path),
    realpath: async (path: string) => files.realpath(path),
    utimes: async (path: string, atime: Date, mtime: Date) => files.utimes(path, atime, mtime),
  };
  // The shell's own byte strings are strings with a brand that has no value.
  return system as unknown as IFileSystem;
}

export function createFilter({ name, files, cwd, env }: FilterOptions): Filter {
  const encoding = new Encoding();
  let result: ExecResult | undefined;
  const bash = new Bash({
    fs: fileSystem(files, encoding),
    cwd,
    env: { ...env },
    // It would change globals that are the whole host's.
    defenseInDepth: false,
    executionLimits: Object.fromEntries(LIMITS.map((limit) => [limit, UNLIMITED])),
    // The filter's own result says whether it is text or bytes; a shell's does not.
    customCommands: [
      {
        name,
        execute: async (args, context) => {
          if (context.origCommand === undefined) throw new Error(`no command ${name}`);
          result = await context.origCommand(args);
          return result;
        },
      },
    ],
  });
  return {
    async run(args, stdin) {
      result = undefined;
      const outcome = await bash.exec(name, {
        args: [...args],
        stdin: latin1(encoding.look(stdin)),
        stdinKind: 'bytes',
      });
      const { stdout, stderr, exitCode, stdoutKind, stdoutEncoding } = result ?? { ...outcome };
      const binary = stdoutKind === 'bytes' || stdoutEncoding === 'binary';
      return { code: exitCode, stdout: encoding.encode(stdout, binary), stderr };
    },
  };
}
