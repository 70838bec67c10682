/**
 * The command at a terminal, which script(1) provides: a login shell, keys that signal, a second
 * terminal attached. Each step waits for what the screen shows.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAIN } from './command.ts';

/** A command on a terminal of its own. */
class Terminal {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  #shown = '';
  #seen = 0;
  #changed = () => {};

  constructor(args: readonly string[]) {
    const line = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', line, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#shown += chunk.toString('latin1');
      this.#changed();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        resolve(code);
        this.#changed();
      });
    });
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Wait until `what` is shown, after what was waited for before. What was shown up to its end. */
  async shows(what: string | RegExp): Promise<string> {
    const pattern = typeof what === 'string' ? new RegExp(what.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : what;
    for (;;) {
      const match = pattern.exec(this.#shown.slice(this.#seen));
      if (match !== null) {
        const end = this.#seen + match.index + match[0].length;
        const text = this.#shown.slice(this.#seen, end);
        this.#seen = end;
        return text;
      }
      if (this.#child.exitCode !== null) throw new Error(`ended without showing ${what}:\n${this.#shown}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

const PROMPT = /# ([^ -~]\[\S+)*$/;
let open: Terminal[];
let dir: string;

beforeEach(() => {
  open = [];
  dir = mkdtempSync(join(tmpdir(), 'damselfly-terminal-'));
});
afterEach(() => {
  for (const terminal of open) terminal.kill();
  rmSync(dir, { recursive: true });
});

function start(...args: string[]): Terminal {
  const terminal = new Terminal(args);
  open.push(terminal);
  return terminal;
}

it('logs in, runs what is typed, and ends with the code of exit', async () => {
  const terminal = start('boot');
  await terminal.shows(PROMPT);
  terminal.type('tty; echo $((6 * 7))\r');
  await terminal.shows('/dev/pts/0');
  await terminal.shows('42');
  await terminal.shows(PROMPT);
  terminal.type('exit 9\r');
  expect(await terminal.ended).toBe(9);
});

it('greets who logs in, and prompts with who and where', async () => {
  const terminal = start('boot', '--import', `${dir}:/src`);
  await terminal.shows(/Damselfly: .*\r+\n/);
  await terminal.shows(`${dir} of the host has been copied to /src.`);
  await terminal.shows('root@damselfly:~# ');
  terminal.type('cd /src; chmod 777 .; su nobody -s /bin/sh\r');
  await terminal.shows('nobody@damselfly:/src$ ');
  terminal.type('exit 3\r');
  await terminal.shows('root@damselfly:/src# ');
  terminal.type('exit\r');
  expect(await terminal.ended).toBe(3);
});

it('shows what comes first first, and stops what ^C stops', async () => {
  const terminal = start('boot');
  await terminal.shows(PROMPT);
  terminal.type('(echo fir""st; sleep 1; echo sec""ond) | cat\r');
  const before = await terminal.shows('first');
  expect(before).not.toContain('second');
  await terminal.shows('second');
  await terminal.shows(PROMPT);
  terminal.type('echo rea""dy; cat\r');
  await terminal.shows('ready');
  terminal.type('echoed\r');
  await terminal.shows(/echoed\r+\n(.*\n)*echoed/);
  terminal.type('\x03');
  await terminal.shows(PROMPT);
  terminal.type('echo $?\r');
  await terminal.shows(/\b130\b/);
  await terminal.shows(PROMPT);
  // Neither end of this ever waits.
  terminal.type('echo go""es; cat /dev/zero >/dev/null\r');
  await terminal.shows('goes');
  terminal.type('\x03');
  await terminal.shows(PROMPT);
  terminal.type('\x04');
  expect(await terminal.ended).toBe(130);
});

it('edits the line, completes it, and remembers it', async () => {
  const terminal = start('boot');
  await terminal.shows(PROMPT);
  terminal.type('mkdir /some /some/where\r');
  await terminal.shows(PROMPT);
  // A tab among other keys is taken for pasted text.
  terminal.type('echo "<" /so');
  await terminal.shows('/so');
  terminal.type('\t');
  await terminal.shows('me/');
  terminal.type('wh');
  await terminal.shows('wh');
  terminal.type('\t');
  await terminal.shows('ere');
  terminal.type('\r');
  await terminal.shows('< /some/where');
  await terminal.shows(PROMPT);
  terminal.type('\x1b[A\r');
  await terminal.shows('< /some/where');
  await terminal.shows(PROMPT);
  terminal.type('exit\r');
  expect(await terminal.ended).toBe(0);
});

it('lets others in on a socket that is its owner’s alone, each on a terminal of their own', async () => {
  const socket = join(dir, 'control');
  const first = start('boot', '--control', socket);
  await first.shows(PROMPT);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  const second = start('attach', socket);
  await second.shows('login: ');
  second.type('root\r');
  await second.shows(PROMPT);
  second.type('tty; echo from the second >/tmp/note; exit 4\r');
  await second.shows('/dev/pts/1');
  expect(await second.ended).toBe(4);
  first.type('cat /tmp/note; exit\r');
  await first.shows('from the second');
  expect(await first.ended).toBe(0);
  expect(() => statSync(socket)).toThrow();
});

it('does not take over a socket that is in use', async () => {
  const socket = join(dir, 'control');
  const first = start('boot', '--control', socket);
  await first.shows(PROMPT);
  const other = start('boot', '--control', socket);
  await other.shows('a machine listens on');
  expect(await other.ended).toBe(1);
});
