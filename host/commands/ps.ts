/** ps: what runs. */
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { type ProcInfo, processes, procInfo, ttyName } from './lib/procs.ts';
import { strftime, zoneOf } from './lib/time.ts';
import { Users } from './lib/users.ts';

interface Column {
  readonly title: string;
  readonly width: number;
  /** On the left; numbers are on the right. */
  readonly left?: boolean;
  value(info: ProcInfo, shown: Shown): string;
}

interface Shown {
  readonly tool: Tool;
  readonly users: Users;
  /** Seconds since 1970. */
  readonly booted: number;
  readonly now: number;
}

const commandLine = ({ args, name }: ProcInfo) => (args.length > 0 ? args.join(' ') : `[${name}]`);

function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const rest = `${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  if (days > 0) return `${days}-${pad(hours)}:${rest}`;
  return hours > 0 ? `${pad(hours)}:${rest}` : rest;
}

function startTime({ startSeconds }: ProcInfo, { booted, now, tool }: Shown): string {
  const seconds = Math.floor(booted + startSeconds);
  return strftime(now - seconds < 86400 ? '%H:%M' : '%b%d', { seconds, nanoseconds: 0 }, zoneOf(tool.env));
}

const id = (title: string, width: number, value: (info: ProcInfo) => number): Column => ({
  title,
  width,
  value: (info) => String(value(info)),
});
const user: Column = {
  title: 'USER',
  width: 8,
  left: true,
  value: ({ euid }, { users }) => users.userName(euid),
};
const group: Column = {
  title: 'GROUP',
  width: 8,
  left: true,
  value: ({ egid }, { users }) => users.groupName(egid),
};
const args: Column = { title: 'COMMAND', width: 27, left: true, value: commandLine };
const name: Column = { title: 'COMMAND', width: 15, left: true, value: (info) => info.name };
const state: Column = { title: 'S', width: 1, left: true, value: (info) => info.state };

const COLUMNS: Readonly<Record<string, Column>> = {
  pid: id('PID', 7, ({ pid }) => pid),
  ppid: id('PPID', 7, ({ ppid }) => ppid),
  pgid: id('PGID', 7, ({ pgid }) => pgid),
  pgrp: id('PGRP', 7, ({ pgid }) => pgid),
  sid: id('SID', 7, ({ sid }) => sid),
  sess: id('SESS', 7, ({ sid }) => sid),
  uid: id('UID', 5, ({ euid }) => euid),
  euid: id('EUID', 5, ({ euid }) => euid),
  ruid: id('RUID', 5, ({ uid }) => uid),
  gid: id('GID', 5, ({ egid }) => egid),
  egid: id('EGID', 5, ({ egid }) => egid),
  rgid: id('RGID', 5, ({ gid }) => gid),
  user,
  euser: { ...user, title: 'EUSER' },
  ruser: { ...user, title: 'RUSER', value: ({ uid }, { users }) => users.userName(uid) },
  group,
  egroup: { ...group, title: 'EGROUP' },
  stat: {
    title: 'STAT',
    width: 4,
    left: true,
    value: (info) => info.state + (info.pid === info.sid ? 's' : ''),
  },
  state,
  s: state,
  tty: { title: 'TT', width: 8, left: true, value: (info, { tool }) => ttyName(tool, info.tty) },
  tt: { title: 'TT', width: 8, left: true, value: (info, { tool }) => ttyName(tool, info.tty) },
  comm: name,
  ucmd: { ...name, title: 'CMD' },
  args,
  cmd: { ...args, title: 'CMD' },
  command: args,
  stime: { title: 'STIME', width: 5, value: startTime },
  start: { title: 'STARTED', width: 8, value: startTime },
  etime: {
    title: 'ELAPSED',
    width: 11,
    value: (info, { booted, now }) => elapsed(now - booted - info.startSeconds),
  },
  etimes: {
    title: 'ELAPSED',
    width: 7,
    value: (info, { booted, now }) => String(Math.max(0, Math.floor(now - booted - info.startSeconds))),
  },
  // Time on a CPU is not kept: a call runs on its caller's thread.
  time: { title: 'TIME', width: 8, value: () => '00:00:00' },
};

/** Columns by their names, with titles of their own behind "=". */
function columnsOf(lists: readonly string[]): Column[] {
  return lists.flatMap((list) => {
    const [names, title] = [
      list.split('=')[0],
      list.includes('=') ? list.slice(list.indexOf('=') + 1) : undefined,
    ];
    return names
      .split(/[, ]+/)
      .filter((word) => word !== '')
      .map((word, i, all) => {
        if (!Object.hasOwn(COLUMNS, word))
          throw new Failure(`error: unknown user-defined format specifier "${word}"`);
        const column = COLUMNS[word];
        return title !== undefined && i === all.length - 1 ? { ...column, title } : column;
      });
  });
}

const options = {
  A: { short: 'A', also: ['e'], shortOnly: true, about: 'select all processes' },
  a: { short: 'a', shortOnly: true, about: 'select all with a terminal, except session leaders' },
  f: { short: 'f', shortOnly: true, about: 'full format' },
  l: { short: 'l', shortOnly: true, about: 'long format' },
  format: {
    short: 'o',
    value: 'FORMAT',
    many: true,
    about: 'user-defined format: names of columns with commas between',
  },
  pid: { short: 'p', value: 'PIDS', many: true, about: 'select by process ID' },
  ppid: { value: 'PIDS', many: true, about: 'select by parent process ID' },
  user: { short: 'u', value: 'USERS', many: true, about: 'select by effective user' },
  'no-headers': { short: 'h', about: 'do not print header' },
  C: { short: 'C', shortOnly: true, value: 'NAMES', many: true, about: 'select by command name' },
} as const;

/** "aux" and its like, which have no hyphen. */
function prepare(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words;
  if (!/^[auxwf]+$/.test(first)) return words;
  const all = first.includes('x') || first.includes('a') ? ['-e'] : [];
  return [
    ...all,
    ...(first.includes('u')
      ? ['-o', 'user,pid,ppid,tty=TTY', '-o', 'stat,stime=START', '-o', 'args']
      : ['-o', 'pid,tty,stat,args']),
    ...rest,
  ];
}

export const ps = command(
  {
    summary: 'report a snapshot of the current processes',
    usage: ['[OPTION]...', 'aux'],
    options,
    prepare,
    details: [`Columns: ${Object.keys(COLUMNS).join(' ')}`],
  },
  async (tool, { options: given, operands }) => {
    if (operands.length > 0) throw new Failure(`error: unsupported option ${operands[0]}`, 1, true);
    const self = procInfo(tool, tool.process.pid);
    const users = new Users(tool.fs);
    const numbers = (lists: readonly string[]) => lists.flatMap((list) => list.split(/[, ]+/)).map(Number);
    const [pids, ppids, names] = [
      numbers(given.pid),
      numbers(given.ppid),
      given.C.flatMap((list) => list.split(',')),
    ];
    const uids = given.user.flatMap((list) => list.split(',')).map((text) => users.uid(text));
    const selects = pids.length + ppids.length + uids.length + names.length > 0;
    const isPicked = (info: ProcInfo) => {
      if (given.A) return true;
      if (selects)
        return (
          pids.includes(info.pid) ||
          ppids.includes(info.ppid) ||
          uids.includes(info.euid) ||
          names.includes(info.name)
        );
      if (given.a) return info.tty !== 0 && info.pid !== info.sid;
      return info.euid === self?.euid && info.sid === self.sid;
    };
    const columns =
      given.format.length > 0
        ? columnsOf(given.format)
        : given.f
          ? columnsOf(['user=UID', 'pid,ppid,stime,tty=TTY', 'time,cmd'])
          : given.l
            ? columnsOf(['s,uid,pid,ppid', 'tty=TTY', 'time', 'ucmd'])
            : columnsOf(['pid', 'tty=TTY', 'time', 'ucmd']);
    const { seconds } = tool.now();
    const uptime = Number(tool.fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    const shown: Shown = { tool, users, booted: seconds - uptime, now: seconds };
    const rows = processes(tool).filter(isPicked);
    await tool.out(table(columns, rows, shown, !given['no-headers']));
    return rows.length > 0 ? 0 : 1;
  },
);

function table(columns: readonly Column[], rows: readonly ProcInfo[], shown: Shown, titled: boolean): string {
  const line = (texts: readonly string[]) =>
    `${columns
      .map(({ width, left, title }, i) => {
        const columnWidth = Math.max(width, title.length);
        if (!left) return texts[i].padStart(columnWidth);
        return i === columns.length - 1 ? texts[i] : texts[i].padEnd(columnWidth);
      })
      .join(' ')}\n`;
  const hasTitles = titled && columns.some(({ title }) => title !== '');
  const heading = hasTitles ? line(columns.map(({ title }) => title)) : '';
  return heading + rows.map((info) => line(columns.map((column) => column.value(info, shown)))).join('');
}
