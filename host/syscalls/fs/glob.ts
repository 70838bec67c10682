/**
 * glob: the files that patterns name. minimatch reads a pattern; the walk is ours, since it runs
 * on this machine. As in Node, "*" and "**" pass by names that start with a dot, and "**" does
 * not descend into symbolic links: one may be the last directory it stands for, except at the
 * head of a pattern.
 */
import { DT_DIR, DT_LNK, S_IFDIR, S_IFMT } from '../../../assembly/abi/flags.ts';
import type { MinimatchOptions } from 'minimatch';
import { GLOBSTAR, Minimatch } from '../../vendor/minimatch.ts';
import { Dirent } from './dirent.ts';
import { invalidArgType } from './errors.ts';
import type { NameCalls } from './names.ts';
import { basename, dirname, isAbsolute, join, normalize } from './paths.ts';
import type { DirectoryCalls, Entry } from './readdir.ts';
import { checkBoolean, checkObject, checkString, pathText } from './validate.ts';

type Part = InstanceType<typeof Minimatch>['set'][number][number];
type Excluder = (item: string | Dirent) => unknown;

interface GlobOptions {
  cwd?: string | URL;
  exclude?: Excluder | readonly string[];
  withFileTypes?: boolean;
  followSymlinks?: boolean;
}

// Fixed, so that a pattern means the same on every host.
const PATTERN_OPTIONS: MinimatchOptions = {
  nonegate: true,
  nocomment: true,
  optimizationLevel: 2,
  platform: 'linux',
};

/** What a glob finds: paths relative to where it started, or entries. */
export type Found = string | Dirent;

export function globCalls(names: NameCalls, directories: DirectoryCalls) {
  function* globSteps(pattern: unknown, options: unknown): Generator<Found> {
    const checked = toGlobOptions(options);
    const walk = new Walk(names, directories, checked);
    for (const text of toPatterns(pattern)) {
      for (const parts of new Minimatch(text, PATTERN_OPTIONS).set) yield* walk.run(parts);
    }
  }

  function steps(pattern: unknown, options: unknown): Generator<Found> {
    toPatterns(pattern);
    toGlobOptions(options);
    return globSteps(pattern, options);
  }

  return {
    globSync: (pattern: string | readonly string[], options?: unknown): Found[] => [
      ...steps(pattern, options),
    ],
    globSteps: steps,
  };
}

interface State {
  path: string;
  at: number;
}

class Walk {
  readonly #names: NameCalls;
  readonly #directories: DirectoryCalls;
  readonly #options: GlobOptions;
  readonly #cwd: string;
  readonly #found = new Set<string>();
  readonly #excluded: (path: string, entry: () => Dirent) => boolean;

  constructor(names: NameCalls, directories: DirectoryCalls, options: GlobOptions) {
    this.#names = names;
    this.#directories = directories;
    this.#options = options;
    this.#cwd = options.cwd === undefined ? '.' : pathText(options.cwd, 'options.cwd');
    this.#excluded = this.#excluder();
  }

