/**
 * Listing directories. The kernel leaves a batch of names as one run of bytes, each name followed
 * by '/', so that a batch is decoded at once and split.
 */
import {
  AT_FDCWD,
  DT_DIR,
  DT_LNK,
  DT_UNKNOWN,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
} from '../../../assembly/abi/flags.ts';
import {
  GD_COUNT,
  GD_HEADER,
  GD_NAMES_BYTES,
  GD_REC_NAMELEN,
  GD_REC_SIZE,
  GD_REC_TYPE,
  SA_PATH1,
} from '../../../assembly/abi/layout.ts';
import { Buffer } from '#platform';
import type { Trap } from '../trap.ts';
import { Dirent } from './dirent.ts';
import type { NameCalls } from './names.ts';
import { checkFlag, type KernelPath, toOptions, toPath } from './validate.ts';

const DOT = 46;

type Encoding = BufferEncoding | 'buffer';

export interface ReaddirOptions {
  encoding?: Encoding | null;
  withFileTypes?: boolean;
  recursive?: boolean;
}

/** A name as asked for, and its type. */
export interface Entry {
  name: string | Buffer;
  /** DT_*, never DT_UNKNOWN. */
  type: number;
}

export function directoryCalls(trap: Trap, names: NameCalls) {
  const { sys_openat, sys_getdents, sys_close } = trap.exports;
  const { area, data, dataU32 } = trap;

  /** Open a directory for {@link nextText} and {@link nextEntries}. */
  function openDirectory(path: KernelPath, syscall: string): number {
    const fd = sys_openat(AT_FDCWD, trap.path1(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) throw trap.failure(fd, syscall, path);
    return fd;
  }

  function closeDirectory(fd: number): void {
    trap.enter();
    sys_close(fd);
    trap.changed();
  }

  /** The next batch of names, each followed by '/'. Empty at the end. */
  function nextText(fd: number, path: KernelPath): string {
    trap.enter();
    const count = sys_getdents(fd, 0);
    if (count < 0) throw trap.failure(count, 'scandir', path);
    return count === 0 ? '' : trap.text(SA_PATH1, SA_PATH1 + dataU32[GD_NAMES_BYTES >> 2]);
  }

  /** Add the next batch of entries, at most `most` (0: any number). False at the end. */
  function nextEntries(fd: number, path: KernelPath, encoding: Encoding, into: Entry[], most = 0): boolean {
    trap.enter();
    const count = sys_getdents(fd, most);
    if (count < 0) throw trap.failure(count, 'scandir', path);
    if (count === 0) return false;
    const unknown: Entry[] = [];
    let at = SA_PATH1;
    for (let i = 0; i < dataU32[GD_COUNT >> 2]; i++) {
      const record = GD_HEADER + i * GD_REC_SIZE;
      const length = dataU32[(record + GD_REC_NAMELEN) >> 2];
      const start = at;
      at += length + 1;
      if (length <= 2 && area[start] === DOT && area[start + length - 1] === DOT) continue;
      const name = takeName(start, length, encoding);
      const entry = { name, type: data[record + GD_REC_TYPE] };
      if (entry.type === DT_UNKNOWN) unknown.push(entry);
      into.push(entry);
    }
    // These calls overwrite the batch, so they come after it.
    for (const entry of unknown) entry.type = typeOf(joinPath(path, entry.name));
    return true;
  }

  function takeName(at: number, length: number, encoding: Encoding): string | Buffer {
    if (encoding === 'utf8' || encoding === 'utf-8') return trap.text(at, at + length);
    const bytes = Buffer.from(area.slice(at, at + length));
    return encoding === 'buffer' ? bytes : bytes.toString(encoding);
  }

  function typeOf(path: KernelPath): number {
    const mode = names.modeOf(path, false);
    // Removed since it was listed: its type is anybody's guess.
    return mode < 0 ? DT_UNKNOWN : (mode & S_IFMT) >> 12;
  }

  function list<T>(
    path: KernelPath,
    into: T[],
    next: (fd: number, path: KernelPath, into: T[]) => boolean,
  ): T[] {
    const fd = openDirectory(path, 'scandir');
    try {
      while (next(fd, path, into));
    } finally {
      closeDirectory(fd);
    }
    return into;
  }

  // All names are split off one text: an array for each batch would cost as much again. Sorted, as
  // libuv does it for Node.
  function listNames(path: KernelPath): string[] {
    const fd = openDirectory(path, 'scandir');
    let text = '';
    try {
      for (let batch = nextText(fd, path); batch !== ''; batch = nextText(fd, path)) text += batch;
    } finally {
      closeDirectory(fd);
    }
    if (SORTS_OTHERWISE.test(text)) return listEntries(path).map(({ name }) => name as string);
    return sorted(namesIn(text));
  }

  function listEntries(path: KernelPath, encoding: Encoding = 'utf8'): Entry[] {
    if (encoding === 'utf8' || encoding === 'utf-8') {
      const entries = list<Entry>(path, [], (fd, at, into) => nextEntries(fd, at, encoding, into));
      if (!entries.some(({ name }) => SORTS_OTHERWISE.test(name as string))) {
        return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      }
    }
    const entries = list<Entry>(path, [], (fd, at, into) => nextEntries(fd, at, 'buffer', into));
    entries.sort((a, b) => Buffer.compare(a.name as Buffer, b.name as Buffer));
    if (encoding === 'buffer') return entries;
    const isText = encoding === 'utf8' || encoding === 'utf-8';
    for (const entry of entries) {
      const bytes = entry.name as Buffer;
      entry.name = isText ? trap.decode(bytes) : bytes.toString(encoding);
    }
    return entries;
  }

  function readdirSync(
    path: KernelPath,
    options?: unknown,
  ): Array<string | Buffer> | Dirent<string | Buffer>[] {
    const name = typeof path === 'string' ? path : toPath(path);
    if (options === undefined) return listNames(name);
    const checked = toOptions<ReaddirOptions>(options, {});
    const encoding = checked.encoding || 'utf8';
    const recursive = checkFlag(checked, 'recursive');
    if (recursive) return readTree(name, encoding, checked.withFileTypes === true);
    if (checked.withFileTypes) {
      const parent = typeof name === 'string' ? name : Buffer.from(name).toString();
      return listEntries(name, encoding).map((entry) => new Dirent(entry.name, parent, entry.type));
    }
    if (encoding === 'utf8') return listNames(name);
    return listEntries(name, encoding).map((entry) => entry.name);
  }

  // Level by level, as Node does. A link to a directory is gone into only when names alone are
  // asked for; Node does that too.
  function readTree(
    root: KernelPath,
    encoding: Encoding,
    withFileTypes: boolean,
  ): Array<string | Buffer> | Dirent<string | Buffer>[] {
    const top = typeof root === 'string' ? root : Buffer.from(root).toString();
    const found: Array<string | Buffer> = [];
    const dirents: Dirent<string | Buffer>[] = [];
    const queue = [''];
    for (let at = 0; at < queue.length; at++) {
      const relative = queue[at];
      const directory = relative === '' ? top : `${joinPath(top, relative)}`;
      for (const { name, type } of listEntries(directory)) {
        const below = relative === '' ? `${name}` : `${relative}/${name}`;
        const given = encoding === 'utf8' ? (name as string) : recode(name as string, encoding);
        if (withFileTypes) dirents.push(new Dirent(given, directory, type));
        else found.push(encoding === 'utf8' ? below : recode(below, encoding));
        const into =
          type === DT_DIR || (type === DT_LNK && !withFileTypes && isDirectory(joinPath(top, below)));
        if (into) queue.push(below);
      }
    }
    return withFileTypes ? dirents : found;
  }

  function isDirectory(path: KernelPath): boolean {
    const mode = names.modeOf(path, true);
    return mode >= 0 && (mode & S_IFMT) === S_IFDIR;
  }

  return { openDirectory, closeDirectory, nextEntries, listNames, listEntries, readdirSync, isDirectory };
}

export type DirectoryCalls = ReturnType<typeof directoryCalls>;

function recode(name: string, encoding: Encoding): string | Buffer {
  const bytes = Buffer.from(name);
  return encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

/** A path below a directory. Bytes stay bytes when either part is not text. */
export function joinPath(directory: KernelPath, name: string | Uint8Array): KernelPath {
  if (typeof directory === 'string' && typeof name === 'string') {
    return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
  }
  const parent = typeof directory === 'string' ? Buffer.from(directory) : directory;
  const child = typeof name === 'string' ? Buffer.from(name) : name;
  const slash = parent.at(-1) === 47 ? [] : [Buffer.from('/')];
  return Buffer.concat([parent, ...slash, child]);
}

const DOTS = './../';

/** The names in a text where each is followed by '/', less "." and "..", which come first. */
function namesIn(text: string): string[] {
  if (!text.startsWith(DOTS)) {
    return text.split('/').filter((name) => name !== '' && name !== '.' && name !== '..');
  }
  return text.length === DOTS.length ? [] : text.slice(DOTS.length, -1).split('/');
}

/** Text that UTF-16 sorts in another order than its bytes: surrogates, and what was no UTF-8. */
const SORTS_OTHERWISE = /[\ud800-\udfff\ufffd]/;

/** In order; what is so already, as names made in order are, is only looked at. */
function sorted(names: string[]): string[] {
  for (let i = 1; i < names.length; i++) if (names[i - 1] > names[i]) return names.sort();
  return names;
}
