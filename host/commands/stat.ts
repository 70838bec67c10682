/** stat: what is known of files and file systems. */
import { decodeBytes } from '../syscalls/bytes.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { unescapeText } from './lib/escapes.ts';
import { mountOf } from './lib/mounts.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';
import { major, minor } from '../syscalls/devices.ts';
import {
  type Info,
  isDevice,
  isLink,
  lstat,
  modeText,
  stat as statFile,
  type Time,
  typeName,
} from './lib/stat.ts';
import { strftime, zoneOf } from './lib/time.ts';
import { Users } from './lib/users.ts';

const options = {
  dereference: { short: 'L', about: 'follow links' },
  'file-system': { short: 'f', about: 'display file system status instead of file status' },
  format: {
    short: 'c',
    value: 'FORMAT',
    about: 'use the specified FORMAT instead of the default; output a newline after each use of FORMAT',
  },
  printf: {
    value: 'FORMAT',
    about: 'like --format, but interpret backslash escapes, and do not output a mandatory trailing newline',
  },
  terse: { short: 't', about: 'print the information in terse form' },
} as const;

const FILE = [
  '  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n',
  'Device: %Hd,%Ld\tInode: %-10i  Links: %h\n',
  'Device: %Hd,%Ld\tInode: %-10i  Links: %-5h Device type: %Hr,%Lr\n',
  'Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n',
] as const;
const FILE_TERSE = '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o\n';
const SYSTEM =
  '  File: "%n"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\n' +
  'Blocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d\n';
const SYSTEM_TERSE = '%n %i %l %t %s %S %b %f %a %c %d\n';

type Field = string | number;

/** One conversion's text. */
function pad(
  value: Field,
  flags: string,
  width: string,
  precision: string,
  base: 'd' | 'o' | 'x' | 's',
): string {
  let text = base === 'o' ? value.toString(8) : base === 'x' ? value.toString(16) : String(value);
  if (typeof value === 'number' && flags.includes('#') && value !== 0)
    text = base === 'o' ? `0${text}` : base === 'x' ? `0x${text}` : text;
  if (precision !== '' && base === 's') text = text.slice(0, Number(precision));
  const columns = Number(width || 0);
  if (flags.includes('-')) return text.padEnd(columns);
  return text.padStart(columns, flags.includes('0') && base !== 's' ? '0' : ' ');
}

const since = ({ seconds }: Time) => seconds;

class FileFields {
  readonly tool: Tool;
  readonly path: string;
  readonly info: Info;
  readonly users: Users;
  readonly #always: boolean;

  constructor(tool: Tool, path: string, info: Info, users: Users, always: boolean) {
    this.#always = always;
    this.tool = tool;
    this.path = path;
    this.info = info;
    this.users = users;
  }

