/**
 * Whole files at once: readFile, writeFile, appendFile, copyFile, truncate, mkdtemp.
 */
import { EEXIST, EINVAL, EOPNOTSUPP, EXDEV } from '../../../assembly/abi/errno.ts';
import {
  AT_FDCWD,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  S_IFMT,
  S_IFREG,
} from '../../../assembly/abi/flags.ts';
import { ST_DEV, ST_INO, ST_MODE, ST_SIZE } from '../../../assembly/abi/layout.ts';
import { Buffer } from '#platform';
import type { Trap } from '../trap.ts';
import type { DataCalls } from './data.ts';
import { rangeError, throwIfAborted } from './errors.ts';
import { readFlags } from './io.ts';
import { runLater, type Steps } from './steps.ts';
import {
  checkedPath,
  checkFlag,
  encodeName,
  isView,
  type KernelPath,
  toBits,
  toData,
  toLength,
  toMode,
  toNameEncoding,
  toOptions,
  toPath,
} from './validate.ts';

/** Files of unknown size are read in pieces of this many bytes. */
const CHUNK_BYTES = 65536;
/** Where bytes lie that become text before the call returns. */
const scratch = Buffer.alloc(CHUNK_BYTES);
/** The most that readFile returns, as in Node. */
const MAX_READ_BYTES = 2 ** 31 - 1;
/** Bits of copyFile's mode; the same on every host. */
const COPYFILE_EXCL = 1;
const COPYFILE_FICLONE_FORCE = 4;

export interface ReadFileOptions {
  encoding?: BufferEncoding | null;
  flag?: string | number;
  signal?: AbortSignal;
}

export interface WriteFileOptions extends ReadFileOptions {
  mode?: number | string;
  flush?: boolean;
}

type Chunk = string | NodeJS.ArrayBufferView;
type Chunks = Iterable<Chunk> | AsyncIterable<Chunk>;

