/** Images for the tests of `damselfly img`: made by the command, judged by e2fsck. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { damselfly, MAIN } from './command.ts';

export function create(file: string, ...options: string[]): string {
  const { status, stderr } = damselfly(['img', 'create', file, '--size', '16M', ...options]);
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** What e2fsck says of an image, changing nothing; 0: it is clean. */
export function fsck(file: string): { status: number | null; stdout: string } {
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  return spawnSync('e2fsck', ['-fn', file], { encoding: 'utf8', env: { ...process.env, PATH } });
}

const SECTOR_BYTES = 512;
const FIRST_SECTOR = 2048;

/** A disk with an MBR: an image as its first partition, and an empty second one of a MiB. */
export function partitioned(file: string, image: string): string {
  const bytes = fs.readFileSync(image);
  const first = bytes.length / SECTOR_BYTES;
  const disk = Buffer.alloc(FIRST_SECTOR * SECTOR_BYTES + bytes.length + 2 ** 20);
  bytes.copy(disk, FIRST_SECTOR * SECTOR_BYTES);
  const entry = (number: number, start: number, count: number) => {
    const at = 446 + 16 * (number - 1);
    disk[at + 4] = 0x83;
    disk.writeUInt32LE(start, at + 8);
    disk.writeUInt32LE(count, at + 12);
  };
  entry(1, FIRST_SECTOR, first);
  entry(2, FIRST_SECTOR + first, 2048);
  disk.writeUInt16LE(0xaa55, 510);
  fs.writeFileSync(file, disk);
  return file;
}

export interface Interrupted {
  status: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** Run the command until `ready`, then send it these signals, and see it end. */
export function interrupted(
  args: readonly string[],
  signals: NodeJS.Signals | readonly NodeJS.Signals[],
  ready: () => boolean,
  input?: Uint8Array,
): Promise<Interrupted> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    // It stays open: what is to come never does.
    if (input !== undefined) child.stdin.write(input);
    child.stdin.on('error', () => {});
    const poll = setInterval(() => {
      if (!ready()) return;
      clearInterval(poll);
      for (const signal of [signals].flat()) child.kill(signal);
    }, 20);
    child.on('error', reject);
    child.on('close', (status, by) => {
      clearInterval(poll);
      resolve({ status, signal: by, stderr });
    });
  });
}
