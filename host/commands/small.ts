/** true, false, sleep, sync, seq, uname, date, hostname, whoami, tty, clear, nproc: small and everyday. */
import { command, checkOperands } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { parseDuration } from './lib/numbers.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';
import { stat } from './lib/stat.ts';
import { parseDate, strftime, zoneOf } from './lib/time.ts';
import { isTerminal } from './lib/terminal.ts';
import { Users } from './lib/users.ts';
import type { Program } from '../programs/program.ts';

export const true_: Program = () => 0;
export const false_: Program = () => 1;

export const sleep = command(
  {
    summary: 'delay for a specified amount of time',
    usage: ['NUMBER[SUFFIX]...'],
    options: {},
    details: ["SUFFIX may be 's' for seconds (the default), 'm' for minutes, 'h' for hours or 'd' for days."],
  },
  async (tool, { operands }) => {
    checkOperands(operands, 1);
    const seconds = operands.map(parseDuration).reduce((a, b) => a + b, 0);
    if (seconds === Number.POSITIVE_INFINITY) await tool.process.pollLater([], -1);
    else await tool.context.sleep(seconds * 1000);
    return 0;
  },
);

export const sync = command(
  {
    summary: 'synchronize cached writes to persistent storage',
    usage: ['[OPTION] [FILE]...'],
    options: {
      data: { short: 'd', about: 'sync only file data, no unneeded metadata' },
      'file-system': { short: 'f', about: 'sync the file systems that contain the files' },
    },
  },
  async (tool, { options, operands }) => {
    if (options.data && operands.length === 0) throw new Failure('--data needs at least one argument');
    if (options.data && options['file-system'])
      throw new Failure('cannot specify both --data and --file-system');
    if (operands.length === 0) tool.process.sync();
    for (const path of operands) {
      let fd: number;
      try {
        fd = await tool.open(path, 0);
      } catch (error) {
        await tool.failed(`error opening ${quoted(path)}`, error);
        continue;
      }
      try {
        if (options['file-system']) tool.process.syncfs(fd);
        else if (options.data) tool.fs.fdatasyncSync(fd);
        else tool.fs.fsyncSync(fd);
      } catch (error) {
        await tool.failed(`error syncing ${quoted(path)}`, error);
      } finally {
        tool.process.close(fd);
      }
    }
    return undefined;
  },
);

function numberArgument(text: string): number {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text))
    throw new Failure(`invalid floating point argument: ${quoted(text)}`, 1, true);
  return Number(text);
}

const decimals = (text: string) => (/\.(\d*)$/.exec(text)?.[1] ?? '').length;

export const seq = command(
  {
    summary: 'print numbers from FIRST to LAST, in steps of INCREMENT',
    usage: ['[OPTION]... LAST', '[OPTION]... FIRST LAST', '[OPTION]... FIRST INCREMENT LAST'],
    options: {
      format: { short: 'f', value: 'FORMAT', about: 'use printf style floating-point FORMAT' },
      separator: { short: 's', value: 'STRING', about: 'use STRING to separate numbers (default: \\n)' },
      'equal-width': { short: 'w', about: 'equalize width by padding with leading zeroes' },
    },
    negativeNumbers: true,
  },
  async (tool, { options, operands }) => {
    checkOperands(operands, 1, 3);
    const texts =
      operands.length === 1
        ? ['1', '1', operands[0]]
        : operands.length === 2
          ? [operands[0], '1', operands[1]]
          : operands;
    const [first, step, last] = texts.map(numberArgument);
    if (step === 0) throw new Failure(`invalid Zero increment value: ${quoted(texts[1])}`, 1, true);
    const places = Math.max(decimals(texts[0]), decimals(texts[1]));
    const scale = 10 ** places;
    const format = options.format === undefined ? undefined : parseFormat(options.format);
    const plain = (value: number) => value.toFixed(places);
    const width = options['equal-width']
      ? Math.max(plain(first).length, plain(last - ((last - first) % step)).length)
      : 0;
    const show = (value: number) => {
      if (format !== undefined) return format(value);
      const text = plain(value);
      if (width === 0) return text;
      return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0');
    };
    const separator = options.separator ?? '\n';
    const start = Math.round(first * scale);
    const increment = Math.round(step * scale);
    const count = Math.floor((last * scale - start) / increment + 1e-9);
    for (let i = 0; i <= count; i++) {
      await tool.out((i === 0 ? '' : separator) + show((start + i * increment) / scale));
    }
    if (count >= 0) await tool.out('\n');
    return undefined;
  },
);

