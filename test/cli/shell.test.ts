/** `damselfly boot` as a shell: a line, a script, their exit codes, and nothing else on standard output. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damselfly, MAIN } from './command.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'damselfly-shell-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a line', () => {
  it('ends with its exit code, and prints what it prints', () => {
    const run = damselfly(['boot', '-c', 'echo out; echo err >&2; exit 7']);
    expect(run).toMatchObject({ status: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('works on what was imported, and the export comes after it', () => {
    writeFileSync(join(dir, 'one'), '1\n');
    const run = damselfly([
      'boot',
      '--import',
      `${dir}:/in`,
      '-c',
      'cd /in && cat one && echo 2 >two',
      '--export',
      `/in:${join(dir, 'out')}`,
    ]);
    expect(run).toMatchObject({ status: 0, stdout: '1\n' });
    expect(readFileSync(join(dir, 'out/two'), 'utf8')).toBe('2\n');
    expect(statSync(join(dir, 'out/one')).size).toBe(2);
  });

  it('reads standard input', () => {
    const run = damselfly(['boot', '-c', 'read a; echo "<$a>"; cat'], dir, 'first\nsecond\n');
    expect(run).toMatchObject({ status: 0, stdout: '<first>\nsecond\n' });
  });
});

describe('output that nobody takes', () => {
  it('ends the run as SIGPIPE would, without a word', async () => {
    const run = spawn(process.execPath, [MAIN, 'boot', '-c', 'yes']);
    let errors = '';
    run.stderr.on('data', (bytes) => (errors += bytes));
    run.stdout.once('data', () => run.stdout.destroy());
    expect((await once(run, 'close'))[0]).toBe(141);
    expect(errors).toBe('');
  });

  it.runIf(existsSync('/dev/full'))('is an error where it could not be written', async () => {
    const full = openSync('/dev/full', 'w');
    const run = spawn(process.execPath, [MAIN, 'boot', '-c', 'echo lost'], {
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let errors = '';
    run.stderr?.on('data', (bytes) => (errors += bytes));
    expect((await once(run, 'close'))[0]).toBe(1);
    expect(errors).toMatch(/^damselfly: cannot write the output: ENOSPC.*\n$/);
  });
});

describe('a script on standard input', () => {
  it('is run to its end', () => {
    const run = damselfly(['boot'], dir, 'x=4\necho $((x * x))\nexit 5\necho never\n');
    expect(run).toMatchObject({ status: 5, stdout: '16\n' });
  });

  it('that cannot be parsed is an error', () => {
    const run = damselfly(['boot'], dir, 'if true; then\n');
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/sh: .*[Ss]yntax error/);
  });
});

it('a machine that is saved has what the shell did', () => {
  const file = join(dir, 'm.dfly');
  const made = damselfly(['boot', '-c', 'mkdir /made; echo kept >/made/it', '--save', file]);
  expect(made.status).toBe(0);
  const again = damselfly(['boot', '--from', file, '-c', 'cat /made/it']);
  expect(again).toMatchObject({ status: 0, stdout: 'kept\n' });
});

it('attach says what it needs', () => {
  const run = damselfly(['attach', join(dir, 'nowhere')]);
  expect(run.status).toBe(2);
  expect(run.stderr).toMatch(/attach needs a terminal/);
});
