/** env, nohup, timeout, chroot, flock: programs run in other surroundings. */
import { EAGAIN } from '../../assembly/abi/errno.ts';
import {
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
} from '../../assembly/abi/flags.ts';
import { SIGHUP, SIGKILL, SIGTERM } from '../../assembly/abi/signals.ts';
import { command, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { parseDuration } from './lib/numbers.ts';
import { quoted } from './lib/quote.ts';
import { become, runChild } from './lib/run.ts';
import { signalNumber } from './lib/signals.ts';
import { isTerminal } from './lib/terminal.ts';
import { Users } from './lib/users.ts';

const RUN_EXITS = { 126: 'if COMMAND is found but cannot be invoked', 127: 'if COMMAND cannot be found' };

export const env = command(
  {
    summary: 'set each NAME to VALUE in the environment and run COMMAND',
    usage: ['[OPTION]... [NAME=VALUE]... [COMMAND [ARG]...]'],
    options: {
      'ignore-environment': { short: 'i', about: 'start with an empty environment' },
      null: { short: '0', about: 'end each output line with NUL, not newline' },
      unset: { short: 'u', value: 'NAME', many: true, about: 'remove variable from the environment' },
      chdir: { short: 'C', value: 'DIR', about: 'change working directory to DIR' },
    },
    stopAtOperand: true,
    usageStatus: 125,
    exits: { 125: 'if the env command itself fails', ...RUN_EXITS },
  },
  async (tool, { options, operands }) => {
    let words = operands;
    const empty = options['ignore-environment'] || words[0] === '-';
    if (words[0] === '-') words = words.slice(1);
    const variables: Record<string, string> = empty ? {} : { ...tool.env };
    for (const name of options.unset) delete variables[name];
    let at = 0;
    for (; at < words.length && words[at].includes('='); at++) {
      const equals = words[at].indexOf('=');
      variables[words[at].slice(0, equals)] = words[at].slice(equals + 1);
    }
    const argv = words.slice(at);
    if (options.chdir !== undefined) {
      if (argv.length === 0) throw new Failure('must specify command with --chdir (-C)', 125, true);
      try {
        tool.process.chdir(options.chdir);
      } catch (error) {
        throw new Failure(`cannot change directory to ${quoted(options.chdir)}: ${strerror(error)}`, 125);
      }
    }
    if (argv.length > 0) {
      if (options.null) throw new Failure('cannot specify --null (-0) with command', 125, true);
      return become(tool, argv, { env: variables, what: '' });
    }
    for (const [name, value] of Object.entries(variables))
      await tool.out(`${name}=${value}${options.null ? '\0' : '\n'}`);
    return undefined;
  },
);

export const nohup = command(
  {
    summary: 'run COMMAND, ignoring hangup signals',
    usage: ['COMMAND [ARG]...'],
    options: {},
    stopAtOperand: true,
    usageStatus: 125,
    exits: { 125: 'if the nohup command itself fails', ...RUN_EXITS },
  },
  async (tool, { operands }) => {
    if (operands.length === 0) throw new Failure('missing operand', 125, true);
    const { process, context } = tool;
    const notes: string[] = [];
    if (isTerminal(tool, 0)) {
      process.dup2(await tool.open('/dev/null', O_WRONLY), 0);
      notes.push('ignoring input');
    }
    if (isTerminal(tool, 1)) {
      const home = `${tool.env.HOME ?? ''}/nohup.out`;
      let fd: number;
      let name = 'nohup.out';
      try {
        fd = await tool.open(name, O_WRONLY | O_CREAT | O_APPEND, 0o600);
      } catch (error) {
        strerror(error);
        name = home;
        fd = await tool.open(name, O_WRONLY | O_CREAT | O_APPEND, 0o600);
      }
      process.dup2(fd, 1);
      notes.push(`appending output to ${quoted(name)}`);
    }
    if (notes.length > 0) await tool.say(notes.join(' and '));
    if (isTerminal(tool, 2)) process.dup2(1, 2);
    context.onSignal(SIGHUP, 'ignore');
    return become(tool, operands);
  },
);

const TIMED_OUT = 124;

export const timeout = command(
  {
    summary: 'start COMMAND, and kill it if still running after DURATION',
    usage: ['[OPTION] DURATION COMMAND [ARG]...'],
    options: {
      'preserve-status': { about: 'exit with the same status as COMMAND, even when the command times out' },
      foreground: {
        about:
          'when not running timeout directly from a shell prompt, allow COMMAND to read from the TTY and get TTY signals',
      },
      'kill-after': {
        short: 'k',
        value: 'DURATION',
        about:
          'also send a KILL signal if COMMAND is still running this long after the initial signal was sent',
      },
      signal: { short: 's', value: 'SIGNAL', about: 'specify the signal to be sent on timeout' },
      verbose: { short: 'v', about: 'diagnose to stderr any signal sent upon timeout' },
    },
    stopAtOperand: true,
    usageStatus: 125,
    exits: {
      124: 'if COMMAND times out, and --preserve-status is not specified',
      125: 'if the timeout command itself fails',
      ...RUN_EXITS,
      137: 'if COMMAND (or timeout itself) is sent the KILL (9) signal',
    },
  },
  async (tool, { options, operands }) => {
    const [duration, ...argv] = operands;
    if (argv.length === 0) throw new Failure('missing operand', 125, true);
    const signal = options.signal === undefined ? SIGTERM : signalNumber(options.signal);
    if (signal === undefined) throw new Failure(`${quoted(options.signal ?? '')}: invalid signal`, 125, true);
    const limit = durationOf(duration);
    const killAfter = options['kill-after'] === undefined ? 0 : durationOf(options['kill-after']);
    const { context, process } = tool;
    let pid: number;
    try {
      pid = await context.spawn(argv[0], argv);
    } catch (error) {
      await tool.say(`failed to run command ${quoted(argv[0])}: ${strerror(error)}`);
      return strerror(error) === 'No such file or directory' ? 127 : 126;
    }
    const ended = context.wait(pid);
    let timedOut = false;
    let killed = false;
    const send = (number: number) => {
      try {
        process.kill(pid, number);
      } catch (error) {
        strerror(error);
      }
    };
    const over = new AbortController();
    const clock = (async () => {
      if (limit === 0 || !(await slept(tool, limit, over.signal))) return;
      timedOut = true;
      if (options.verbose)
        await tool.say(
          `sending signal ${(options.signal ?? 'TERM').replace(/^SIG/, '')} to command ${quoted(argv[0])}`,
        );
      send(signal);
      if (killAfter === 0 || !(await slept(tool, killAfter, over.signal))) return;
      killed = true;
      if (options.verbose) await tool.say(`sending signal KILL to command ${quoted(argv[0])}`);
      send(SIGKILL);
    })();
    const status = await ended;
    over.abort();
    await clock;
    if (!timedOut || options['preserve-status']) return status.code;
    return killed || signal === SIGKILL ? 128 + SIGKILL : TIMED_OUT;
  },
);

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.message, 125, true) : error;
  }
}