  #excluder(): (path: string, entry: () => Dirent) => boolean {
    const { exclude, withFileTypes } = this.#options;
    if (exclude === undefined) return () => false;
    if (typeof exclude === 'function') {
      return (path, entry) => Boolean(exclude(withFileTypes ? entry() : basename(path)));
    }
    // "a/**" names a itself too, which minimatch does not say.
    const texts = exclude
      .map(normalize)
      .flatMap((text) => (text.endsWith('/**') ? [text, text.slice(0, -3)] : [text]));
    const matchers = texts.map((text) => new Minimatch(text, { ...PATTERN_OPTIONS, dot: true }));
    return (path) => matchers.some((matcher) => matcher.match(path));
  }

  *run(parts: readonly Part[]): Generator<Found> {
    const root = parts[0] === '';
    const start: State = root ? { path: '/', at: 1 } : { path: '.', at: 0 };
    const seen = new Set<string>();
    const stack = [start];
    const push = (path: string, at: number) => {
      const key = `${at}:${path}`;
      if (!seen.has(key)) {
        seen.add(key);
        stack.push({ path, at });
      }
    };
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      const { path, at } = state;
      const part = parts[at];
      if (at === parts.length) yield* this.#emit(path);
      else if (typeof part === 'string') this.#literal(path, part, at, parts, push);
      else if (part === GLOBSTAR) yield* this.#globstar(path, at, parts, push);
      else {
        for (const { name, type } of this.#list(path)) {
          const child = join(path, name as string);
          if (!part.test(name as string) || this.#isExcluded(child, type)) continue;
          if (at + 1 === parts.length || this.#mayEnter(child, type)) push(child, at + 1);
        }
      }
    }
  }

  #literal(
    path: string,
    part: string,
    at: number,
    parts: readonly Part[],
    push: (path: string, at: number) => void,
  ): void {
    const next = part === '' ? path : join(path, part);
    const mode = this.#names.modeOf(this.#real(next), true);
    const isDirectory = mode >= 0 && (mode & S_IFMT) === S_IFDIR;
    // A trailing slash, "." and ".." name directories; so does all but the last part.
    const last = at + 1 === parts.length && part !== '' && part !== '.';
    if (last ? this.#names.modeOf(this.#real(next), false) < 0 : !isDirectory) return;
    if (next !== '.' && next !== path && this.#isExcluded(next)) return;
    push(next, at + 1);
  }

  *#globstar(
    path: string,
    at: number,
    parts: readonly Part[],
    push: (path: string, at: number) => void,
  ): Generator<Found> {
    const last = at + 1 === parts.length;
    // Nothing at all is one match; of the starting directory only where the pattern speaks of it.
    if (!last) push(path, at + 1);
    else if (path !== '.' || parts[0] === '.' || parts.length === 1) yield* this.#emit(path);
    for (const { name, type } of this.#list(path)) {
      if ((name as string).startsWith('.')) continue;
      const child = join(path, name as string);
      if (this.#isExcluded(child, type)) continue;
      const enter =
        type === DT_DIR || (type === DT_LNK && this.#options.followSymlinks && !this.#isCycle(child));
      if (enter) push(child, at);
      else if (last) yield* this.#emit(child);
      else if (type === DT_LNK && at > 0 && this.#mayEnter(child, type)) push(child, at + 1);
    }
  }

  *#emit(path: string): Generator<Found> {
    if (this.#found.has(path)) return;
    this.#found.add(path);
    if (this.#isExcluded(path)) return;
    yield this.#options.withFileTypes ? this.#dirent(path) : path;
  }

  #dirent(path: string, type?: number): Dirent {
    const real = this.#real(path);
    const kind = type ?? (this.#names.modeOf(real, false) & S_IFMT) >> 12;
    return new Dirent(basename(real), dirname(real), kind);
  }

  #isExcluded(path: string, type?: number): boolean {
    return this.#excluded(path, () => this.#dirent(path, type));
  }

  #list(path: string): Entry[] {
    try {
      return this.#directories.listEntries(this.#real(path));
    } catch {
      return []; // Not a directory, or not for us: it holds no match.
    }
  }

  #mayEnter(path: string, type: number): boolean {
    return type === DT_DIR || (type === DT_LNK && this.#directories.isDirectory(this.#real(path)));
  }

  /** Does a link lead to a directory that it lies in? */
  #isCycle(path: string): boolean {
    try {
      const target = this.#names.realpathSync(this.#real(path)) as string;
      const here = this.#names.realpathSync(dirname(this.#real(path))) as string;
      return (
        !this.#directories.isDirectory(target) || `${here}/`.startsWith(target === '/' ? '/' : `${target}/`)
      );
    } catch {
      return true;
    }
  }

  #real(path: string): string {
    return isAbsolute(path) ? path : `${this.#cwd}/${path}`;
  }
}

function toPatterns(pattern: unknown): readonly string[] {
  if (typeof pattern === 'string') return [pattern];
  if (!Array.isArray(pattern)) throw invalidArgType('patterns', 'an instance of Array or string', pattern);
  for (const [i, text] of pattern.entries()) checkString(text, `patterns[${i}]`);
  return pattern;
}

function toGlobOptions(options: unknown): GlobOptions {
  if (options === undefined || options === null) return {};
  checkObject(options, 'options');
  const checked = options as GlobOptions;
  if (checked.withFileTypes !== undefined) checkBoolean(checked.withFileTypes, 'options.withFileTypes');
  if (checked.followSymlinks !== undefined) checkBoolean(checked.followSymlinks, 'options.followSymlinks');
  const { exclude } = checked;
  if (exclude === undefined || exclude === null || typeof exclude === 'function')
    return { ...checked, exclude: exclude ?? undefined };
  if (!Array.isArray(exclude))
    throw invalidArgType('options.exclude', 'of type function or an Array of strings', exclude);
  for (const [i, text] of exclude.entries()) checkString(text, `options.exclude[${i}]`);
  return checked;
}