/** One %f, %e or %g with text around it. */
function parseFormat(format: string): (value: number) => string {
  const match = /^((?:[^%]|%%)*)%([-+ 0#']*)(\d*)(?:\.(\d+))?([feEgG])((?:[^%]|%%)*)$/.exec(format);
  if (match === null) throw new Failure(`format ${quoted(format)} has no % directive`);
  const [, before, flags, width, precision, letter, after] = match;
  const digits = precision === undefined ? 6 : Number(precision);
  return (value) => {
    let text =
      letter === 'f'
        ? value.toFixed(digits)
        : letter.toLowerCase() === 'e'
          ? value.toExponential(digits).replace(/e([-+])(\d)$/, 'e$10$2')
          : String(Number(value.toPrecision(digits || 1)));
    if (flags.includes('+') && value >= 0) text = `+${text}`;
    const columns = Number(width || 0);
    if (flags.includes('-')) text = text.padEnd(columns);
    else text = text.padStart(columns, flags.includes('0') ? '0' : ' ');
    return before.replaceAll('%%', '%') + text + after.replaceAll('%%', '%');
  };
}

const kernelText = (fs: { readFileSync(path: string, encoding: 'utf8'): string }, name: string) =>
  fs.readFileSync(`/proc/sys/kernel/${name}`, 'utf8').trimEnd();

export const uname = command(
  {
    summary: 'print certain system information',
    usage: ['[OPTION]...'],
    options: {
      all: { short: 'a', about: 'print all information' },
      'kernel-name': { short: 's', about: 'print the kernel name' },
      nodename: { short: 'n', about: 'print the network node hostname' },
      'kernel-release': { short: 'r', about: 'print the kernel release' },
      'kernel-version': { short: 'v', about: 'print the kernel version' },
      machine: { short: 'm', about: 'print the machine hardware name' },
      processor: { short: 'p', about: 'print the processor type' },
      'operating-system': { short: 'o', about: 'print the operating system' },
    },
  },
  async (tool, { options, operands, given }) => {
    checkOperands(operands, 0, 0);
    const all = options.all;
    const parts: string[] = [];
    const add = (wanted: boolean, text: string) => void (wanted && parts.push(text));
    add(all || options['kernel-name'] || given.length === 0, kernelText(tool.fs, 'ostype'));
    add(all || options.nodename, kernelText(tool.fs, 'hostname'));
    add(all || options['kernel-release'], kernelText(tool.fs, 'osrelease'));
    add(all || options['kernel-version'], kernelText(tool.fs, 'version'));
    add(all || options.machine || options.processor, 'wasm32');
    add(all || options['operating-system'], kernelText(tool.fs, 'ostype'));
    await tool.out(`${parts.join(' ')}\n`);
    return undefined;
  },
);

const ISO: Readonly<Record<string, string>> = {
  '': '%Y-%m-%d',
  date: '%Y-%m-%d',
  hours: '%Y-%m-%dT%H%:z',
  minutes: '%Y-%m-%dT%H:%M%:z',
  seconds: '%Y-%m-%dT%H:%M:%S%:z',
  ns: '%Y-%m-%dT%H:%M:%S,%N%:z',
};

export const date = command(
  {
    summary: 'display the date and time in the given FORMAT',
    usage: ['[OPTION]... [+FORMAT]'],
    options: {
      date: { short: 'd', value: 'STRING', about: "display time described by STRING, not 'now'" },
      'iso-8601': {
        short: 'I',
        value: 'FMT',
        optional: true,
        about: 'output date/time in ISO 8601 format: date, hours, minutes, seconds or ns',
      },
      reference: { short: 'r', value: 'FILE', about: 'display the last modification time of FILE' },
      'rfc-email': { short: 'R', about: 'output date and time in RFC 5322 format' },
      utc: { short: 'u', about: 'print Coordinated Universal Time (UTC)' },
    },
    // Its value may be left out, so the letter has it right behind.
    prepare: (words) => words.map((word) => word.replace(/^-I(?=.)/, '--iso-8601=')),
  },
  async (tool, { options, operands }) => {
    const [format] = operands;
    if (operands.length > 1) throw new Failure(`extra operand ${quoted(operands[1])}`, 1, true);
    if (format !== undefined && !format.startsWith('+')) throw new Failure(`invalid date ${quoted(format)}`);
    const env = options.utc ? { ...tool.env, TZ: 'UTC' } : tool.env;
    let time = tool.now();
    if (options.reference !== undefined) {
      try {
        time = stat(tool.process, options.reference).mtime;
      } catch (error) {
        throw new Failure(`${quotedIfNeeded(options.reference)}: ${strerror(error)}`);
      }
    } else if (options.date !== undefined) time = parseDate(options.date, time, env);
    const iso = options['iso-8601'];
    if (iso !== undefined && !Object.hasOwn(ISO, iso))
      throw new Failure(`invalid argument ${quoted(iso)} for '--iso-8601'`, 1, true);
    const pattern =
      format?.slice(1) ??
      (iso !== undefined
        ? ISO[iso]
        : options['rfc-email']
          ? '%a, %d %b %Y %H:%M:%S %z'
          : '%a %b %e %H:%M:%S %Z %Y');
    await tool.out(`${strftime(pattern, time, zoneOf(env))}\n`);
    return undefined;
  },
);

export const hostname = command(
  { summary: "show or set the system's host name", usage: ['[NAME]'], options: {} },
  async (tool, { operands }) => {
    const [name] = operands;
    if (name === undefined) await tool.out(`${kernelText(tool.fs, 'hostname')}\n`);
    else {
      try {
        tool.fs.writeFileSync('/proc/sys/kernel/hostname', name);
      } catch (error) {
        await tool.failed('cannot set host name', error);
      }
    }
    return undefined;
  },
);

export const whoami = command(
  { summary: 'print the user name associated with the current effective user ID', usage: [''], options: {} },
  async (tool, { operands }) => {
    checkOperands(operands, 0, 0);
    const { euid } = tool.process.ids();
    const user = new Users(tool.fs).byUid(euid);
    if (user === undefined) throw new Failure(`cannot find name for user ID ${euid}`);
    await tool.out(`${user.name}\n`);
    return undefined;
  },
);

export const tty = command(
  {
    summary: 'print the file name of the terminal connected to standard input',
    usage: ['[OPTION]...'],
    options: { quiet: { short: 's', also: ['silent'], about: 'print nothing, only return an exit status' } },
    exits: { 0: 'if it is a terminal', 1: 'if it is not', 2: 'if given incorrect arguments' },
    usageStatus: 2,
  },
  async (tool, { options }) => {
    const is = isTerminal(tool, 0);
    if (!options.quiet) await tool.out(is ? `${tool.fs.readlinkSync('/proc/self/fd/0')}\n` : 'not a tty\n');
    return is ? 0 : 1;
  },
);

export const clear = command(
  { summary: 'clear the terminal screen', usage: [''], options: {} },
  async (tool) => {
    await tool.out('\x1b[H\x1b[2J\x1b[3J');
    return undefined;
  },
);

export const nproc = command(
  {
    summary: 'print the number of processing units available',
    usage: ['[OPTION]...'],
    options: { all: { about: 'print the number of installed processors' } },
  },
  async (tool) => {
    const cpus = tool.fs.readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm) ?? [];
    await tool.out(`${Math.max(cpus.length, 1)}\n`);
    return undefined;
  },
);