/** Wait unless it is over before: was the time waited? */
async function slept(tool: Tool, seconds: number, over: AbortSignal): Promise<boolean> {
  try {
    await tool.process.pollLater([], seconds === Number.POSITIVE_INFINITY ? -1 : seconds * 1000, over);
    return true;
  } catch (error) {
    if (over.aborted) return false;
    throw error;
  }
}

export const chroot = command(
  {
    summary: 'run COMMAND with root directory set to NEWROOT',
    usage: ['[OPTION]... NEWROOT [COMMAND [ARG]...]'],
    options: {
      groups: { value: 'G_LIST', about: 'specify supplementary groups as g1,g2,..,gN' },
      userspec: { value: 'USER:GROUP', about: 'specify user and group (ID or name) to use' },
      'skip-chdir': { about: "do not change working directory to '/'" },
    },
    stopAtOperand: true,
    usageStatus: 125,
    exits: { 125: 'if the chroot command itself fails', ...RUN_EXITS },
  },
  async (tool, { options, operands }) => {
    const [root, ...words] = operands;
    if (root === undefined) throw new Failure('missing operand', 125, true);
    const { process } = tool;
    try {
      process.chroot(root);
    } catch (error) {
      throw new Failure(`cannot change root directory to ${quoted(root)}: ${strerror(error)}`, 125);
    }
    if (!options['skip-chdir']) process.chdir('/');
    const users = new Users(tool.fs);
    const idOf = (text: string, find: (name: string) => number | undefined, what: string) => {
      const id = find(text);
      if (id === undefined) throw new Failure(`invalid ${what} ${quoted(text)}`, 125);
      return id;
    };
    const [user, group] = (options.userspec ?? '').split(':');
    const groups = options.groups?.split(',').filter((name) => name !== '');
    if (groups !== undefined)
      process.setgroups(groups.map((name) => idOf(name, (text) => users.gid(text), 'group')));
    if (group) {
      const gid = idOf(group, (text) => users.gid(text), 'group');
      process.setresgid(gid, gid, gid);
    }
    if (user) {
      const uid = idOf(user, (text) => users.uid(text), 'user');
      process.setresuid(uid, uid, uid);
    }
    const shell = tool.env.SHELL ?? '/bin/sh';
    return become(tool, words.length > 0 ? words : [shell, '-i']);
  },
);

