/** The shell at a terminal: prompts, editing, history, completion, jobs, ^C and ^D. */
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import { boot, type Machine } from '../../host/index.ts';
import { environment, Userland } from '../../host/programs/userland.ts';
import { TerminalSession } from '../../host/terminal/session.ts';
import { programs } from './judge.ts';

const ENTER = '\r';
const TAB = '\t';
const UP = '\x1b[A';
const LEFT = '\x1b[D';
const INTERRUPT = '\x03';
const END = '\x04';

let machine: Machine;
let userland: Userland;
let session: TerminalSession;
let shown = '';
let seen = 0;
let wake = () => {};

/** What the terminal has shown, without colours and movements of the cursor. */
const plain = (text: string) => stripVTControlCharacters(text).replaceAll('\r', '');

function start(env: Record<string, string> = {}): void {
  shown = '';
  seen = 0;
  const variables = environment({ env: { TERM: 'xterm', PS1: '> ', PS2: '.. ', ...env } });
  session = new TerminalSession(userland, ['sh'], variables, {
    size: { rows: 24, columns: 80 },
    output(bytes) {
      shown += new TextDecoder().decode(bytes);
      wake();
    },
  });
}

/** Wait until what is new on the terminal holds a text; the next wait goes on after it. */
async function sees(text: string): Promise<void> {
  for (;;) {
    const at = plain(shown).indexOf(text, seen);
    if (at >= 0) {
      seen = at + text.length;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(shown)}`)),
        10_000,
      );
      wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

async function enters(line: string, ...expected: string[]): Promise<void> {
  await session.write(line + ENTER);
  for (const text of expected) await sees(text);
}

async function ends(): Promise<number> {
  const { code } = await session.done;
  return code;
}

beforeEach(async () => {
  machine = await boot();
  userland = new Userland(machine, programs);
  start();
  await sees('> ');
});

afterEach(async () => {
  try {
    machine.init.kill(-1, SIGKILL);
  } catch {
    // Nothing runs any more.
  }
  await session.done;
  machine.shutdown();
});

test('prompts, runs, and ends at ^D with the last status', async () => {
  await enters('echo one', 'one\n', '> ');
  await enters('false', '> ');
  await session.write(END);
  expect(await ends()).toBe(1);
});

test('exit ends it; errors do not', async () => {
  await enters('nosuch', 'sh: nosuch: not found\n', '> ');
  await enters('set -u; echo $x', 'sh: x: parameter not set\n', '> ');
  await enters('fi', 'sh: Syntax error: "fi" unexpected\n', '> ');
  await enters('readonly r=1; r=2', 'r: is read only\n', '> ');
  await enters('exit 7');
  expect(await ends()).toBe(7);
});

test('goes on with PS2 until a command is complete', async () => {
  await enters('for i in 1 2', '.. ');
  await enters('do echo "<$i>"', '.. ');
  await enters('done', '<1>\n<2>\n', '> ');
  await enters('cat <<E', '.. ');
  await enters('text $((1+1))', '.. ');
  await enters('E', 'text 2\n', '> ');
  await enters("echo 'a", '.. ');
  await enters("b'", 'a\nb\n', '> ');
  await enters('echo a |', '.. ');
  await enters('cat', 'a\n', '> ');
  await enters('echo joi\\', '.. ');
  await enters('ned', 'joined\n', '> ');
});

test('^C drops the line, or the command that is not complete', async () => {
  await session.write('echo never');
  await session.write(INTERRUPT);
  await sees('^C');
  await sees('> ');
  await enters('if true', '.. ');
  await session.write(INTERRUPT);
  await sees('> ');
  await enters('echo $?', '130\n', '> ');
});

test('^C ends what runs in the foreground, and the shell goes on', async () => {
  await enters('cat', '\n');
  await session.write(`typed\n`);
  await sees('typed\ntyped\n');
  await session.write(INTERRUPT);
  await sees('> ');
  await enters('echo $?', '130\n', '> ');
  await enters('cat | cat', '\n');
  await session.write(INTERRUPT);
  await sees('> ');
  await enters('while :; do :; done', '\n');
  await session.write(INTERRUPT);
  await sees('> ');
  await enters('echo alive', 'alive\n', '> ');
});

for (const [how, env] of [
  ['edited', { TERM: 'xterm' }],
  ['plain', { TERM: 'dumb' }],
] as const) {
  test(`a trap of ^C runs at the prompt, and the line is dropped (${how})`, async () => {
    await enters('exit');
    await ends();
    start(env);
    await sees('> ');
    await enters("trap 'echo trapped $?' INT", '> ');
    await session.write('echo never');
    await session.write(INTERRUPT);
    await sees('^C');
    await sees('\ntrapped 130\n');
    await sees('> ');
    await enters('echo $?', '130\n', '> ');
    await enters('if true', '.. ');
    await session.write(INTERRUPT);
    await sees('trapped');
    await sees('> ');
    await enters("trap '' INT", '> ');
    await session.write('echo ig');
    await session.write(INTERRUPT);
    // The terminal itself forgets a line at ^C, as Linux's do.
    await enters('nored', env.TERM === 'dumb' ? 'nored: not found' : 'ignored\n', '> ');
    await enters('trap - INT', '> ');
    await session.write(INTERRUPT);
    await sees('> ');
    expect(shown).not.toMatch(/\nnever/);
  });
}

test('a trap of ^C runs between the commands of a loop', async () => {
  await enters('trap \'echo trapped; done=1\' INT; while [ -z "$done" ]; do :; done', '\n');
  await session.write(INTERRUPT);
  await sees('trapped\n');
  await sees('> ');
});

test('^D ends what reads the terminal, and not the shell', async () => {
  await enters('cat; echo after', '\n');
  await session.write(`line\n`);
  await sees('line\nline\n');
  await session.write(END);
  await sees('after\n');
  await sees('> ');
});

test('lines are edited', async () => {
  await session.write('echo bc');
  await session.write(`${LEFT}${LEFT}a`);
  await enters('', 'abc\n', '> ');
  await session.write('echo wrong\x15echo right');
  await enters('', 'right\n', '> ');
  await session.write('echo éx\x7f');
  await enters('', 'é\n', '> ');
});

test('history is there again, also for the next shell', async () => {
  await enters('echo first', 'first\n', '> ');
  await enters('echo second', 'second\n', '> ');
  await session.write(`${UP}${UP}`);
  await enters('', 'first\n', '> ');
  expect(machine.fs.readFileSync('/root/.sh_history', 'utf8')).toBe('echo first\necho second\necho first\n');
  expect(machine.fs.statSync('/root/.sh_history').mode & 0o777).toBe(0o600);
  await enters('exit');
  await ends();
  start();
  await sees('> ');
  await session.write(`${UP}${UP}`);
  await sees('echo first');
  await enters('', 'first\n', '> ');
});

test('Tab completes commands, variables and paths', async () => {
  await enters('myfunction() { echo called; }; longvariable=value; mkdir /tmp/dir; >"/tmp/dir/a file"', '> ');
  await session.write(`myfun${TAB}`);
  await enters('', 'called\n', '> ');
  await session.write(`echo $longv${TAB}`);
  await enters('', 'value\n', '> ');
  await session.write(`ls /tmp/d${TAB}a${TAB}`);
  await enters('', 'a file', '> ');
  await session.write(`echo "/tmp/dir/a${TAB}`);
  await enters('', '/tmp/dir/a file\n', '> ');
  await session.write(`mkdi${TAB}/tmp/made`);
  await enters('', '> ');
  await session.write(`cd /tmp/ma${TAB}`);
  await enters('; pwd', '/tmp/made\n', '> ');
});

