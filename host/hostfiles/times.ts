/**
 * File times on the host, to the nanosecond. Node passes times as seconds in a double, which is
 * good to about 240 ns today. So each file first gets what Node can give; those that it did not
 * suit are set by `touch` of the GNU coreutils, a process for each, or when they are many by Python,
 * if there is one: a process for all.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { nanosecondsOf, type Time } from './entry.ts';

interface Wanted {
  readonly path: Buffer;
  readonly atime: Time;
  readonly mtime: Time;
}

/** Shells at work at a time, and files for each. */
const SHELLS = 4;
const BATCH = 500;
/** From this many files on it pays to start Python. */
const MANY = 200;

const PYTHON = `
import os, sys
fields = sys.stdin.buffer.read().split(b'\\0')
for path, atime, mtime in zip(fields[::3], fields[1::3], fields[2::3]):
    try:
        os.utime(path, ns=(int(atime), int(mtime)), follow_symlinks=False)
    except OSError:
        pass
`;

export class HostTimes {
  #wanted: Wanted[] = [];

  /** Set both times, of a symlink itself if it is one. @throws what utimes throws */
  set(path: Buffer, atime: Time, mtime: Time): void {
    fs.lutimesSync(path, argumentOf(atime), argumentOf(mtime));
    const wanted = { path, atime, mtime };
    if (!isExact(wanted)) this.#wanted.push(wanted);
  }

  /** Make exact what `set` could not. Returns how many files keep times that are not. */
  async settle(): Promise<number> {
    let all = this.#wanted;
    this.#wanted = [];
    if (all.length >= MANY) {
      await feed('python3', ['-c', PYTHON], pythonInput(all));
      all = all.filter((wanted) => !isExact(wanted));
    }
    const batches: Wanted[][] = [];
    for (let i = 0; i < all.length; i += BATCH) batches.push(all.slice(i, i + BATCH));
    const queue = batches.values();
    const shell = async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) await touch(next.value);
    };
    await Promise.all(Array.from({ length: SHELLS }, shell));
    return all.filter((wanted) => !isExact(wanted)).length;
  }
}

/** Node takes a negative number for "now", but not a date before 1970. */
function argumentOf({ seconds, nanoseconds }: Time): number | Date {
  return seconds < 0 ? new Date(seconds * 1000 + nanoseconds / 1e6) : seconds + nanoseconds / 1e9;
}

function isExact({ path, atime, mtime }: Wanted): boolean {
  const stat = fs.lstatSync(path, { bigint: true });
  return stat.atimeNs === nanosecondsOf(atime) && stat.mtimeNs === nanosecondsOf(mtime);
}

const QUOTE = Buffer.from(`'\\''`);

/** As a word of the shell: quoted, and not taken for an option. */
function quote(path: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(`'`)];
  for (let start = 0; ; ) {
    const end = path.indexOf(0x27, start);
    parts.push(path.subarray(start, end < 0 ? path.length : end));
    if (end < 0) break;
    parts.push(QUOTE);
    start = end + 1;
  }
  parts.push(Buffer.from(`'\n`));
  return Buffer.concat(parts);
}

/** The GNU form of a time, exact: whole seconds since 1970 and a fraction. */
function stamp({ seconds, nanoseconds }: Time): string {
  if (seconds >= 0 || nanoseconds === 0) return `@${seconds}.${String(nanoseconds).padStart(9, '0')}`;
  // -1 s + 0.25 s is written -0.75.
  const whole = seconds + 1;
  const rest = String(1_000_000_000 - nanoseconds).padStart(9, '0');
  return `@${whole === 0 ? '-0' : whole}.${rest}`;
}

function pythonInput(files: readonly Wanted[]): Buffer {
  const fields = files.flatMap(({ path, atime, mtime }) => [
    path,
    Buffer.from(`\0${nanosecondsOf(atime)}\0${nanosecondsOf(mtime)}\0`),
  ]);
  return Buffer.concat(fields);
}

function touch(files: readonly Wanted[]): Promise<void> {
  const script: Buffer[] = [];
  for (const { path, atime, mtime } of files) {
    const name = quote(path);
    const access = stamp(atime);
    const change = stamp(mtime);
    if (access === change) script.push(Buffer.from(`touch -ch -d ${access} -- `), name);
    else {
      script.push(Buffer.from(`touch -cha -d ${access} -- `), name);
      script.push(Buffer.from(`touch -chm -d ${change} -- `), name);
    }
  }
  return feed('sh', ['-s'], Buffer.concat(script));
}

/** Run a program on this input. What fails is seen by whoever looks at the files afterwards. */
function feed(command: string, args: readonly string[], input: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.once('error', () => resolve());
    child.once('close', () => resolve());
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
