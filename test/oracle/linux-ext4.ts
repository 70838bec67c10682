import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinuxFileSystem } from './linux.ts';

const SIZE_BYTES = 64 << 20;
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Why the host's own ext4 cannot be asked; undefined when it can. */
export function linuxExt4Unavailable(): string | undefined {
  if (process.platform !== 'linux') return `the host runs ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'a loop mount needs root';
  for (const tool of ['mke2fs', 'losetup'])
    if (spawnSync(tool, ['-V'], { env: ENV }).error) return `there is no ${tool}`;
  if (spawnSync('losetup', ['-f'], { env: ENV }).status !== 0) return 'there is no loop device';
  return undefined;
}

/** The host's ext4 on loop devices, over files in memory where there are such. */
export class LinuxExt4 implements LinuxFileSystem {
  readonly type = 'ext4';
  readonly #directory: string;
  readonly #template: string;

  constructor(...args: string[]) {
    this.#directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'damselfly-ext4-'));
    this.#template = join(this.#directory, 'template');
    writeFileSync(this.#template, '');
    truncateSync(this.#template, SIZE_BYTES);
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', ...args, this.#template], { env: ENV });
    // the tests begin with nothing
    execFileSync('debugfs', ['-w', '-R', 'rmdir lost+found', this.#template], { env: ENV, stdio: 'ignore' });
  }

  fresh = (_sizeBytes: number, mount: (source: string, options: string) => void): void => {
    const image = join(this.#directory, 'image');
    execFileSync('cp', ['--sparse=always', this.#template, image], { env: ENV });
    const device = execFileSync('losetup', ['-f', '--show', image], { env: ENV, encoding: 'utf8' }).trim();
    try {
      mount(device, '');
    } finally {
      // the device and the file are kept by the mount alone, and gone with it
      spawnSync('losetup', ['-d', device], { env: ENV });
      rmSync(image);
    }
  };

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