export function fileCalls(trap: Trap, data: DataCalls) {
  const {
    sys_fstat,
    sys_fchmod,
    sys_ftruncate,
    sys_copy_file_range,
    sys_truncate,
    sys_unlinkat,
    sys_mkdirat,
  } = trap.exports;
  const { dataF64, dataU32 } = trap;

  function stat(fd: number, syscall = 'fstat'): void {
    trap.enter();
    const result = sys_fstat(fd);
    if (result < 0) throw trap.failure(result, syscall);
  }

  /** Size of an open regular file; 0 for what has no size to go by. */
  function sizeOf(fd: number): number {
    stat(fd);
    const size = (dataU32[ST_MODE >> 2] & S_IFMT) === S_IFREG ? dataF64[ST_SIZE >> 3] : 0;
    if (size > MAX_READ_BYTES) {
      throw rangeError('ERR_FS_FILE_TOO_LARGE', `File size (${size}) is greater than 2 GiB`);
    }
    return size;
  }

  function readAll(fd: number, encoding?: BufferEncoding): string | Buffer {
    const size = sizeOf(fd);
    if (size === 0) {
      const buffer = readToEnd(fd);
      return encoding === undefined ? buffer : buffer.toString(encoding);
    }
    // Bytes on their way to text need no buffer of their own.
    const buffer = encoding !== undefined && size <= CHUNK_BYTES ? scratch : Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const count = data.read(fd, buffer, done, size - done, -1);
      if (count === 0) break;
      done += count;
    }
    if (encoding !== undefined) return buffer.toString(encoding, 0, done);
    return done === size ? buffer : buffer.subarray(0, done);
  }

  function readToEnd(fd: number): Buffer {
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = data.read(fd, chunk, 0, CHUNK_BYTES, -1);
      if (count === 0) return Buffer.concat(chunks, total);
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
  }

  function readFileSync(path: KernelPath | number, options?: unknown): string | Buffer {
    const { encoding, flag } = toOptions<ReadFileOptions>(options, {});
    const decode = encoding && (encoding as string) !== 'buffer' ? encoding : undefined;
    if (isFd(path)) return readAll(path, decode);
    const fd = data.open(toPath(path), readFlags(flag), 0o666);
    try {
      return readAll(fd, decode);
    } finally {
      data.close(fd);
    }
  }

  /** The bytes of an open file from its position on; waits, and gives up when `signal` aborts. */
  function* readAllSteps(fd: number, signal?: AbortSignal): Steps<Buffer> {
    throwIfAborted(signal);
    const size = sizeOf(fd);
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      const length = size > total ? size - total : CHUNK_BYTES;
      const chunk = Buffer.allocUnsafe(length);
      const count = (yield data.readLater(fd, chunk, 0, length, -1, signal)) as number;
      if (signal !== undefined) yield* heed(signal);
      if (count > 0) chunks.push(count === length ? chunk : chunk.subarray(0, count));
      total += count;
      if (count === 0 || (size > 0 && total >= size)) {
        return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, total);
      }
    }
  }

  function readFile(path: unknown, options?: unknown): Promise<string | Buffer> {
    const { encoding, flag, signal } = toOptions<ReadFileOptions>(options, {});
    const name = isFd(path) ? path : checkedPath(path);
    const flags = readFlags(flag);
    const use = function* (fd: number): Steps<string | Buffer> {
      const buffer = yield* readAllSteps(fd, signal);
      return encoding && (encoding as string) !== 'buffer' ? buffer.toString(encoding) : buffer;
    };
    return runLater(withFile(name, flags, 0o666, signal, use));
  }

  /**
   * Run `use` on an open file, which is closed after it unless the caller had opened it. What need
   * not wait is done in one go: a thousand of these begun at once hold one descriptor, not a
   * thousand.
   */
  function* withFile<T>(
    file: KernelPath | number,
    flags: number,
    mode: number,
    signal: AbortSignal | undefined,
    use: (fd: number) => Steps<T>,
  ): Steps<T> {
    throwIfAborted(signal);
    if (typeof file === 'number') return yield* use(file);
    const fd = (yield data.openLater(file, flags, mode, signal)) as number;
    try {
      return yield* use(fd);
    } finally {
      data.close(fd);
    }
  }

  function writeAll(fd: number, bytes: Uint8Array): void {
    const { length } = bytes;
    let done = 0;
    while (done < length) done += data.write(fd, bytes, done, length - done, -1);
  }

  function writeFileWith(
    defaultFlag: string,
    path: KernelPath | number,
    content: unknown,
    options: unknown,
  ): void {
    const { encoding, flag, mode, flush } = writeOptions(options, defaultFlag);
    const bytes = toData(content, encoding);
    const bits = mode === undefined ? 0o666 : toMode(mode, 'mode', 0o666);
    const fd = isFd(path) ? path : data.open(toPath(path), readFlags(flag), bits);
    try {
      writeAll(fd, bytes);
      if (flush) data.fsyncSync(fd);
    } finally {
      if (!isFd(path)) data.close(fd);
    }
  }

  const writeFileSync = (path: KernelPath | number, content: unknown, options?: unknown) =>
    writeFileWith('w', path, content, options);
  const appendFileSync = (path: KernelPath | number, content: unknown, options?: unknown) =>
    writeFileWith('a', path, content, options);

  /** Write text, bytes, or what an iterable yields, to an open file. */
  function* writeAllSteps(fd: number, content: unknown, options: WriteFileOptions): Steps<void> {
    if (isIterable(content)) yield writeEach(fd, content, options);
    else yield* writeSteps(fd, content, options);
    if (options.flush) data.fsyncSync(fd);
  }

  async function writeEach(fd: number, content: Chunks, options: WriteFileOptions): Promise<void> {
    for await (const chunk of content) await runLater(writeSteps(fd, chunk, options));
  }

  function* writeSteps(fd: number, chunk: unknown, { signal, encoding }: WriteFileOptions): Steps<void> {
    throwIfAborted(signal);
    const bytes = toData(chunk, encoding);
    for (let done = 0; done < bytes.length; ) {
      done += (yield data.writeLater(fd, bytes, done, bytes.length - done, -1, signal)) as number;
      if (signal !== undefined) yield* heed(signal);
    }
  }

  function writeFileLater(
    defaultFlag: string,
    path: unknown,
    content: unknown,
    options: unknown,
  ): Promise<void> {
    const checked = writeOptions(options, defaultFlag);
    if (!isIterable(content)) toData(content, checked.encoding);
    const name = isFd(path) ? path : checkedPath(path);
    const mode = toMode(checked.mode, 'mode', 0o666);
    const use = (fd: number) => writeAllSteps(fd, content, checked);
    return runLater(withFile(name, readFlags(checked.flag), mode, checked.signal, use));
  }

  function copyFileSync(src: KernelPath, dest: KernelPath, mode?: number): void {
    const from = checkedPath(src, 'src');
    const to = checkedPath(dest, 'dest');
    const bits = toBits(mode, 0);
    if ((bits & COPYFILE_FICLONE_FORCE) !== 0) throw trap.failure(-EOPNOTSUPP, 'copyfile', from, to);
    try {
      copy(from, to, (bits & COPYFILE_EXCL) !== 0);
    } catch (error) {
      const { errno } = error as { errno?: number };
      if (errno === undefined) throw error;
      throw trap.failure(errno, 'copyfile', from, to);
    }
  }

  function copy(from: KernelPath, to: KernelPath, exclusive: boolean): void {
    const input = data.open(from, O_RDONLY, 0);
    try {
      stat(input);
      const mode = dataU32[ST_MODE >> 2] & 0o7777;
      const identity = `${dataF64[ST_DEV >> 3]}:${dataF64[ST_INO >> 3]}`;
      const output = data.open(to, O_WRONLY | O_CREAT | (exclusive ? O_EXCL : 0), mode);
      let done = false;
      try {
        stat(output);
        if (`${dataF64[ST_DEV >> 3]}:${dataF64[ST_INO >> 3]}` !== identity) fill(input, output, mode);
        done = true;
      } finally {
        data.close(output);
        // Like libuv: half a copy is none.
        if (!done) sys_unlinkat(AT_FDCWD, trap.path1(to), 0);
      }
    } finally {
      data.close(input);
    }
  }

  function fill(input: number, output: number, mode: number): void {
    trap.enter();
    let result = sys_ftruncate(output, 0);
    if (result < 0) throw trap.failure(result, 'ftruncate');
    result = sys_fchmod(output, mode);
    if (result < 0) throw trap.failure(result, 'fchmod');
    for (;;) {
      const count = sys_copy_file_range(input, -1, output, -1, MAX_READ_BYTES, 0);
      if (count === -EINVAL || count === -EXDEV || count === -EOPNOTSUPP) break;
      if (count < 0) throw trap.failure(count, 'copyfile');
      // Also a file that tells no size, as those of /proc, ends in 0 here: see what a read says.
      if (count === 0) break;
    }
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const count = data.read(input, chunk, 0, CHUNK_BYTES, -1);
      if (count === 0) break;
      writeAll(output, chunk.subarray(0, count));
    }
    trap.changed();
  }

  function truncateSync(path: KernelPath | number, len?: number | null): void {
    if (typeof path === 'number') {
      data.ftruncateSync(path, len);
      return;
    }
    const name = toPath(path);
    const length = toLength(len);
    const result = sys_truncate(trap.path1(name), length);
    // Node opens the file, so that is the call that fails.
    if (result < 0) throw trap.failure(result, 'open', name);
    trap.changed();
  }

  function mkdtempSync(prefix: KernelPath, options?: unknown): string | Buffer {
    const encoding = toNameEncoding(options);
    const start = checkedPath(prefix, 'prefix');
    const bytes = typeof start === 'string' ? Buffer.from(start) : start;
    for (;;) {
      const name = Buffer.concat([bytes, Buffer.from(randomName(trap, data))]);
      const result = sys_mkdirat(AT_FDCWD, trap.path1(name), 0o700);
      if (result >= 0) {
        trap.changed();
        return encodeName(name, encoding);
      }
      if (result !== -EEXIST)
        throw trap.failure(result, 'mkdtemp', Buffer.concat([bytes, Buffer.from('XXXXXX')]));
    }
  }

  return {
    readFileSync,
    readFile,
    readAllLater: (fd: number, signal?: AbortSignal) => runLater(readAllSteps(fd, signal)),
    writeFileSync,
    writeFile: (path: unknown, content: unknown, options?: unknown) =>
      writeFileLater('w', path, content, options),
    writeAllLater: (fd: number, content: unknown, options: WriteFileOptions) =>
      runLater(writeAllSteps(fd, content, options)),
    appendFileSync,
    appendFile: (path: unknown, content: unknown, options?: unknown) =>
      writeFileLater('a', path, content, options),
    copyFileSync,
    truncateSync,
    mkdtempSync,
  };
}

