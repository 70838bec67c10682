/** su and login: becoming somebody else. */
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { become } from './lib/run.ts';
import { type User, Users } from './lib/users.ts';
import { tryStat } from './lib/stat.ts';

const ROOT = 0;
const USER_PATH = '/bin';

/** A user's ids for this process, groups first, while it may still set them. @throws SyscallError */
function switchTo(tool: Tool, users: Users, user: User): void {
  const { process } = tool;
  process.setgroups(users.groupsOf(user));
  process.setresgid(user.gid, user.gid, user.gid);
  process.setresuid(user.uid, user.uid, user.uid);
}

/** What a login begins with. */
function loginEnvironment(tool: Tool, user: User, shell: string): Record<string, string> {
  const { TERM, TZ, LANG, COLUMNS, LINES } = tool.env;
  const kept = Object.fromEntries(
    Object.entries({ TERM, TZ, LANG, COLUMNS, LINES }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return { ...kept, HOME: user.home, SHELL: shell, USER: user.name, LOGNAME: user.name, PATH: USER_PATH };
}

async function goHome(tool: Tool, user: User): Promise<void> {
  const home = tryStat(tool.process, user.home);
  if (home === undefined)
    await tool.say(`warning: cannot change directory to ${user.home}: No such file or directory`);
  tool.process.chdir(home === undefined ? '/' : user.home);
}

/** Passwords are not kept: root becomes anybody, others nobody but themselves. */
function mayBecome(tool: Tool, user: User): boolean {
  const { uid } = tool.process.ids();
  return uid === ROOT || uid === user.uid;
}

export const su = command(
  {
    summary: 'change the effective user ID and group ID to that of USER',
    usage: ['[OPTION]... [-] [USER [ARG]...]'],
    options: {
      command: { short: 'c', value: 'COMMAND', about: 'pass a single command to the shell with -c' },
      login: { short: 'l', about: 'make the shell a login shell (as does a single "-")' },
      'preserve-environment': { short: 'p', also: ['m'], about: 'do not reset environment variables' },
      shell: { short: 's', value: 'SHELL', about: 'run SHELL instead of the one in /etc/passwd' },
    },
    details: ['There are no passwords here: root may become anybody, others only themselves.'],
    exits: {
      1: 'if su itself fails',
      126: 'if the shell cannot be invoked',
      127: 'if the shell is not found',
    },
    prepare: (words) =>
      words.includes('-') && !words.includes('--')
        ? ['--login', ...words.filter((word) => word !== '-')]
        : words,
  },
  async (tool, { options, operands }) => {
    const [name = 'root', ...rest] = operands;
    const users = new Users(tool.fs);
    const user = users.byName(name);
    if (user === undefined)
      throw new Failure(
        `user ${name} does not exist or the user entry does not contain all the required fields`,
      );
    if (!mayBecome(tool, user)) {
      await tool.say('Permission denied');
      return 1;
    }
    const shell =
      options.shell ?? (options['preserve-environment'] ? tool.env.SHELL : undefined) ?? user.shell;
    switchTo(tool, users, user);
    let env: Record<string, string> = { ...tool.env };
    if (options.login) {
      env = loginEnvironment(tool, user, shell);
      await goHome(tool, user);
    } else if (!options['preserve-environment']) {
      env = { ...env, HOME: user.home, SHELL: shell };
      if (user.uid !== ROOT) Object.assign(env, { USER: user.name, LOGNAME: user.name });
    }
    const argv = [
      shell,
      ...(options.login ? ['-l'] : []),
      ...(options.command === undefined ? [] : ['-c', options.command]),
      ...rest,
    ];
    return become(tool, argv, { env, what: '' });
  },
);

const TRIES = 3;

/** A line typed at a prompt; undefined at the end of input. */
async function ask(tool: Tool, prompt: string): Promise<string | undefined> {
  await tool.out(prompt);
  await tool.context.stdout.flush();
  const byte = new Uint8Array(1);
  const bytes: number[] = [];
  for (;;) {
    if ((await tool.context.stdin.readInto(byte)) === 0) return bytes.length === 0 ? undefined : text(bytes);
    if (byte[0] === 10) return text(bytes);
    bytes.push(byte[0]);
  }
}

const text = (bytes: readonly number[]) => new TextDecoder().decode(Uint8Array.from(bytes));

export const login = command(
  {
    summary: 'begin a session on the system',
    usage: ['[-f] [USER]'],
    options: {
      f: {
        short: 'f',
        shortOnly: true,
        about: 'the user is known already (always so: there are no passwords)',
      },
      p: { short: 'p', shortOnly: true, about: 'preserve environment' },
    },
    details: ['Prints /etc/motd and starts the login shell that /etc/passwd names. Only root can run it.'],
  },
  async (tool, { options, operands }) => {
    if (tool.process.ids().euid !== ROOT) throw new Failure('Cannot possibly work without effective root');
    const users = new Users(tool.fs);
    const hostname = tool.fs.readFileSync('/proc/sys/kernel/hostname', 'utf8').trimEnd();
    let [name] = operands as (string | undefined)[];
    for (let tries = 0; tries < TRIES; tries++) {
      name ??= await ask(tool, `${hostname} login: `);
      if (name === undefined) return 1;
      const user = users.byName(name.trim());
      if (user !== undefined) return begin(tool, users, user, options.p);
      if (name.trim() !== '') await tool.out('\nLogin incorrect\n');
      name = undefined;
    }
    await tool.out(`\nMaximum number of tries exceeded (${TRIES})\n`);
    return 1;
  },
);

async function begin(tool: Tool, users: Users, user: User, keepsEnvironment: boolean): Promise<number> {
  const fresh = loginEnvironment(tool, user, user.shell);
  const motd = tool.fs.statSync('/etc/motd', { throwIfNoEntry: false });
  if (motd !== undefined) await tool.out(tool.fs.readFileSync('/etc/motd', 'utf8'));
  await tool.context.stdout.flush();
  switchTo(tool, users, user);
  await goHome(tool, user);
  const env = keepsEnvironment ? { ...tool.env, ...fresh } : fresh;
  return become(tool, [user.shell, '-l'], { env, what: '' });
}
