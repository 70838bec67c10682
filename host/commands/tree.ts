/** tree: a directory's contents as a drawing. */
import { S_IFLNK, S_IFMT } from '../../assembly/abi/flags.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { humanSize } from './lib/numbers.ts';
import { escapeControl } from './lib/quote.ts';
import { type Info, isDirectory, modeText, tryStat } from './lib/stat.ts';

interface Style {
  readonly all: boolean;
  readonly directoriesOnly: boolean;
  readonly fullPath: boolean;
  readonly indent: boolean;
  readonly sizes: boolean;
  readonly human: boolean;
  readonly modes: boolean;
  readonly levels: number;
}

interface Totals {
  directories: number;
  files: number;
}

/** What is left to list of a directory that is open. */
interface Level {
  readonly path: string;
  readonly prefix: string;
  readonly names: readonly string[];
  next: number;
}

/** Names as they are, but one line each. */
const printable = (name: string) => name.replace(/\p{Cc}/gu, escapeControl);

function facts({ sizes, human, modes }: Style, info: Info | undefined): string {
  if (info === undefined || !(sizes || modes)) return '';
  const parts: string[] = [];
  if (modes) parts.push(modeText(info.mode));
  if (sizes) parts.push(human ? humanSize(info.size, 1024).padStart(4) : String(info.size).padStart(11));
  return `[${parts.join(' ')}]  `;
}

/** Links to directories are listed and counted with them, and not followed. */
function leadsToDirectory(tool: Tool, path: string): boolean {
  const info = tryStat(tool.process, path);
  return info !== undefined && isDirectory(info);
}

async function namesIn(tool: Tool, path: string, style: Style): Promise<string[]> {
  let names = tool.fs.readdirSync(path).sort((a, b) => (a < b ? -1 : 1));
  if (!style.all) names = names.filter((name) => !name.startsWith('.'));
  if (!style.directoriesOnly) return names;
  return names.filter((name) => leadsToDirectory(tool, `${path}/${name}`));
}

async function draw(tool: Tool, root: string, style: Style, totals: Totals): Promise<void> {
  const info = tryStat(tool.process, root);
  if (info === undefined || !isDirectory(info)) {
    tool.status = 2;
    await tool.out(`${root}  [error opening dir]\n`);
    return;
  }
  await tool.out(`${facts(style, info)}${printable(root)}\n`);
  const names = await namesIn(tool, root, style);
  // one with nothing in it does not count
  if (names.length > 0) totals.directories++;
  const open: Level[] = [{ path: root, prefix: '', names, next: 0 }];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    if (level.next === level.names.length) {
      open.pop();
      continue;
    }
    const name = level.names[level.next++];
    const last = level.next === level.names.length;
    const path = level.path === '/' ? `/${name}` : `${level.path}/${name}`;
    const below = await drawEntry(tool, path, level.prefix, last, name, style, totals);
    if (!below || open.length >= style.levels) continue;
    const prefix = level.prefix + (last ? '    ' : '│\u00a0\u00a0 ');
    try {
      open.push({ path, prefix, names: await namesIn(tool, path, style), next: 0 });
    } catch (error) {
      await tool.failed(path, error, 2);
    }
  }
}

/** A line for one name. @returns whether it is a directory */
async function drawEntry(
  tool: Tool,
  path: string,
  prefix: string,
  last: boolean,
  name: string,
  style: Style,
  totals: Totals,
): Promise<boolean> {
  const info = tryStat(tool.process, path, false);
  const directory = info !== undefined && isDirectory(info);
  if (leadsToDirectory(tool, path)) totals.directories++;
  else totals.files++;
  let shown = printable(style.fullPath ? path : name);
  if (info !== undefined && (info.mode & S_IFMT) === S_IFLNK) {
    try {
      shown += ` -> ${printable(tool.fs.readlinkSync(path))}`;
    } catch (error) {
      shown += ` -> (${strerror(error)})`;
    }
  }
  const branch = style.indent ? `${prefix}${last ? '└── ' : '├── '}` : '';
  await tool.out(`${branch}${facts(style, info)}${shown}\n`);
  return directory;
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

export const tree = command(
  {
    summary: "draw a directory's contents",
    usage: ['[OPTION]... [DIRECTORY]...'],
    options: {
      all: { short: 'a', shortOnly: true, about: 'names that begin with a dot, too' },
      directories: { short: 'd', shortOnly: true, about: 'directories only' },
      full: { short: 'f', shortOnly: true, about: 'the full path of each file' },
      plain: { short: 'i', shortOnly: true, about: 'no lines of indentation' },
      level: { short: 'L', shortOnly: true, value: 'LEVEL', about: 'descend only LEVEL directories deep' },
      size: { short: 's', shortOnly: true, about: 'the size of each file in bytes' },
      human: { short: 'h', shortOnly: true, about: 'sizes in units that a person reads' },
      permissions: { short: 'p', shortOnly: true, about: 'the type and permissions of each file' },
      noreport: { about: 'no report of the numbers of directories and files at the end' },
    },
  },
  async (tool, { options, operands }) => {
    const levels = options.level === undefined ? Number.POSITIVE_INFINITY : Number(options.level);
    if (!(levels >= 1)) throw new Failure('Invalid level, must be greater than 0.');
    const style: Style = {
      all: options.all,
      directoriesOnly: options.directories,
      fullPath: options.full,
      indent: !options.plain,
      sizes: options.size || options.human,
      human: options.human,
      modes: options.permissions,
      levels,
    };
    const totals: Totals = { directories: 0, files: 0 };
    for (const root of operands.length === 0 ? ['.'] : operands) await draw(tool, root, style, totals);
    if (options.noreport) return undefined;
    const files = options.directories ? '' : `, ${counted(totals.files, 'file', 'files')}`;
    await tool.out(`\n${counted(totals.directories, 'directory', 'directories')}${files}\n`);
    return undefined;
  },
);