test('a second Tab lists what there is, by last names', async () => {
  await enters('mkdir /tmp/dir; >"/tmp/dir/a file"; >/tmp/dir/another; mkdir /tmp/dir/away', '> ');
  await session.write(`ls /tmp/dir/a${TAB}`);
  await sees('ls /tmp/dir/a');
  await session.write(TAB);
  await sees('\na file  another  away/\n> ls /tmp/dir/a');
  await session.write(`n${TAB}`);
  await sees('nother');
  await enters('', '\n/tmp/dir/another\n', '> ');
});

test('^R searches earlier lines', async () => {
  await enters('echo first one', 'first one\n', '> ');
  await enters('echo second', 'second\n', '> ');
  await enters('echo first two', 'first two\n', '> ');
  const SEARCH = '\x12';
  await session.write(`${SEARCH}fir`);
  await sees("(reverse-i-search)`fir': echo first two");
  await session.write(SEARCH);
  await sees("(reverse-i-search)`fir': echo first one");
  await enters('', '> echo first one', '\nfirst one\n', '> ');
  await session.write(`typed${SEARCH}nothing`);
  await sees("(failed reverse-i-search)`nothing': ");
  await session.write('\x07');
  await sees('> typed');
  await session.write(`\x15${SEARCH}sec\x01`);
  await sees('> echo second');
  await session.write('\x1b[F');
  await enters(' more', 'second more\n', '> ');
});