export type FileCalls = ReturnType<typeof fileCalls>;

export function writeOptions(options: unknown, flag: string): WriteFileOptions {
  const checked = toOptions<WriteFileOptions>(options, { encoding: 'utf8', mode: 0o666, flag });
  checkFlag(checked, 'flush');
  return { ...checked, flag: checked.flag || flag };
}

/** Let the caller's own code run, which may abort. */
function* heed(signal: AbortSignal): Steps<void> {
  yield Promise.resolve();
  throwIfAborted(signal);
}

function isFd(path: unknown): path is number {
  return typeof path === 'number' && (path | 0) === path && path >= 0;
}

function isIterable(content: unknown): content is Chunks {
  if (typeof content !== 'object' || content === null || isView(content)) return false;
  return Symbol.asyncIterator in content || Symbol.iterator in content;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Six letters and digits, from the machine's own entropy so that a seeded run repeats them. */
function randomName(trap: Trap, data: DataCalls): string {
  const bytes = new Uint8Array(12);
  const random = trap.exports.sys_openat(AT_FDCWD, trap.path1('/dev/urandom'), O_RDONLY, 0);
  if (random >= 0) {
    data.read(random, bytes, 0, bytes.length, -1);
    data.close(random);
  } else {
    // Under chroot there may be no /dev.
    crypto.getRandomValues(bytes);
  }
  let name = '';
  for (let i = 0; i < 12; i += 2) name += LETTERS[(bytes[i] * 256 + bytes[i + 1]) % LETTERS.length];
  return name;
}
