/** A machine that has taken a tree in, carried to another process as a file, and gone on with there. */
import { execFileSync } from 'node:child_process';
import hostFs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { bootChecked, hostDirectory } from './machine.ts';
import { describeAll } from './program/describe.mjs';
import { copyTree } from './trees.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const SHOW = fileURLToPath(new URL('program/show-snapshot.mjs', import.meta.url));
const ROOT = '/home/imported';

test.each(['up-debug', 'smp'] as const)('%s: a fresh process sees the same machine', (flavour) => {
  const machine = bootChecked({ flavour, hostname: 'carried' });
  const { fs, init } = machine;
  for (const part of ['host', 'assembly', 'docs', 'test/users', 'node_modules/fast-glob']) {
    fs.mkdirSync(`${ROOT}/${part}`, { recursive: true });
    copyTree(hostFs, `${REPOSITORY}/${part}`, fs, `${ROOT}/${part}`);
  }
  makeOddities();
  init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
  const process = machine.process({ uid: 1000, gid: 1000, groups: [4] });
  process.chdir(ROOT);
  const fd = process.fs.openSync('/tmp/unnamed', 'w+');
  process.fs.writeSync(fd, 'before, after');
  process.fs.readSync(fd, Buffer.alloc(8), 0, 8, 0);
  process.lseek(fd, 8, 0);
  process.fs.unlinkSync('/tmp/unnamed');
  const pipe = process.pipe();
  process.fs.writeSync(pipe.write, 'in the pipe');

  // Before the snapshot: reading moves access times, which are state too.
  const tree = describeAll(fs, ROOT);
  const mounts = fs.readFileSync('/proc/mounts', 'utf8');
  const file = `${hostDirectory()}/snapshot`;
  hostFs.writeFileSync(file, serialize(machine.snapshot()));
  const frames = machine.framesInUse;
  machine.shutdown();

  const told = execFileSync('node', [SHOW, file, ROOT, `${process.pid}`, `${fd}`, `${pipe.read}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const answer = JSON.parse(told) as Record<string, unknown>;
  expect(answer.tree).toEqual(tree);
  expect(Object.keys(tree).length).toBeGreaterThan(200);
  expect(answer).toMatchObject({ frames, mounts, cwd: ROOT, unnamed: 'after', piped: 'in the pipe' });

  /** What the repository has not. */
  function makeOddities(): void {
    const odd = `${ROOT}/odd`;
    fs.mkdirSync(odd, { mode: 0o2770 });
    init.mkfifo(`${odd}/fifo`);
    init.mknod(`${odd}/null`, 0o20666, (1 << 8) | 3);
    fs.symlinkSync('../../nowhere', `${odd}/dangling`);
    fs.writeFileSync(`${odd}/sparse`, '');
    fs.truncateSync(`${odd}/sparse`, 1 << 40);
    fs.writeFileSync(`${odd}/one name`, 'two names');
    fs.linkSync(`${odd}/one name`, `${odd}/größe`);
    fs.chownSync(`${odd}/größe`, 12, 34);
    fs.chmodSync(`${odd}/größe`, 0o6755);
    fs.utimesSync(`${odd}/sparse`, 1.5, -1.25);
  }
});
