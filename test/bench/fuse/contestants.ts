/** How each contestant is mounted. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FileDisk } from '../../../host/devices/node/file.ts';
import { mkfs } from '../../../host/ext4/mkfs.ts';
import type { MountContestant, MountPlan } from './types.ts';

/** build/bench/test/bench/fuse is where this runs. */
const MAIN = fileURLToPath(new URL('../../../../dist/host/cli/main.js', import.meta.url));
const PASSTHROUGH = fileURLToPath(new URL('./passthrough.js', import.meta.url));
const DISK_BYTES = 1 << 30;
const TMPFS_SIZE = '1G';
const START_MS = 20_000;

export interface Mounted {
  readonly name: MountContestant;
  /** An empty directory on it. */
  readonly at: string;
  end(): Promise<void>;
}

/** @throws Error that says why it cannot be */
export async function mountContestant(
  name: MountContestant,
  { tmpfs }: MountPlan,
  serverFlags: readonly string[],
): Promise<Mounted> {
  const directory = fs.mkdtempSync(path.join(tmpfs, `damselfly-bench-${name}-`));
  const at = path.join(directory, 'mnt');
  fs.mkdirSync(at);
  try {
    const end = await STARTERS[name](directory, at, serverFlags);
    fs.mkdirSync(path.join(at, 'work'));
    return {
      name,
      at: path.join(at, 'work'),
      async end() {
        await end();
        fs.rmSync(directory, { recursive: true });
      },
    };
  } catch (error) {
    if (!isMounted(at)) fs.rmSync(directory, { recursive: true });
    throw error;
  }
}

type Starter = (directory: string, at: string, flags: readonly string[]) => Promise<() => Promise<void>>;

const STARTERS: Record<MountContestant, Starter> = {
  ext4(directory, at, flags) {
    return served(at, [...flags, MAIN, 'mount', makeImage(directory), at]);
  },
  tmpfs(_directory, at, flags) {
    return served(at, [...flags, MAIN, 'mount', '--tmpfs', TMPFS_SIZE, at]);
  },
  passthrough(directory, at, flags) {
    const source = path.join(directory, 'source');
    fs.mkdirSync(source);
    return served(at, [...flags, PASSTHROUGH, source, at]);
  },
  async host(directory, at) {
    execFileSync('mount', ['-o', 'loop', makeImage(directory), at], { stdio: ['ignore', 'ignore', 'pipe'] });
    return async () => void execFileSync('umount', [at]);
  },
};

/** Every byte of the disk is written first: memory that was never touched costs its first user a page fault. */
function makeImage(directory: string): string {
  const image = path.join(directory, 'disk.img');
  const disk = FileDisk.open(image, { createBytes: DISK_BYTES });
  const bytes = new Uint8Array(1 << 20).fill(0xa5);
  for (let at = 0; at < DISK_BYTES; at += bytes.length) disk.write(at, bytes, 0, bytes.length);
  mkfs(disk, { type: 'ext4', discard: false });
  disk.close();
  return image;
}

/** A server in a process of its own: done when it is mounted. */
async function served(at: string, args: readonly string[]): Promise<() => Promise<void>> {
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
  const until = performance.now() + START_MS;
  while (!isMounted(at)) {
    if (server.exitCode !== null) throw new Error(complaint.trim() || `it ended with ${server.exitCode}`);
    if (performance.now() > until) {
      server.kill();
      throw new Error('it did not mount');
    }
    await sleep(20);
  }
  await fs.promises.stat(at);
  return () => unmount(at, server, ended);
}

async function unmount(at: string, server: ChildProcess, ended: Promise<void>): Promise<void> {
  // what has not ended by itself by now is not asked again
  if (server.exitCode === null) execFileSync('umount', [at]);
  await ended;
}

function isMounted(at: string): boolean {
  return fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${at} `);
}