  #time(time: Time): string {
    return strftime('%Y-%m-%d %H:%M:%S.%N %z', time, zoneOf(this.tool.env));
  }

  /** A time in seconds; with a precision, that many digits behind the point. */
  #seconds(time: Time, precision: string | undefined): Field {
    if (precision === undefined) return since(time);
    const digits = precision === '' ? 9 : Number(precision);
    return `${since(time)}.${String(time.nanoseconds).padStart(9, '0').padEnd(digits, '0').slice(0, digits)}`;
  }

  #name(): string {
    if (!isLink(this.info)) return this.#quote(this.path);
    return `${this.#quote(this.path)} -> ${this.#quote(this.tool.fs.readlinkSync(this.path))}`;
  }

  /** %N quotes always, the default format only where it must. */
  #quote(name: string): string {
    return this.#always ? quoted(name) : quotedIfNeeded(name);
  }

  field(letter: string, precision: string | undefined): [Field, 'd' | 'o' | 'x' | 's'] | undefined {
    const { info, users } = this;
    const known: Record<string, () => [Field, 'd' | 'o' | 'x' | 's']> = {
      a: () => [info.mode & 0o7777, 'o'],
      A: () => [modeText(info.mode), 's'],
      b: () => [info.blocks, 'd'],
      B: () => [512, 'd'],
      C: () => ['?', 's'],
      d: () => [info.dev, 'd'],
      D: () => [info.dev, 'x'],
      Hd: () => [major(info.dev), 'd'],
      Ld: () => [minor(info.dev), 'd'],
      f: () => [info.mode, 'x'],
      F: () => [typeName(info), 's'],
      g: () => [info.gid, 'd'],
      G: () => [users.groupByGid(info.gid)?.name ?? 'UNKNOWN', 's'],
      h: () => [info.nlink, 'd'],
      i: () => [info.ino, 'd'],
      m: () => [mountOf(this.tool, this.path).target, 's'],
      n: () => [this.path, 's'],
      N: () => [this.#name(), 's'],
      o: () => [info.blksize, 'd'],
      r: () => [info.rdev, 'd'],
      R: () => [info.rdev, 'x'],
      Hr: () => [major(info.rdev), 'd'],
      Lr: () => [minor(info.rdev), 'd'],
      s: () => [info.size, 'd'],
      t: () => [major(info.rdev), 'x'],
      T: () => [minor(info.rdev), 'x'],
      u: () => [info.uid, 'd'],
      U: () => [users.byUid(info.uid)?.name ?? 'UNKNOWN', 's'],
      w: () => [this.#time(info.birthtime), 's'],
      W: () => [this.#seconds(info.birthtime, precision), 'd'],
      x: () => [this.#time(info.atime), 's'],
      X: () => [this.#seconds(info.atime, precision), 'd'],
      y: () => [this.#time(info.mtime), 's'],
      Y: () => [this.#seconds(info.mtime, precision), 'd'],
      z: () => [this.#time(info.ctime), 's'],
      Z: () => [this.#seconds(info.ctime, precision), 'd'],
    };
    return Object.hasOwn(known, letter) ? known[letter]() : undefined;
  }
}

/** statfs's f_type in hexadecimal. */
const TYPE_IDS = new Map([
  ['1021994', 'tmpfs'],
  ['9fa0', 'proc'],
  ['1373', 'devfs'],
  ['ef53', 'ext2/ext3'],
  ['50495045', 'pipefs'],
]);

class SystemFields {
  readonly path: string;
  readonly #stats: ReturnType<Tool['fs']['statfsSync']>;

  constructor(tool: Tool, path: string) {
    this.path = path;
    this.#stats = tool.fs.statfsSync(path);
  }

  field(letter: string): [Field, 'd' | 'o' | 'x' | 's'] | undefined {
    const [type, bsize, blocks, bfree, bavail, files, ffree] = (
      ['type', 'bsize', 'blocks', 'bfree', 'bavail', 'files', 'ffree'] as const
    ).map((name) => Number(this.#stats[name]));
    const known: Record<string, [Field, 'd' | 'x' | 's']> = {
      a: [bavail, 'd'],
      b: [blocks, 'd'],
      c: [files, 'd'],
      d: [ffree, 'd'],
      f: [bfree, 'd'],
      i: [0, 'x'],
      l: [255, 'd'],
      n: [this.path, 's'],
      s: [bsize, 'd'],
      S: [bsize, 'd'],
      t: [type, 'x'],
      T: [TYPE_IDS.get(type.toString(16)) ?? `UNKNOWN (0x${type.toString(16)})`, 's'],
    };
    return Object.hasOwn(known, letter) ? known[letter] : undefined;
  }
}

interface Fields {
  field(letter: string, precision?: string): [Field, 'd' | 'o' | 'x' | 's'] | undefined;
}

function expand(format: string, fields: Fields): string {
  return format.replace(
    /%([-#0+ ']*)(\d*)(?:(\.)(\d*))?([HL]?[a-zA-Z%]|$)/g,
    (whole, flags, width, dot, precision, letter) => {
      if (letter === '%') return '%';
      if (letter === '') throw new Failure(`${quoted(whole)}: invalid directive`);
      const field = fields.field(letter, dot === undefined ? undefined : precision);
      if (field === undefined) return '?';
      return pad(field[0], flags, width, dot === undefined ? '' : precision, field[1]);
    },
  );
}

export const stat = command(
  {
    summary: 'display file or file system status',
    usage: ['[OPTION]... FILE...'],
    options,
    details: [
      'Formats for files: %a %A %b %B %d %D %f %F %g %G %h %i %m %n %N %o %r %R %s %t %T %u %U %w %W %x %X %y %Y %z %Z; for file systems: %a %b %c %d %f %i %l %n %s %S %t %T.',
    ],
  },
  async (tool, { options: given, operands, last }) => {
    if (operands.length === 0) throw new Failure('missing operand', 1, true);
    const users = new Users(tool.fs);
    const custom = last('format', 'printf');
    const system = given['file-system'];
    for (const path of operands) {
      try {
        if (system) {
          const format = formatOf(custom, given) ?? (given.terse ? SYSTEM_TERSE : SYSTEM);
          await tool.out(expandCustom(format, new SystemFields(tool, path), custom));
          continue;
        }
        const info = given.dereference ? statFile(tool.process, path) : lstat(tool.process, path);
        const standard = FILE[0] + FILE[isDevice(info) ? 2 : 1] + FILE[3];
        const format = formatOf(custom, given) ?? (given.terse ? FILE_TERSE : standard);
        const fields = new FileFields(tool, path, info, users, custom !== undefined);
        await tool.out(expandCustom(format, fields, custom));
      } catch (error) {
        if (error instanceof Failure) throw error;
        const what = system ? 'cannot read file system information for' : 'cannot statx';
        await tool.failed(`${what} ${quoted(path)}`, error);
      }
    }
    return undefined;
  },
);

function formatOf(
  which: 'format' | 'printf' | undefined,
  given: { format?: string; printf?: string },
): string | undefined {
  return which === undefined ? undefined : given[which];
}

function expandCustom(format: string, fields: Fields, which: string | undefined): string | Uint8Array {
  if (which !== 'printf') return expand(format, fields) + (which === 'format' ? '\n' : '');
  return decodeBytes(unescapeText(expand(format, fields), false).bytes);
}
