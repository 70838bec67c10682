/** The shell as processes of a machine: what is seen when, how fast, and how it ends. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boot, type Machine } from '../../host/index.ts';
import { Userland } from '../../host/programs/userland.ts';
import { programs } from './judge.ts';

let machine: Machine;
let userland: Userland;

beforeAll(async () => {
  machine = await boot();
  userland = new Userland(machine, programs);
});
afterAll(() => machine.shutdown());

test('what an element of a pipeline writes is seen at once', async () => {
  const seen: { text: string; at: number }[] = [];
  const running = userland.start(['sh', '-c', '(echo a; sleep 0.3; echo b) | cat'], {
    stdin: [],
    stdout: (bytes) => void seen.push({ text: new TextDecoder().decode(bytes), at: performance.now() }),
    stderr: () => {},
  });
  expect((await running.done).code).toBe(0);
  expect(seen.map(({ text }) => text)).toEqual(['a\n', 'b\n']);
  expect(seen[1].at - seen[0].at).toBeGreaterThan(150);
});

test('each command is a process with a parent, and nothing is left of them', async () => {
  const { stdout } = await userland.run("echo $$ $PPID; sh -c 'echo $PPID'; (sh -c 'echo $PPID'); echo $$");
  const [first, child, , last] = stdout.split('\n');
  const [pid, parent] = first.split(' ');
  expect(child).toBe(pid);
  expect(last).toBe(pid);
  expect(Number(parent)).toBeGreaterThan(0);
  expect(machine.fs.existsSync(`/proc/${pid}`)).toBe(false);
});

test('a loop of 100,000 additions takes a second or two', async () => {
  const start = performance.now();
  const { stdout } = await userland.run('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i');
  expect(stdout).toBe('100000\n');
  // Generous, for a machine that is busy: it takes 0.7 seconds on one that is not.
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('a loop that never waits can be ended from outside', async () => {
  const { code, signal } = await userland.run('while :; do :; done', { signal: AbortSignal.timeout(100) });
  expect({ code, signal }).toEqual({ code: 137, signal: 9 });
});

test('functions call themselves deeply, and not for ever', async () => {
  const deep = await userland.run('f() { [ $1 -gt 0 ] && f $(($1-1)); }; f 3000; echo $?');
  expect(deep.stdout).toBe('1\n');
  const endless = await userland.run('f() { f; }; f; echo not reached');
  expect(endless).toMatchObject({ code: 2, stdout: '' });
  expect(endless.stderr).toContain('Maximum function recursion depth reached');
});

test('a full disk is an error of echo, and not the end', async () => {
  const small = await boot({ ram: 4 << 20 });
  try {
    const inside = new Userland(small, programs);
    const script = 'echo x >/dev/full; echo $?; exec 1>/dev/full; echo lost; echo $? >&2';
    const { stdout, stderr } = await inside.run(script);
    expect(stdout).toBe('1\n');
    expect(stderr).toBe('sh: 1: echo: No space left on device\nsh: 1: echo: No space left on device\n1\n');
  } finally {
    small.shutdown();
  }
});

test('a writer whose reader has gone is ended, or told if it ignores that', async () => {
  const { stdout, stderr } = await userland.run(
    "(while :; do echo y; done) | head -n 2; (trap '' PIPE; while echo y; do :; done; echo stopped >&2) | head -n 1",
  );
  expect(stdout).toBe('y\ny\ny\n');
  expect(stderr).toMatch(/echo: Broken pipe\nstopped\n$/);
});

test('its own descriptors do not leak into programs', async () => {
  const { stdout } = await userland.run('{ { ls /proc/self/fd; } 3>&1; } 4>&1 | cat; ls /proc/self/fd');
  const all = stdout.trim().split('\n');
  const plain = all.slice(all.lastIndexOf('0'));
  const redirected = all.slice(0, all.lastIndexOf('0'));
  expect(plain.slice(0, 3)).toEqual(['0', '1', '2']);
  expect(redirected.slice(0, 5)).toEqual(['0', '1', '2', '3', '4']);
  // What lists them has one open for the directory, or none.
  expect(plain.length).toBeLessThanOrEqual(4);
  expect(redirected.length - plain.length).toBe(2);
});