export const flock = command(
  {
    summary: 'manage file locks from shell scripts',
    usage: ['[OPTION]... FILE COMMAND [ARG]...', '[OPTION]... FILE -c COMMAND', '[OPTION]... DESCRIPTOR'],
    options: {
      shared: { short: 's', about: 'get a shared lock' },
      exclusive: { short: 'x', also: ['e'], about: 'get an exclusive lock (default)' },
      unlock: { short: 'u', about: 'remove a lock' },
      nonblock: { short: 'n', also: ['nb'], about: 'fail rather than wait' },
      timeout: { short: 'w', also: ['wait'], value: 'SECS', about: 'wait for a limited amount of time' },
      'conflict-exit-code': { short: 'E', value: 'NUMBER', about: 'exit code after conflict or timeout' },
      close: { short: 'o', about: 'close file descriptor before running command' },
      command: { short: 'c', value: 'COMMAND', about: 'run a single command string through the shell' },
      verbose: { about: 'increase verbosity' },
    },
    stopAtOperand: true,
    usageStatus: 64,
  },
  async (tool, { options, operands, last }) => {
    const [file, ...words] = operands;
    if (file === undefined) throw new Failure('requires file descriptor, file or directory', 64);
    const isShell = words[0] === '-c' || words[0] === '--command' || options.command !== undefined;
    const text = options.command ?? words[1];
    const argv = isShell ? [tool.env.SHELL ?? '/bin/sh', '-c', text] : words;
    if (isShell && (text === undefined || (options.command === undefined && words.length > 2)))
      throw new Failure('-c requires exactly one command argument', 64);
    const fd = argv.length === 0 ? descriptorOf(file) : await openLock(tool, file);
    const kind = last('shared', 'exclusive', 'unlock') ?? 'exclusive';
    const operation = { shared: LOCK_SH, exclusive: LOCK_EX, unlock: LOCK_UN }[kind];
    const conflict = Number(options['conflict-exit-code'] ?? 1);
    const wait = options.timeout === undefined ? undefined : parseDuration(options.timeout);
    if (!(await locked(tool, fd, operation, options.nonblock ? 0 : wait))) return conflict;
    if (argv.length === 0) return 0;
    const setup = options.close ? (child: { close(fd: number): void }) => child.close(fd) : undefined;
    const { code } = await runChild(tool, argv, { setup });
    tool.process.close(fd);
    return code;
  },
);

function descriptorOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new Failure(`bad file descriptor: ${quoted(text)}`, 64);
  return Number(text);
}

async function openLock(tool: Tool, path: string): Promise<number> {
  try {
    const isDirectory = tool.fs.statSync(path, { throwIfNoEntry: false })?.isDirectory();
    return await tool.open(path, isDirectory ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_CREAT);
  } catch (error) {
    throw new Failure(`cannot open lock file ${path}: ${strerror(error)}`, 66);
  }
}

/** @param wait  seconds; undefined: for ever  @returns whether the lock was got */
async function locked(tool: Tool, fd: number, operation: number, wait: number | undefined): Promise<boolean> {
  const over = new AbortController();
  const clock =
    wait === undefined || wait === 0
      ? undefined
      : slept(tool, wait, over.signal).then((isUp) => {
          if (isUp) stop.abort();
        });
  const stop = new AbortController();
  try {
    await tool.process.flockLater(fd, operation | (wait === 0 ? LOCK_NB : 0), stop.signal);
    return true;
  } catch (error) {
    if (stop.signal.aborted || errnoOf(error) === EAGAIN) return false;
    throw new Failure(`${fd}: ${strerror(error)}`, 65);
  } finally {
    over.abort();
    await clock;
  }
}
