/** kill, lsof, id: processes and who they are. */
import type { Program } from '../programs/program.ts';
import { atWork, command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { processes } from './lib/procs.ts';
import { quoted } from './lib/quote.ts';
import { signalName, signalNumber, signalNumbers } from './lib/signals.ts';
import { major, minor } from '../syscalls/devices.ts';
import { stat, typeName } from './lib/stat.ts';
import { Users } from './lib/users.ts';
import { helpText } from './lib/help.ts';
import { SIGTERM } from '../../assembly/abi/signals.ts';

const KILL = {
  summary: 'send signals to processes, or list signals',
  usage: ['[-s SIGNAL | -SIGNAL] PID...', '-l [SIGNAL]...'],
  options: {
    signal: { short: 's', value: 'SIGNAL', about: 'specify the name or number of the signal to be sent' },
    list: { short: 'l', about: 'list signal names, or convert signal names to/from numbers' },
  },
  details: ['A negative PID is a process group.'],
} as const;

async function listSignals(tool: Tool, words: readonly string[]): Promise<number> {
  if (words.length === 0) {
    for (const number of signalNumbers()) await tool.out(`${signalName(number)}\n`);
    return 0;
  }
  for (const word of words) {
    // An exit status says which signal it was too.
    const number = /^\d+$/.test(word) ? Number(word) & 127 : signalNumber(word);
    if (number === undefined) await tool.warn(`${quoted(word)}: invalid signal`);
    else await tool.out(`${/^\d+$/.test(word) ? (signalName(number) ?? number) : number}\n`);
  }
  return tool.status;
}

export const kill: Program = (context) =>
  atWork(context, async (tool) => {
    const words = context.argv.slice(1);
    let signal: string | undefined;
    let at = 0;
    for (; at < words.length && words[at].startsWith('-') && words[at] !== '-'; at++) {
      const word = words[at];
      if (word === '--help') {
        await tool.out(helpText(tool.name, KILL));
        return 0;
      }
      if (word === '--') {
        at++;
        break;
      }
      // After a signal, what begins with a hyphen is a group.
      if (signal !== undefined) break;
      if (word === '-l' || word === '-L' || word === '--list') return listSignals(tool, words.slice(at + 1));
      if (word === '-s' || word === '-n' || word === '--signal') signal = words[++at];
      else if (word.startsWith('--signal=')) signal = word.slice('--signal='.length);
      else signal = word.slice(1);
      if (signal === undefined)
        throw new Failure(`option requires an argument -- '${word.slice(1)}'`, 1, true);
    }
    const number = signal === undefined ? SIGTERM : signalNumber(signal);
    if (number === undefined) {
      if (/^[A-Za-z]$/.test(signal ?? '') || signal?.startsWith('-'))
        throw new Failure(`invalid option -- '${signal?.replace(/^-+/, '')}'`, 1, true);
      throw new Failure(`${quoted(signal ?? '')}: invalid signal`, 1, true);
    }
    const pids = words.slice(at);
    if (pids.length === 0) throw new Failure('no process ID specified', 1, true);
    for (const text of pids) {
      if (!/^-?\d+$/.test(text)) {
        await tool.warn(`${quoted(text)}: invalid process id`);
        continue;
      }
      try {
        tool.process.kill(Number(text), number);
      } catch (error) {
        await tool.failed(`(${text})`, error);
      }
    }
    return tool.status;
  });

const LSOF_TITLE = ['COMMAND', 'PID', 'USER', 'FD', 'TYPE', 'DEVICE', 'SIZE/OFF', 'NODE', 'NAME'];

const TYPE_WORDS: Readonly<Record<string, string>> = {
  directory: 'DIR',
  'character special file': 'CHR',
  'block special file': 'BLK',
  fifo: 'FIFO',
  socket: 'sock',
};

function accessLetter(info: string): string {
  const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? '0', 8) & 3;
  return flags === 0 ? 'r' : flags === 1 ? 'w' : 'u';
}

function openFile(tool: Tool, link: string, fd: string): string[] | undefined {
  try {
    const name = tool.fs.readlinkSync(link);
    const info = stat(tool.process, link);
    const type = TYPE_WORDS[typeName(info)] ?? (typeName(info).startsWith('regular') ? 'REG' : 'unkn');
    const isDevice = type === 'CHR' || type === 'BLK';
    const device = isDevice ? info.rdev : info.dev;
    const size = isDevice || type === 'FIFO' ? '0t0' : String(info.size);
    return [fd, type, `${major(device)},${minor(device)}`, size, String(info.ino), name];
  } catch (error) {
    strerror(error);
    return undefined;
  }
}

