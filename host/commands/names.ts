/** basename, dirname, readlink, realpath, pwd, mktemp, which: names of files, and where they lead. */
import { EEXIST } from '../../assembly/abi/errno.ts';
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  S_IFMT,
  S_IFREG,
} from '../../assembly/abi/flags.ts';
import { checkOperands, command, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { canonical, normalized, relativePath } from './lib/paths.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';
import { base, directoryOf, join, tryStat } from './lib/stat.ts';

const ZERO = { short: 'z', about: 'end each output line with NUL, not newline' } as const;

export const basename = command(
  {
    summary: 'strip directory and suffix from filenames',
    usage: ['NAME [SUFFIX]', 'OPTION... NAME...'],
    options: {
      multiple: { short: 'a', about: 'support multiple arguments and treat each as a NAME' },
      suffix: { short: 's', value: 'SUFFIX', about: 'remove a trailing SUFFIX; implies -a' },
      zero: ZERO,
    },
    stopAtOperand: true,
  },
  async (tool, { options, operands }) => {
    const isMany = options.multiple || options.suffix !== undefined;
    checkOperands(operands, 1, isMany ? undefined : 2);
    const suffix = isMany ? options.suffix : operands[1];
    for (const path of isMany ? operands : operands.slice(0, 1)) {
      const name = base(path);
      const isCut = suffix !== undefined && suffix !== '' && name !== suffix && name.endsWith(suffix);
      const short = isCut ? name.slice(0, -suffix.length) : name;
      await tool.out(short + (options.zero ? '\0' : '\n'));
    }
    return undefined;
  },
);

export const dirname = command(
  { summary: 'strip last component from file name', usage: ['[OPTION] NAME...'], options: { zero: ZERO } },
  async (tool, { options, operands }) => {
    checkOperands(operands, 1);
    for (const path of operands) await tool.out(directoryOf(path) + (options.zero ? '\0' : '\n'));
    return undefined;
  },
);

export const readlink = command(
  {
    summary: 'print resolved symbolic links or canonical file names',
    usage: ['[OPTION]... FILE...'],
    options: {
      canonicalize: {
        short: 'f',
        about:
          'canonicalize by following every symlink in every component of the given name recursively; all but the last component must exist',
      },
      'canonicalize-existing': { short: 'e', about: 'likewise, all components must exist' },
      'canonicalize-missing': { short: 'm', about: 'likewise, without requirements on components existence' },
      'no-newline': { short: 'n', about: 'do not output the trailing delimiter' },
      quiet: { short: 'q', also: ['s', 'silent'], about: 'suppress most error messages' },
      verbose: { short: 'v', about: 'report error messages' },
      zero: ZERO,
    },
  },
  async (tool, { options, operands, last }) => {
    checkOperands(operands, 1);
    const how = last('canonicalize', 'canonicalize-existing', 'canonicalize-missing');
    const end = options.zero ? '\0' : '\n';
    for (const path of operands) {
      try {
        const text =
          how === undefined
            ? tool.fs.readlinkSync(path)
            : canonical(
                tool,
                path,
                how === 'canonicalize' ? 'parent' : how === 'canonicalize-missing' ? 'none' : 'all',
              );
        await tool.out(text + (options['no-newline'] && operands.length === 1 ? '' : end));
      } catch (error) {
        tool.status = 1;
        if (last('quiet', 'verbose') === 'verbose') await tool.failed(quotedIfNeeded(path), error);
        else strerror(error);
      }
    }
    return undefined;
  },
);

export const realpath = command(
  {
    summary: 'print the resolved absolute file name',
    usage: ['[OPTION]... FILE...'],
    options: {
      'canonicalize-existing': { short: 'e', about: 'all components of the path must exist' },
      'canonicalize-missing': { short: 'm', about: 'no path components need exist or be a directory' },
      logical: { short: 'L', about: "resolve '..' components before symlinks" },
      physical: { short: 'P', about: 'resolve symlinks as encountered (default)' },
      quiet: { short: 'q', about: 'suppress most error messages' },
      'relative-to': { value: 'DIR', about: 'print the resolved path relative to DIR' },
      strip: { short: 's', also: ['no-symlinks'], about: "don't expand symlinks" },
      zero: ZERO,
    },
  },
  async (tool, { options, operands, last }) => {
    checkOperands(operands, 1);
    const how = last('canonicalize-existing', 'canonicalize-missing');
    const existing = how === undefined ? 'parent' : how === 'canonicalize-missing' ? 'none' : 'all';
    for (const path of operands) {
      try {
        if (path === '') canonical(tool, path, existing);
        const logical = options.strip || last('logical', 'physical') === 'logical';
        const start = logical ? normalized(path, tool.process.cwd()) : path;
        const full = options.strip ? start : canonical(tool, start, existing);
        const relative = options['relative-to'];
        const text = relative === undefined ? full : relativePath(tool, full, relative);
        await tool.out(text + (options.zero ? '\0' : '\n'));
      } catch (error) {
        if (!options.quiet) await tool.failed(quotedIfNeeded(path), error);
        else tool.status = 1;
      }
    }
    return undefined;
  },
);

export const pwd = command(
  {
    summary: 'print name of current/working directory',
    usage: ['[OPTION]...'],
    options: {
      logical: { short: 'L', about: 'use PWD from environment, even if it contains symlinks' },
      physical: { short: 'P', about: 'resolve all symlinks (default)' },
    },
  },
  async (tool, { last }) => {
    const cwd = tool.process.cwd();
    const named = tool.env.PWD ?? '';
    const isGood =
      last('logical', 'physical') === 'logical' &&
      named.startsWith('/') &&
      !/(^|\/)\.\.?(\/|$)/.test(named) &&
      tryStat(tool.process, named) !== undefined &&
      canonical(tool, named, 'all') === cwd;
    await tool.out(`${isGood ? named : cwd}\n`);
    return undefined;
  },
);

/** From the machine's own entropy, so that a seeded machine makes the same names again. */
function randomLetters(tool: Tool, length: number): string {
  const bytes = new Uint8Array(length);
  const fd = tool.process.openat(AT_FDCWD, '/dev/urandom', O_RDONLY | O_CLOEXEC);
  try {
    tool.fs.readSync(fd, bytes, 0, length, null);
  } finally {
    tool.process.close(fd);
  }
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('');
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const mktemp = command(
  {
    summary: 'create a temporary file or directory, safely, and print its name',
    usage: ['[OPTION]... [TEMPLATE]'],
    options: {
      directory: { short: 'd', about: 'create a directory, not a file' },
      'dry-run': { short: 'u', about: 'do not create anything; merely print a name (unsafe)' },
      quiet: { short: 'q', about: 'suppress diagnostics about file/dir-creation failure' },
      suffix: { value: 'SUFF', about: 'append SUFF to TEMPLATE' },
      tmpdir: { short: 'p', value: 'DIR', about: 'interpret TEMPLATE relative to DIR' },
      t: {
        short: 't',
        shortOnly: true,
        about:
          'interpret TEMPLATE as a single file name component, relative to a directory: $TMPDIR, else /tmp',
      },
    },
  },
  async (tool, { options, operands }) => {
    if (operands.length > 1) throw new Failure('too many templates', 1, true);
    const template = operands[0] ?? 'tmp.XXXXXXXXXX';
    const suffix = options.suffix ?? '';
    const match = /^([\s\S]*?)(X{3,})([^X]*)$/.exec(template) ?? undefined;
    if (match === undefined) throw new Failure(`too few X's in template ${quoted(template)}`);
    const inTmp = operands.length === 0 || options.tmpdir !== undefined || options.t;
    const directory = inTmp ? options.tmpdir || tool.env.TMPDIR || '/tmp' : '';
    for (let attempt = 0; ; attempt++) {
      const random = randomLetters(tool, match[2].length);
      const name = `${match[1]}${random}${match[3]}${suffix}`;
      const path = directory === '' ? name : join(directory, name);
      try {
        if (!options['dry-run']) {
          if (options.directory) tool.process.mkdirat(AT_FDCWD, path, 0o700);
          else tool.process.close(tool.process.openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0o600));
        }
        await tool.out(`${path}\n`);
        return undefined;
      } catch (error) {
        if (errnoOf(error) === EEXIST && attempt < 100) continue;
        const what = options.directory ? 'directory' : 'file';
        const shown = directory === '' ? template + suffix : join(directory, template + suffix);
        if (!options.quiet)
          await tool.failed(`failed to create ${what} via template ${quoted(shown)}`, error);
        return 1;
      }
    }
  },
);

export const which = command(
  {
    summary: 'locate a command',
    usage: ['[-a] COMMAND...'],
    options: { all: { short: 'a', about: 'print all matching pathnames of each argument' } },
    exits: { 0: 'if all were found', 1: 'if some were not' },
  },
  async (tool, { options, operands }) => {
    for (const name of operands) {
      const places = name.includes('/')
        ? [name]
        : (tool.env.PATH ?? '/bin').split(':').map((directory) => join(directory || '.', name));
      const found = places.filter((path) => isExecutable(tool, path));
      if (found.length === 0) tool.status = 1;
      for (const path of options.all ? found : found.slice(0, 1)) await tool.out(`${path}\n`);
    }
    return undefined;
  },
);

function isExecutable(tool: Tool, path: string): boolean {
  const info = tryStat(tool.process, path);
  if (info === undefined || (info.mode & S_IFMT) !== S_IFREG) return false;
  try {
    tool.fs.accessSync(path, tool.fs.constants.X_OK);
    return true;
  } catch (error) {
    strerror(error);
    return false;
  }
}
