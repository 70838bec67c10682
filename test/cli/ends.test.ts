/** How the command ends: its exit codes, and errors that say what is wrong and what to do. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { damselfly } from './command.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-ends-'));
afterAll(() => fs.rmSync(base, { recursive: true }));
fs.mkdirSync(`${base}/tree`);
fs.writeFileSync(`${base}/tree/file`, Buffer.alloc(20 << 20, 1));
const big = fs.openSync(`${base}/big`, 'w');
fs.ftruncateSync(big, 2 ** 29);
fs.closeSync(big);
fs.writeFileSync(`${base}/no-snapshot`, 'text\nand more text');

test('version and help', () => {
  const { version } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(damselfly(['--version'])).toMatchObject({
    status: 0,
    stderr: '',
    stdout: `damselfly ${version} (Node ${process.version})\n`,
  });
  const help = damselfly(['--help']);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  const bogus = damselfly(['boot', '--bogus']);
  expect(bogus).toMatchObject({ status: 2, stdout: '' });
  expect(bogus.stderr).toBe("error: unknown option '--bogus'\n(damselfly boot --help tells more)\n");
  expect(damselfly(['attach']).stderr).toContain('(damselfly attach --help tells more)');
  for (const word of ['boot', 'bench', 'Exit codes']) expect(help.stdout).toContain(word);
  const boot = damselfly(['boot', '--help']);
  expect(boot).toMatchObject({ status: 0, stderr: '' });
  for (const word of [
    '--import',
    '--export',
    '--ram',
    '--flavour',
    '--seed',
    '--tour',
    '--disk',
    'extended attributes',
  ])
    expect(boot.stdout).toContain(word);
  expect(damselfly(['bench', '--help']).stdout).toContain('--quick');
});

test.for<[string[], number, string]>([
  [['fly'], 2, "unknown command 'fly'"],
  [['boot', '--wings'], 2, "unknown option '--wings'"],
  [['boot', 'src'], 2, 'too many arguments'],
  [['boot', '--import', 'src'], 2, 'Give HOSTDIR:/path'],
  [['boot', '--export', 'src:/src'], 2, 'Give /path:HOSTDIR'],
  [['boot', '--ram', 'much'], 2, 'Give a size'],
  [['boot', '--ram', '1m'], 2, '--ram must be from'],
  [['boot', '--ram', '5g'], 2, '--ram must be from'],
  [['boot', '--seed', '-1'], 2, 'whole number'],
  [['boot', '--flavour', 'down'], 2, 'up, smp'],
  [['boot', '--tour'], 2, 'add --import'],
  [['boot', '--import', `${base}/nothing:/src`], 1, 'cannot read'],
  [['boot', '--import', `${base}/tree:/src`, '--ram', '16m'], 3, 'give --ram '],
  [['boot', '--from', `${base}/nothing`], 1, 'cannot boot from'],
  [['boot', '--from', `${base}/no-snapshot`], 1, 'is not a snapshot'],
  [['boot', '--export', `/nothing:${base}/out`], 1, 'cannot export /nothing'],
  [['bench', '--only', 'nothing'], 2, "no group of rows 'nothing'"],
  [['bench', '--seed', '0'], 2, 'seed'],
])('%j', ([args, status, message]) => {
  const ended = damselfly(args);
  expect(ended.stderr).toContain(message);
  expect(ended.status).toBe(status);
  // A mistake of the user's is no reason for a stack trace.
  expect(ended.stderr).not.toMatch(/^ {4}at /m);
});

test('what cannot fit is refused before anything is copied', () => {
  // All of it is a hole, so it fits: holes take no memory.
  const sparse = damselfly(['boot', '--import', `${base}/big:/big`, '--ram', '64m']);
  expect(sparse).toMatchObject({ status: 0, stderr: '' });
  const { status, stdout, stderr } = damselfly(['boot', '--import', `${base}/tree:/src`, '--ram', '32m']);
  expect(status).toBe(3);
  expect(stderr).toMatch(/need \d+ MiB of RAM, and --ram gives 32 MiB: give --ram \d+m/);
  expect(stdout).not.toContain('Import');
}, 60_000);

test('a seed makes a run the same again', () => {
  // The first to read a file may change its access time, which is imported too.
  fs.readFileSync(`${base}/tree/file`);
  const run = (name: string) => {
    const file = `${base}/${name}`;
    expect(damselfly(['boot', '--seed', '7', '--import', `${base}/tree:/src`, '--save', file])).toMatchObject(
      { status: 0 },
    );
    return fs.readFileSync(file);
  };
  expect(run('first').equals(run('second'))).toBe(true);
}, 60_000);