test('a window of another size while a line is edited', async () => {
  await session.write('echo 0123456789 0123456789 0123456789');
  await sees('echo 0123456789 0123456789 0123456789');
  session.resize({ rows: 10, columns: 20 });
  // The line is drawn anew, on two rows; so the cursor goes up one to the line's beginning.
  await sees('> echo 0123456789 0123456789 0123456789');
  await session.write('\x01');
  await sees('> echo 0123456789 0123456789 0123456789');
  await enters('', '\n0123456789 0123456789 0123456789\n', '> ');
  expect(shown).toContain('\x1b[3G\x1b[1A');
});

test('jobs run in the background and come to the foreground', async () => {
  await enters('sleep 100 &', '[1] ', '> ');
  await enters('jobs', '[1] + Running', 'sleep 100', '> ');
  await enters('kill %1; wait; echo waited', 'waited\n', '> ');
  await enters('(exit 3) & wait', '> ');
  await enters('sleep 100 & fg', 'sleep 100', '\n');
  await session.write(INTERRUPT);
  await sees('> ');
  await enters('echo $?', '130\n', '> ');
  await enters('true &', '[', '> ');
  await enters('echo', 'Done', '> ');
});

test('prompts show who, where and what', async () => {
  await enters("PS1='\\u@\\h:\\w\\$ '; mkdir -p ~/sub; cd ~/sub", 'root@damselfly:~/sub# ');
  await enters('cd /etc', 'root@damselfly:/etc# ');
  await enters("PS1='\\W \\101 \\s \\j \\D{%Y} \\t> '", 'etc A sh 0 20');
  await enters('', ':');
  await sees('> ');
  await enters("x=5; PS1='[$x $((x+1))] '", '[5 6] ');
  await enters('x=7', '[7 8] ');
});

test('what was typed ahead goes to the command that reads', async () => {
  await session.write(`read x; echo "got $x"${ENTER}ahead\n`);
  await sees('got ahead\n');
  await sees('> ');
});

test('without editing on a dumb terminal', async () => {
  await enters('exit');
  await ends();
  start({ TERM: 'dumb' });
  await sees('> ');
  await session.write('echo plain\n');
  await sees('plain\nplain\n');
  await sees('> ');
  await session.write(INTERRUPT);
  await sees('^C');
  await sees('> ');
  await session.write(END);
  expect(await ends()).toBe(130);
});

test('a shell whose terminal is gone ends', async () => {
  await enters('cat', '\n');
  session.hangup();
  expect((await session.done).signal).toBe(1);
});

test('a login shell reads the profiles', async () => {
  machine.fs.writeFileSync('/etc/profile', 'FROM_ETC=1\n');
  machine.fs.writeFileSync('/root/.profile', 'echo "profile $FROM_ETC"\nnosuchcommand\necho still\n');
  const { stdout, code } = await userland.run(['sh', '-l', '-c', 'echo command']);
  expect(stdout).toBe('profile 1\nstill\ncommand\n');
  expect(code).toBe(0);
});
