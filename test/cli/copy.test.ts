import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isDirectory, isRegular, nanosecondsOf } from '../../host/hostfiles/entry.ts';
import { differences, digestTree } from '../../host/hostfiles/digest.ts';
import { scanTree, type Tree } from '../../host/hostfiles/scan.ts';
import { readHostXattrs } from '../../host/hostfiles/xattrs.ts';
import { damselfly, isRoot, makeAwkwardTree } from './command.ts';

let base: string;
let source: string;

beforeEach(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'damselfly-cli-'));
  source = join(base, 'source');
  makeAwkwardTree(source);
});

afterEach(() => {
  execFileSync('chmod', ['-R', 'u+rwx', base]);
  fs.rmSync(base, { recursive: true });
});

const scan = (path: string): Promise<Tree> => scanTree(fs, Buffer.from(path));

/** Everything that `cp -a` keeps is equal. */
async function expectCopy(copy: string): Promise<void> {
  const [wanted, got] = [await scan(source), await scan(copy)];
  const lines = differences(await digestTree(fs, wanted), await digestTree(fs, got), 'source', 'copy');
  expect(lines).toEqual([]);
  const accessTimes = (tree: Tree) =>
    tree.entries
      .filter((entry) => !isDirectory(entry))
      .map(({ path, atime }) => [path.toString('latin1'), nanosecondsOf(atime)]);
  expect(accessTimes(got)).toEqual(accessTimesBefore);
  const attributes = await readHostXattrs(Buffer.from(source));
  expect(attributes?.size).toBeGreaterThan(0);
  expect(await readHostXattrs(Buffer.from(copy))).toEqual(attributes);
  const holes = (tree: Tree) =>
    tree.entries.filter((entry) => isRegular(entry) && entry.path.toString() === 'sparse');
  expect(holes(got)[0].allocated).toBeLessThanOrEqual(holes(wanted)[0].allocated);
}

let accessTimesBefore: [string, bigint][];
beforeEach(async () => {
  const { entries } = await scan(source);
  accessTimesBefore = entries
    .filter((entry) => !isDirectory(entry))
    .map(({ path, atime }) => [path.toString('latin1'), nanosecondsOf(atime)]);
});

test('what goes in comes out as cp -a would have copied it', async ({ skip }) => {
  if (!isRoot) skip('needs root: owners and device nodes');
  const { status, stderr } = damselfly([
    'boot',
    '--import',
    `${source}:/in/deep`,
    '--export',
    `/in/deep:${base}/copy`,
  ]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  await expectCopy(`${base}/copy`);
  // The names of one file are names of one file.
  expect(fs.statSync(`${base}/copy/plain`).nlink).toBe(3);
}, 60_000);

test('a machine put aside shows the same tree in another process', async ({ skip }) => {
  if (!isRoot) skip('needs root: owners and device nodes');
  const saved = damselfly(['boot', '--import', `${source}:/src`, '--save', `${base}/machine`]);
  expect(saved).toMatchObject({ status: 0, stderr: '' });
  const other = damselfly(['boot', '--from', `${base}/machine`, '--export', `/src:${base}/copy`]);
  expect(other).toMatchObject({ status: 0, stderr: '' });
  await expectCopy(`${base}/copy`);
}, 60_000);

test('an export replaces files, keeps directories, and does not follow links out of its target', async () => {
  const copy = `${base}/copy`;
  const elsewhere = `${base}/elsewhere`;
  fs.mkdirSync(`${copy}/empty-directory`, { recursive: true });
  fs.writeFileSync(`${copy}/empty-directory/mine`, 'stays');
  fs.writeFileSync(`${copy}/plain`, 'is replaced');
  fs.mkdirSync(elsewhere);
  fs.symlinkSync(elsewhere, `${copy}/closed`);
  fs.symlinkSync(`${elsewhere}/written`, `${copy}/large`);
  const { status, stderr } = damselfly(['boot', '--import', `${source}:/src`, '--export', `/src:${copy}`]);
  expect(stderr).toContain('closed');
  expect(status).toBe(1);
  expect(fs.readFileSync(`${copy}/plain`, 'utf8')).toBe('plain text');
  expect(fs.readFileSync(`${copy}/empty-directory/mine`, 'utf8')).toBe('stays');
  expect(fs.lstatSync(`${copy}/large`).isFile()).toBe(true);
  expect(fs.readdirSync(elsewhere)).toEqual([]);
}, 60_000);

test('a single file goes in and out', () => {
  const { status, stderr } = damselfly([
    'boot',
    '--import',
    `${source}/large:/etc/large`,
    '--export',
    `/etc/large:${base}/out/large`,
  ]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(fs.readFileSync(`${base}/out/large`).equals(fs.readFileSync(`${source}/large`))).toBe(true);
});

test('the tour checks out on a small tree, in each flavour', async () => {
  for (const flavour of ['up', 'smp-debug']) {
    const { status, stdout, stderr } = damselfly([
      'boot',
      '--import',
      `${source}:/src`,
      '--tour',
      '--flavour',
      flavour,
    ]);
    expect(`${stdout}${stderr}`).not.toContain('✗');
    expect(stdout).toContain('steps, all as expected');
    for (const mount of ['/ (tmpfs)', '/proc (proc)', '/mnt/second (tmpfs, gone)'])
      expect(stdout).toContain(`  ${mount}: `);
    expect(stdout).toMatch(/^ {4}read +[\d,]+ +[\d.]+ .s +[\d.]+ .s each {2}█+/m);
    expect(stdout).toMatch(/[\d,]+ calls on \d mounts traced, [\d,]+ counted by the kernel/);
    expect(status).toBe(0);
  }
}, 120_000);
