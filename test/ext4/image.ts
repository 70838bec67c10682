/**
 * Images for the tests of ext4: made by mke2fs in a temporary directory, in a machine as a disk in memory, and judged
 * by e2fsck when the machine is done with them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import type { BootOptions } from '../../host/machine/boot.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { debugMachine, kernelFile } from '../unit/kernel/kit.ts';

export const MOUNTPOINT = '/mnt';
export const NODE = '/dev/vbd0';

/** Run with a directory of the host's that is gone afterwards. */
export function inTemporary<T>(run: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'ext4-'));
  try {
    return run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface ImageOptions {
  /** Default 8 MiB. */
  sizeBytes?: number;
  /** A directory of the host's to fill it with (mke2fs -d). */
  from?: string;
  /** Commands of debugfs -w, run when it is made. */
  debugfs?: string[];
}

/**
 * An image by mke2fs with these arguments.
 * @example mkfs(['-t', 'ext4', '-b', '1024', '-O', '64bit'])
 */
export function mkfs(
  args: readonly string[],
  { sizeBytes = 8 << 20, from, debugfs = [] }: ImageOptions = {},
): Uint8Array {
  return inTemporary((directory) => {
    const file = join(directory, 'image');
    writeFileSync(file, '');
    truncateSync(file, sizeBytes);
    execFileSync('mke2fs', ['-q', '-F', ...args, ...(from === undefined ? [] : ['-d', from]), file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (debugfs.length > 0) {
      const script = join(directory, 'script');
      writeFileSync(script, debugfs.map((line) => `${line}\n`).join(''));
      execFileSync('debugfs', ['-w', '-f', script, file], { stdio: ['ignore', 'ignore', 'pipe'] });
    }
    return new Uint8Array(readFileSync(file));
  });
}

/** What a tool says of an image that it does not change. */
export function ask(
  tool: string,
  args: readonly string[],
  image: Uint8Array,
): { status: number | null; output: string } {
  return inTemporary((directory) => {
    const file = join(directory, 'image');
    writeFileSync(file, image);
    const { status, stdout, stderr } = spawnSync(tool, [...args, file], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    return { status, output: `${stdout}${stderr}` };
  });
}

/** Fail unless e2fsck finds nothing to say about an image. */
export function checkClean(image: Uint8Array): void {
  const { status, output } = ask('e2fsck', ['-fn'], image);
  if (status !== 0) expect.fail(`e2fsck -fn: ${status}\n${output}`);
}

/** One command of debugfs, read-only. */
export function debugfs(image: Uint8Array, command: string): string {
  return ask('debugfs', ['-R', command], image).output;
}

/** The kernel log's lines about ext4. */
export function logOf(machine: Machine): string[] {
  return machine.fs
    .readFileSync('/proc/kmsg', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('ext4: '));
}

export interface MountOptions extends BootOptions {
  type?: string;
  flags?: number;
  options?: string;
}

/** The whole content of a disk. */
export function bytesOf(disk: BlockDevice): Uint8Array {
  const bytes = new Uint8Array(disk.sizeBytes);
  disk.read(0, bytes, 0, bytes.length);
  return bytes;
}

/**
 * Mount an image in a debug machine, run, unmount, and shut down, which throws if anything is left over. Returns the image
 * as it is then, checked by e2fsck.
 */
export function onImage(
  image: Uint8Array,
  run: (machine: Machine) => void,
  options: MountOptions = {},
): Uint8Array {
  const after = onDisk(MemoryDisk.of(image), run, options);
  checkClean(after);
  return after;
}

/** Compiled once for a file's tests. */
let compiled: WebAssembly.Module | undefined;

/** A debug machine with these disks. */
export function diskMachine(options: BootOptions): Machine {
  compiled ??= new WebAssembly.Module(readFileSync(kernelFile('up-debug')));
  return debugMachine({ module: compiled, ...options });
}

/** The same on a disk of the caller's, and nobody checks. */
export function onDisk(
  disk: BlockDevice,
  run: (machine: Machine) => void,
  options: MountOptions = {},
): Uint8Array {
  const { type = 'ext4', flags = 0, options: text = '', ...rest } = options;
  const machine = diskMachine({ ...rest, disks: [disk] });
  const root = machine.process();
  root.mount(NODE, MOUNTPOINT, type, flags, text);
  run(machine);
  root.umount(MOUNTPOINT);
  machine.shutdown();
  return bytesOf(disk);
}
