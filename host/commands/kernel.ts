/** sysctl, vmstat, vopstat, dmesg: what the kernel tells of itself, by /proc. */
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';

const ROOT = '/proc/sys';
const pathOf = (name: string) => `${ROOT}/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
const nameOf = (path: string) => path.slice(ROOT.length + 1).replaceAll('/', '.');

function allOf(tool: Tool, path: string): string[] {
  return tool.fs
    .readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      return entry.isDirectory() ? allOf(tool, below) : [below];
    });
}

interface Style {
  readonly namesOnly: boolean;
  readonly valuesOnly: boolean;
  readonly ignore: boolean;
  readonly quiet: boolean;
}

async function show(tool: Tool, path: string, style: Style): Promise<void> {
  const name = nameOf(path);
  if (style.namesOnly) {
    await tool.out(`${name}\n`);
    return;
  }
  let value: string;
  try {
    value = tool.fs.readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    await unknown(tool, name, error, style);
    return;
  }
  await tool.out(style.valuesOnly ? `${value}\n` : `${name} = ${value}\n`);
}

async function unknown(tool: Tool, name: string, error: unknown, { ignore }: Style): Promise<void> {
  const text = strerror(error);
  if (ignore) return;
  if (text === 'No such file or directory') await tool.warn(`cannot stat ${pathOf(name)}: ${text}`);
  else if (text === 'Permission denied') await tool.warn(`permission denied on key '${name}'`);
  else await tool.warn(`setting key "${name}": ${text}`);
}

export const sysctl = command(
  {
    summary: 'view or change kernel settings',
    usage: ['[OPTION]... [NAME[=VALUE]]...'],
    options: {
      all: { short: 'a', also: ['A', 'X'], about: 'display all variables' },
      ignore: { short: 'e', about: 'ignore unknown variables errors' },
      names: { short: 'N', about: 'print variable names without values' },
      values: { short: 'n', about: 'print only values of the given variables' },
      quiet: { short: 'q', about: 'do not echo variable set' },
      write: { short: 'w', about: 'enable writing a value to variable' },
    },
  },
  async (tool, { options, operands }) => {
    const style: Style = {
      namesOnly: options.names,
      valuesOnly: options.values,
      ignore: options.ignore,
      quiet: options.quiet,
    };
    if (options.all) for (const path of allOf(tool, ROOT)) await show(tool, path, style);
    else if (operands.length === 0) throw new Failure('no variables specified', 1, true);
    for (const word of operands) {
      const equals = word.indexOf('=');
      if (equals < 0) {
        const path = pathOf(word);
        if (tool.fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
          for (const below of allOf(tool, path)) await show(tool, below, style);
        } else await show(tool, path, style);
        continue;
      }
      const name = word.slice(0, equals).trim();
      const value = word.slice(equals + 1).trim();
      try {
        const fd = tool.fs.openSync(pathOf(name), 'r+');
        try {
          tool.fs.writeSync(fd, `${value}\n`);
        } finally {
          tool.fs.closeSync(fd);
        }
        if (!options.quiet) await tool.out(options.values ? `${value}\n` : `${name} = ${value}\n`);
      } catch (error) {
        await unknown(tool, name, error, style);
      }
    }
    return undefined;
  },
);

const FRAME_KIB = 4;

export const vmstat = command(
  {
    summary: 'show how the memory is used',
    usage: ['[OPTION]... [DELAY [COUNT]]'],
    options: {
      stats: { short: 's', about: 'event counter statistics' },
      slabs: { short: 'm', about: 'zones: the kernel’s objects, their sizes and numbers' },
    },
  },
  async (tool, { options, operands }) => {
    if (options.slabs) {
      await tool.out(`Zone          Size     Live  Frames\n${tool.fs.readFileSync('/proc/zones', 'utf8')}`);
      return undefined;
    }
    if (options.stats) {
      await tool.out(
        tool.fs
          .readFileSync('/proc/vmstat', 'utf8')
          .replace(/^(\S+) (\d+)$/gm, (_, name, n) => `${n.padStart(12)} ${name}`),
      );
      return undefined;
    }
    const [delay, count] = operands.map(Number);
    if (operands.some((text) => !/^\d+(\.\d+)?$/.test(text)))
      throw new Failure(`failed to parse argument: '${operands.join(' ')}'`);
    await tool.out(
      'procs ------------memory (KiB)------------\n  r  b     total      free     files    kernel\n',
    );
    const times = delay === undefined ? 1 : (count ?? Number.POSITIVE_INFINITY);
    for (let i = 0; i < times; i++) {
      if (i > 0) await tool.context.sleep(delay * 1000);
      await tool.out(vmLine(tool));
      await tool.context.stdout.flush();
    }
    return undefined;
  },
);

function vmLine(tool: Tool): string {
  const counter = (text: string, name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const memory = tool.fs.readFileSync('/proc/vmstat', 'utf8');
  const blocked = counter(tool.fs.readFileSync('/proc/stat', 'utf8'), 'procs_blocked');
  const names = tool.fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [total, free, files] = ['frames_total', 'frames_free', 'frames_file'].map(
    (name) => counter(memory, name) * FRAME_KIB,
  );
  const column = (value: number) => String(value).padStart(10);
  const kernel = total - free - files;
  return `${String(Math.max(names.length - blocked, 0)).padStart(3)}${String(blocked).padStart(3)}${[total, free, files, kernel].map(column).join('')}\n`;
}

export const vopstat = command(
  {
    summary: 'show how often each vnode operation was called',
    usage: ['[OPTION]... [DELAY [COUNT]]'],
    options: {
      all: { short: 'a', about: 'also those that were never called' },
      sort: { short: 's', about: 'the most frequent first' },
    },
    details: [
      'With a DELAY in seconds, what was called since the last time. Where operations are traced (echo on MOUNTPOINT >/proc/trace), their times are shown too.',
    ],
  },
  async (tool, { options, operands }) => {
    if (operands.some((text) => !/^\d+(\.\d+)?$/.test(text)))
      throw new Failure(`invalid argument: '${operands.join(' ')}'`);
    const [delay, count] = operands.map(Number);
    const times = delay === undefined ? 1 : (count ?? Number.POSITIVE_INFINITY);
    let before = new Map<string, number>();
    for (let i = 0; i < times; i++) {
      if (i > 0) await tool.context.sleep(delay * 1000);
      const now = counts(tool);
      const rows = [...now]
        .map(([name, n]) => [name, n - (before.get(name) ?? 0)] as const)
        .filter(([, n]) => options.all || n > 0);
      if (options.sort) rows.sort((a, b) => b[1] - a[1]);
      await tool.out(rows.map(([name, n]) => `${name.padEnd(16)}${String(n).padStart(12)}\n`).join(''));
      await tool.context.stdout.flush();
      before = now;
    }
    await tool.out(traced(tool));
    return undefined;
  },
);

/** What the tracer timed, by mount; nothing where none is traced. */
function traced(tool: Tool): string {
  const rows = tool.fs
    .readFileSync('/proc/trace_stats', 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  if (rows.length === 0) return '';
  const lines = rows.map((row) => {
    const [mount, name, count, total, max] = row.split(' ');
    const mean = (Number(total) / Number(count)).toFixed(0);
    return `${mount.padStart(5)} ${name.padEnd(16)}${count.padStart(12)}${mean.padStart(12)}${max.padStart(12)}\n`;
  });
  return `\nmount ${'operation'.padEnd(16)}${'calls'.padStart(12)}${'mean ns'.padStart(12)}${'max ns'.padStart(12)}\n${lines.join('')}`;
}

function counts(tool: Tool): Map<string, number> {
  const lines = tool.fs.readFileSync('/proc/vops', 'utf8').trimEnd().split('\n');
  return new Map(lines.map((line) => line.split(' ')).map(([name, n]) => [name, Number(n)]));
}

export const dmesg = command(
  { summary: "print the kernel's log", usage: [''], options: {} },
  async (tool) => {
    await tool.out(tool.fs.readFileSync('/proc/kmsg', 'utf8'));
    return undefined;
  },
);
