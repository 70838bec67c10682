/** What each row does, by programs that nobody here wrote, in a directory of a mount. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Xorshift32 } from '../../../host/bench/random.ts';
import type { MountOp, MountPlan, MountResult } from './types.ts';

const SEED = 20040813;
/** Of the tree: so many directories in each, three deep, and files of at most so many bytes. */
const FAN_OUT = 10;
const FILE_BYTES_MOST = 8192;

export interface Fixture {
  readonly archive: string;
  readonly tree: MountResult['tree'];
}

/** The archive of a tree: ten directories in each, three deep, the files in the deepest. */
export function makeArchive({ files, tmpfs }: MountPlan): Fixture {
  const directory = fs.mkdtempSync(path.join(tmpfs, 'damselfly-bench-tree-'));
  const archive = `${directory}.tar`;
  const random = new Xorshift32(SEED);
  const bytes = Buffer.alloc(FILE_BYTES_MOST, 'a file of the tree ');
  let [total, directories] = [0, 1];
  for (let i = 0; i < files; i++) {
    const leaf = i % FAN_OUT ** 3;
    const [a, b, c] = [Math.floor(leaf / FAN_OUT ** 2), Math.floor(leaf / FAN_OUT) % FAN_OUT, leaf % FAN_OUT];
    const parent = path.join(directory, 'tree', `dir${a}`, `dir${b}`, `dir${c}`);
    if (i === leaf) {
      fs.mkdirSync(parent, { recursive: true });
      directories += 1 + (c === 0 ? 1 : 0) + (b === 0 && c === 0 ? 1 : 0);
    }
    const size = random.below(FILE_BYTES_MOST);
    fs.writeFileSync(path.join(parent, `file${i}`), bytes.subarray(0, size));
    total += size;
  }
  execFileSync('tar', ['-C', directory, '-cf', archive, 'tree']);
  fs.rmSync(directory, { recursive: true });
  return { archive, tree: { files, directories, bytes: total } };
}

function timed(command: string, args: readonly string[]): { ms: number; output: string } {
  const before = performance.now();
  const output = execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { ms: performance.now() - before, output };
}

/** What Linux has cached of all file systems is forgotten. */
function dropCaches(): void {
  execFileSync('sync');
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
}

function stat(at: string, { tree }: Fixture): number {
  const { ms, output } = timed('find', [path.join(at, 'tree'), '-printf', '%i %m %n %U %G %s %T@\\n']);
  const found = output.split('\n').length - 1;
  if (found !== tree.files + tree.directories) throw new Error(`find(1) has found ${found} files`);
  return ms;
}

/** The file that fio works on is there, all of it. */
export function prepare(at: string, { fioBytes }: MountPlan): void {
  const fd = fs.openSync(path.join(at, 'fio'), 'w');
  const bytes = Buffer.alloc(1 << 20, 'the file that fio reads and writes ');
  for (let done = 0; done < fioBytes; done += bytes.length) fs.writeSync(fd, bytes);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

interface FioJob {
  read: { iops: number; bw_bytes: number };
  write: { iops: number; bw_bytes: number };
}

function fio(at: string, plan: MountPlan, rw: string, bs: string, jobs: number): FioJob {
  const { output } = timed('fio', [
    '--name=bench',
    `--filename=${path.join(at, 'fio')}`,
    `--rw=${rw}`,
    `--bs=${bs}`,
    `--size=${plan.fioBytes}`,
    `--numjobs=${jobs}`,
    `--runtime=${plan.fioMs}ms`,
    '--time_based',
    '--direct=1',
    '--ioengine=psync',
    '--thread',
    '--group_reporting',
    '--gtod_reduce=1',
    '--output-format=json',
  ]);
  return (JSON.parse(output.slice(output.indexOf('{'))) as { jobs: [FioJob] }).jobs[0];
}

const MB = 1e6;

function dbench(at: string, { dbenchSeconds }: MountPlan, clients: number): number {
  const { output } = timed('dbench', [
    '-c',
    '/usr/share/dbench/client.txt',
    '-D',
    at,
    '-t',
    String(dbenchSeconds),
    String(clients),
  ]);
  const rate = /^Throughput ([\d.]+) MB\/sec/m.exec(output)?.[1];
  if (rate === undefined) throw new Error(`dbench says no throughput: ${output.slice(-200)}`);
  return Number(rate);
}

type Step = (at: string, plan: MountPlan, fixture: Fixture) => number;

/** One step of each row: its value, in the row's unit. */
export const STEPS: Record<MountOp, Step> = {
  tree_unpack: (at, _plan, { archive }) => timed('tar', ['-C', at, '-xf', archive]).ms,
  tree_stat_cold(at, _plan, fixture) {
    dropCaches();
    return stat(at, fixture);
  },
  tree_stat_warm: (at, _plan, fixture) => stat(at, fixture),
  tree_remove: (at) => timed('rm', ['-r', path.join(at, 'tree')]).ms,
  fio_randread_4k: (at, plan) => fio(at, plan, 'randread', '4k', 1).read.iops,
  fio_randwrite_4k: (at, plan) => fio(at, plan, 'randwrite', '4k', 1).write.iops,
  fio_randread_4k_x4: (at, plan) => fio(at, plan, 'randread', '4k', 4).read.iops,
  fio_randwrite_4k_x4: (at, plan) => fio(at, plan, 'randwrite', '4k', 4).write.iops,
  fio_read_1m: (at, plan) => fio(at, plan, 'read', '1m', 1).read.bw_bytes / MB,
  fio_write_1m: (at, plan) => fio(at, plan, 'write', '1m', 1).write.bw_bytes / MB,
  dbench_1: (at, plan) => dbench(at, plan, 1),
  dbench_4: (at, plan) => dbench(at, plan, 4),
};
