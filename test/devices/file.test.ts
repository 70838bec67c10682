/** The disk in a file: what it leaves on the host, who may open it, what the host's troubles look like. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { transformWithOxc } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileDisk, ImageBusyError } from '../../host/devices/node/file.ts';
import { OverlayDisk } from '../../host/devices/overlay.ts';
import { repositoryRoot } from '../oracle/root.ts';
import { deviceContract, pattern, readAll, refusal, same } from './contract.ts';

let dir: string;
let number = 0;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-disk-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

const fresh = () => path.join(dir, `${++number}.img`);

deviceContract('file', {
  make: ({ sizeBytes, sectorBytes }) => FileDisk.open(fresh(), { createBytes: sizeBytes, sectorBytes }),
  reopen: (disk) => FileDisk.open((disk as FileDisk).path, { readOnly: true, sectorBytes: disk.sectorBytes }),
});

describe('file', () => {
  it('is a hole where nothing or zeros were written', () => {
    const disk = FileDisk.open(fresh(), { createBytes: 1 << 30 });
    expect(disk.allocatedBytes).toBe(0);
    disk.write(1 << 20, new Uint8Array(1 << 20), 0, 1 << 20);
    disk.writeZeroes(0, 1 << 24);
    disk.writev(0, new Uint8Array(8192), Uint32Array.of(0, 4096, 4096, 4096), 2);
    expect(disk.allocatedBytes).toBe(0);
    disk.write(1 << 20, pattern(1 << 20, 1), 0, 1 << 20);
    disk.flush();
    expect(disk.allocatedBytes).toBeGreaterThanOrEqual(1 << 20);
    expect(disk.allocatedBytes).toBeLessThan(1 << 22);
    disk.writeZeroes(0, 1 << 30);
    expect(disk.allocatedBytes).toBe(0);
    expect(fs.statSync(disk.path).size).toBe(1 << 30);
    disk.close();
  });

  it('writes zeros over what was there', () => {
    const disk = FileDisk.open(fresh(), { createBytes: 1 << 21 });
    disk.write(0, pattern(1 << 20, 2), 0, 1 << 20);
    disk.write(4096, new Uint8Array(4096), 0, 4096, true);
    const expected = pattern(1 << 20, 2).fill(0, 4096, 8192);
    expect(same(readAll(disk).subarray(0, 1 << 20), expected)).toBe(true);
    disk.close();
  });

  it('has the size of the file, down to a sector, and the file keeps the rest', () => {
    const file = fresh();
    fs.writeFileSync(file, pattern(5000, 3));
    const disk = FileDisk.open(file);
    expect(disk.sizeBytes).toBe(4608);
    disk.close();
    expect(fs.statSync(file).size).toBe(5000);
    fs.writeFileSync(file, 'short');
    expect(() => FileDisk.open(file)).toThrow(RangeError);
    expect(() => FileDisk.open(dir, { readOnly: true })).toThrow(/no regular file/);
    expect(fs.readdirSync(dir).filter((name) => name.includes('.lock'))).toEqual([]);
  });

  it('does not make what is there already', () => {
    const file = fresh();
    fs.writeFileSync(file, 'something');
    expect(() => FileDisk.open(file, { createBytes: 1 << 20 })).toThrow(/EEXIST/);
    expect(fs.readFileSync(file, 'utf8')).toBe('something');
  });

  it('says that it has become shorter', () => {
    const disk = FileDisk.open(fresh(), { createBytes: 1 << 20 });
    fs.truncateSync(disk.path, 4096);
    const error = refusal(() => readAll(disk));
    expect(error.code).toBe('EIO');
    expect(error.message).toContain('shorter');
    disk.close();
  });

  it('can lie under an overlay, read-only, many times', () => {
    const file = fresh();
    fs.writeFileSync(file, pattern(1 << 16, 4));
    const bases = [1, 2].map(() => FileDisk.open(file, { readOnly: true }));
    for (const base of bases) {
      const disk = new OverlayDisk(base);
      disk.write(0, pattern(512, 5), 0, 512);
      expect(readAll(disk).subarray(512)).toEqual(pattern(1 << 16, 4).subarray(512));
      base.close();
    }
    expect(same(fs.readFileSync(file), pattern(1 << 16, 4))).toBe(true);
  });
});

describe('lock', () => {
  const image = () => {
    const file = fresh();
    FileDisk.open(file, { createBytes: 1 << 20 }).close();
    return file;
  };

  it('lets one write, or many read', () => {
    const file = image();
    const link = `${file}.link`;
    fs.symlinkSync(file, link);
    const writer = FileDisk.open(file);
    for (const name of [file, link]) {
      expect(() => FileDisk.open(name)).toThrow(ImageBusyError);
      expect(() => FileDisk.open(name, { readOnly: true })).toThrow(/EBUSY/);
    }
    writer.close();
    const readers = [FileDisk.open(file, { readOnly: true }), FileDisk.open(link, { readOnly: true })];
    expect(() => FileDisk.open(file)).toThrow(/reads it/);
    for (const reader of readers) reader.close();
    FileDisk.open(file).close();
    expect(fs.readdirSync(dir).filter((name) => name.includes('.lock'))).toEqual([]);
  });

  it('holds against other processes, and not when those are gone', async () => {
    const file = image();
    const script = path.join(dir, 'lock.mjs');
    const lock = fs.readFileSync(path.join(repositoryRoot, 'host/devices/node/lock.ts'), 'utf8');
    fs.writeFileSync(script, (await transformWithOxc(lock, 'lock.ts')).code);
    const run = (then: string) =>
      spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `import { lockImage } from ${JSON.stringify(script)};
        try { lockImage(${JSON.stringify(file)}, false); console.log('locked'); } catch (e) { console.log(e.code); }
        ${then}`,
        ],
        { encoding: 'utf8' },
      );
    const writer = FileDisk.open(file);
    expect(run('').stdout).toBe('EBUSY\n');
    writer.close();
    // killed, it leaves its lock behind
    expect(run("process.kill(process.pid, 'SIGKILL');").stdout).toBe('locked\n');
    expect(fs.existsSync(`${file}.lock`)).toBe(true);
    FileDisk.open(file).close();
    // ended in any other way, it does not
    expect(run("setTimeout(() => { throw new Error('on purpose'); });").stdout).toBe('locked\n');
    expect(fs.existsSync(`${file}.lock`)).toBe(false);
  });

  it('of a process whose number is another’s now is stale; of another host it never is', () => {
    const file = image();
    fs.writeFileSync(`${file}.lock`, `${process.pid} 1 ${os.hostname()}\n`);
    FileDisk.open(file).close();
    fs.writeFileSync(`${file}.lock`, `1 - elsewhere\n`);
    expect(() => FileDisk.open(file)).toThrow(/on elsewhere/);
    fs.rmSync(`${file}.lock`);
    fs.writeFileSync(`${file}.lock`, '');
    FileDisk.open(file).close();
  });
});

it('a host without room is ENOSPC, and says whose', (context) => {
  const mount = path.join(dir, 'small');
  fs.mkdirSync(mount);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mount], { stdio: 'pipe' });
  } catch {
    return context.skip('mounting a small tmpfs needs root');
  }
  try {
    const disk = FileDisk.open(path.join(mount, 'disk.img'), { createBytes: 1 << 20 });
    const error = refusal(() => disk.write(0, pattern(1 << 20, 1), 0, 1 << 20));
    expect(error.code).toBe('ENOSPC');
    expect(error.message).toContain(`no room for ${disk.path}`);
    disk.close();
  } finally {
    execFileSync('umount', [mount]);
  }
});