export const lsof = command(
  {
    summary: 'list open files',
    usage: ['[OPTION]... [FILE]...'],
    options: {
      p: { short: 'p', shortOnly: true, value: 'PIDS', about: 'only those of these processes' },
      u: { short: 'u', shortOnly: true, value: 'USER', about: "only those of this user's processes" },
      c: {
        short: 'c',
        shortOnly: true,
        value: 'NAME',
        about: 'only those of commands whose name begins with NAME',
      },
      t: { short: 't', shortOnly: true, about: 'process IDs only' },
    },
    exits: { 0: 'if something was found', 1: 'if nothing was' },
  },
  async (tool, { options, operands }) => {
    const users = new Users(tool.fs);
    const pids = options.p?.split(',').map(Number);
    const uid = options.u === undefined ? undefined : users.uid(options.u);
    const wanted = operands.map((path) => {
      try {
        return stat(tool.process, path);
      } catch (error) {
        throw new Failure(`status error on ${path}: ${strerror(error)}`);
      }
    });
    const rows: string[][] = [];
    for (const info of processes(tool)) {
      if (pids !== undefined && !pids.includes(info.pid)) continue;
      if (options.u !== undefined && info.euid !== uid) continue;
      if (options.c !== undefined && !info.name.startsWith(options.c)) continue;
      for (const [fd, link] of linksOf(tool, info.pid)) {
        const file = openFile(tool, link, fd);
        if (file === undefined) continue;
        if (
          wanted.length > 0 &&
          !wanted.some(({ dev, ino }) => `${major(dev)},${minor(dev)}` === file[2] && String(ino) === file[4])
        )
          continue;
        rows.push([info.name, String(info.pid), users.userName(info.euid), ...file]);
      }
    }
    if (options.t) await tool.out([...new Set(rows.map((row) => `${row[1]}\n`))].join(''));
    else if (rows.length > 0) await tool.out(columns([LSOF_TITLE, ...rows]));
    return rows.length > 0 ? 0 : 1;
  },
);

/** What a process has open: names of the column FD, and where they can be looked at. */
function linksOf(tool: Tool, pid: number): [fd: string, link: string][] {
  const links: [string, string][] = [
    ['cwd', `/proc/${pid}/cwd`],
    ['rtd', `/proc/${pid}/root`],
  ];
  try {
    for (const fd of tool.fs.readdirSync(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b))) {
      links.push([
        fd + accessLetter(tool.fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')),
        `/proc/${pid}/fd/${fd}`,
      ]);
    }
  } catch (error) {
    // Somebody else's, or ended meanwhile.
    strerror(error);
  }
  return links;
}

/** A table: all columns but the last as wide as they must be, numbers on the right. */
function columns(rows: readonly string[][]): string {
  const right = [false, true, false, true, true, true, true, true, false];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const cell = (text: string, i: number) =>
    i === rows[0].length - 1 ? text : right[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]);
  return rows.map((row) => `${row.map(cell).join(' ')}\n`).join('');
}

export const id = command(
  {
    summary: 'print user and group information for each specified USER, or for the current process',
    usage: ['[OPTION]... [USER]...'],
    options: {
      group: { short: 'g', about: 'print only the effective group ID' },
      groups: { short: 'G', about: 'print all group IDs' },
      name: { short: 'n', about: 'print a name instead of a number, for -ugG' },
      real: { short: 'r', about: 'print the real ID instead of the effective ID, with -ugG' },
      user: { short: 'u', about: 'print only the effective user ID' },
      zero: { short: 'z', about: 'delimit entries with NUL characters, not whitespace' },
    },
  },
  async (tool, { options, operands }) => {
    const users = new Users(tool.fs);
    const kinds = [options.user, options.group, options.groups].filter(Boolean).length;
    if (kinds > 1) throw new Failure('cannot print "only" of more than one choice');
    if (kinds === 0 && (options.name || options.real))
      throw new Failure('cannot print only names or real IDs in default format');
    if (kinds === 0 && options.zero) throw new Failure('option --zero not permitted in default format');
    const own = tool.process.ids();
    const end = options.zero ? '\0' : '\n';
    for (const text of operands.length === 0 ? [undefined] : operands) {
      const user =
        text === undefined
          ? undefined
          : (users.byName(text) ?? (/^\d+$/.test(text) ? users.byUid(Number(text)) : undefined));
      if (text !== undefined && user === undefined) {
        await tool.warn(`${quoted(text)}: no such user`);
        continue;
      }
      const who =
        user === undefined
          ? own
          : { uid: user.uid, euid: user.uid, gid: user.gid, egid: user.gid, groups: users.groupsOf(user) };
      const uid = options.real ? who.uid : who.euid;
      const gid = options.real ? who.gid : who.egid;
      const groups = [...new Set([gid, who.egid, ...who.groups])];
      const shown = (number: number, name: (id: number) => string) =>
        options.name ? name(number) : String(number);
      const groupName = (number: number) => users.groupName(number);
      if (options.user) await tool.out(shown(uid, (number) => users.userName(number)) + end);
      else if (options.group) await tool.out(shown(gid, groupName) + end);
      else if (options.groups)
        await tool.out(
          groups.map((number) => shown(number, groupName)).join(options.zero ? '\0' : ' ') + end,
        );
      else await tool.out(`${fullId(users, who, groups)}\n`);
    }
    return undefined;
  },
);

function fullId(
  users: Users,
  who: { uid: number; euid: number; gid: number; egid: number },
  groups: readonly number[],
): string {
  const named = (number: number, name: string | undefined) =>
    name === undefined ? String(number) : `${number}(${name})`;
  const user = (number: number) => named(number, users.byUid(number)?.name);
  const group = (number: number) => named(number, users.groupByGid(number)?.name);
  return [
    `uid=${user(who.uid)} gid=${group(who.gid)}`,
    who.euid === who.uid ? undefined : `euid=${user(who.euid)}`,
    who.egid === who.gid ? undefined : `egid=${group(who.egid)}`,
    `groups=${groups.map(group).join(',')}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}
