/** A file system opened without mounting it (assembly/testing/ext4map.ts), on an image of mke2fs's; e2fsck has the last word. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { testKernel } from '../unit/kernel/testkernel.ts';

type Fn = (...args: number[]) => number;
type Calls = Record<
  | 'part_enter'
  | 'part_leave'
  | 'ext4_open'
  | 'ext4_close'
  | 'ext4_get'
  | 'ext4_put'
  | 'ext4_map'
  | 'ext4_pblk'
  | 'ext4_len'
  | 'ext4_flags'
  | 'ext4_buffer'
  | 'ext4_unbuffer'
  | 'ext4_pwrite'
  | 'ext4_pread'
  | 'ext4_size'
  | 'ext4_truncate'
  | 'ext4_fallocate'
  | 'ext4_lseek'
  | 'ext4_writeback'
  | 'ext4_dropclean'
  | 'ext4_dirty'
  | 'ext4_reserved'
  | 'ext4_remove'
  | 'ext4_depth'
  | 'ext4_free'
  | 'ext4_blocks',
  Fn
>;

export const HOLE = 1;
export const UNWRITTEN = 2;
export const CREATE = 1;
export const AS_UNWRITTEN = 2;
export const CONVERT = 16;

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'extents-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** An image with an empty regular file, inode 12. */
export function image(name: string, options: string[], size: string): string {
  const file = join(dir, name);
  execFileSync('truncate', ['-s', size, file]);
  execFileSync('mke2fs', ['-q', '-F', ...options, file], { stdio: 'pipe' });
  execFileSync('debugfs', ['-w', '-R', 'write /dev/null file', file], { stdio: 'pipe' });
  return file;
}

export class Files {
  readonly machine: Machine;
  readonly disk: MemoryDisk;
  readonly call: Calls;
  readonly em: number;

  constructor(readonly file: string) {
    const bytes = readFileSync(file);
    this.disk = new MemoryDisk({ sizeBytes: bytes.length });
    this.disk.write(0, bytes, 0, bytes.length);
    this.machine = debugMachine({
      flavour: 'up-debug',
      ram: 32 << 20,
      module: testKernel('ext4map', 'up-debug'),
      disks: [this.disk],
    });
    this.call = this.machine.cpu.exports as unknown as Calls;
    this.call.part_enter();
    this.em = this.call.ext4_open(0);
    expect(this.em).toBeGreaterThan(0);
  }

  /** Write all, look for leaks, and ask e2fsck. */
  close(): void {
    expect(this.call.ext4_close(this.em)).toBe(0);
    this.call.part_leave();
    this.machine.shutdown();
    const bytes = Buffer.alloc(this.disk.sizeBytes);
    this.disk.read(0, bytes, 0, bytes.length);
    writeFileSync(this.file, bytes);
    const check = spawnSync('e2fsck', ['-fn', this.file], { encoding: 'utf8' });
    expect(check.status, check.stdout).toBe(0);
  }
}
