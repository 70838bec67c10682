/** `damselfly img` when it cannot go on: interrupted, and on images that are full. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { damselfly, MAIN } from './command.ts';
import { create, fsck, interrupted } from './images.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-img-ends-'));
afterAll(() => fs.rmSync(base, { recursive: true }));
const at = (name: string) => join(base, name);
const img = (...args: string[]) => damselfly(['img', ...args], base);

beforeAll(() => {
  fs.mkdirSync(at('large'));
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    fs.writeFileSync(at(`large/${name}`), Buffer.alloc(4 << 20, name));
  fs.mkdirSync(at('many'), { mode: 0o755 });
  for (let i = 0; i < 20_000; i++) fs.writeFileSync(at(`many/${i}`), `${i}`);
});

/** Regular files in an image, with their sizes. */
function filesOf(image: string, dir: string): string[] {
  const { stdout } = img('find', image, dir, '-type', 'f', '-size', '+0', '-printf', '%s\n');
  return stdout.split('\n').filter((line) => line !== '');
}

describe.each(['ext4', 'ext2'])('%s', (type) => {
  test('a full image: what did not fit, what is there, and nothing in part', () => {
    const image = create(at(`full-${type}.img`), '--type', type);
    const put = img('put', image, 'large', '/large');
    expect(put.status).toBe(3);
    expect(put.stderr).toMatch(
      new RegExp(
        `${image} is full \\(\\d+ MiB\\): large/[a-e] to ${image}:/large/[a-e] was not copied: ENOSPC`,
      ),
    );
    expect(put.stderr).toMatch(/; 4 of 6 names were copied, and are in the image\. .* larger one: --size/);
    expect(filesOf(image, '/large')).toEqual([`${4 << 20}`, `${4 << 20}`, `${4 << 20}`]);
    expect(img('stat', image, '-c', '%a', '/large').stdout).toBe('755\n');
    expect(fsck(image)).toMatchObject({ status: 0 });
  });

  test('the same of an archive', () => {
    const image = create(at(`untar-${type}.img`), '--type', type);
    const input = execFileSync('tar', ['-c', '-C', base, 'large'], { maxBuffer: 1 << 28 });
    const { status, stderr } = damselfly(['img', 'untar', image, '/x'], base, input);
    expect(status).toBe(3);
    expect(stderr).toMatch(
      new RegExp(`is full \\(\\d+ MiB\\): large/[a-e] to ${image}:/x/large/[a-e] was not unpacked: ENOSPC`),
    );
    expect(stderr).toContain('; 4 members were unpacked, and are in the image');
    expect(filesOf(image, '/x')).toEqual([`${4 << 20}`, `${4 << 20}`, `${4 << 20}`]);
    expect(img('stat', image, '-c', '%a', '/x/large').stdout).toBe('755\n');
    expect(fsck(image)).toMatchObject({ status: 0 });
  });

  test('interrupted between two files: unmounted, unlocked, and told', async () => {
    const image = create(
      at(`interrupted-${type}.img`),
      '--type',
      type,
      '--size',
      '128M',
      '--inodes',
      '30000',
    );
    const before = fs.statSync(image).blocks;
    const put = await interrupted(['img', 'put', image, at('many'), '/many'], 'SIGINT', () => {
      return fs.existsSync(`${image}.lock`) && fs.statSync(image).blocks > before;
    });
    expect(put.stderr).toMatch(
      new RegExp(
        `^damselfly: interrupted: ${at('many')} to ${image}:/many: [\\d,]+ of 20,001 names were copied, and are there\n$`,
      ),
    );
    expect(put).toMatchObject({ status: 130, signal: null });
    expect(fs.existsSync(`${image}.lock`)).toBe(false);
    expect(fsck(image)).toMatchObject({ status: 0 });
    const names = Number(/([\d,]+) of/.exec(put.stderr)?.[1].replaceAll(',', ''));
    expect(filesOf(image, '/many').length).toBe(names - 1);
    expect(img('stat', image, '-c', '%a', '/many').stdout).toBe('755\n');
  }, 120_000);
});

test('the second signal ends it at once', async () => {
  const image = create(at('twice.img'), '--size', '128M', '--inodes', '30000');
  // Stopped meanwhile, so that it hears both before it does anything; in which order is not said.
  const signals = ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const;
  const put = await interrupted(['img', 'put', image, at('many'), '/many'], signals, () =>
    fs.existsSync(`${image}.lock`),
  );
  expect(put).toMatchObject({ signal: null, stderr: '' });
  expect([130, 143]).toContain(put.status);
  expect(fs.existsSync(`${image}.lock`)).toBe(false);
});

test('untar is ended although nothing more comes', async () => {
  const image = create(at('waits.img'), '--type', 'ext2');
  const archive = execFileSync('tar', ['-c', '-C', base, 'large/a', 'large/b'], { maxBuffer: 1 << 28 });
  const before = fs.statSync(image).mtimeMs;
  // The second file is cut off.
  const ended = await interrupted(
    ['img', 'untar', image, '/x'],
    'SIGTERM',
    () => fs.existsSync(`${image}.lock`) && fs.statSync(image).mtimeMs > before + 300,
    archive.subarray(0, 6 << 20),
  );
  expect(ended.stderr).toMatch(
    /ended by SIGTERM: untar: [01] members? were unpacked to .*:\/x, and are there/,
  );
  expect(ended.status).toBe(143);
  expect(fs.existsSync(`${image}.lock`)).toBe(false);
  expect(fsck(image)).toMatchObject({ status: 0 });
  for (const size of filesOf(image, '/x')) expect(size).toBe(`${4 << 20}`);
});

test('a file that cannot be copied is named, here and there', () => {
  const image = create(at('named.img'));
  fs.mkdirSync(at('odd'));
  fs.writeFileSync(at(`odd/${'x'.repeat(250)}`), 'fits');
  fs.symlinkSync('y'.repeat(4000), at('odd/link'));
  const put = img('put', image, 'odd', '/odd');
  expect(put.status).toBe(1);
  expect(put.stderr).toContain(`not copied: odd/link to ${image}:/odd/link: ENAMETOOLONG`);
});

test('no room for the output', () => {
  const image = create(at('output.img'));
  for (const args of [['info', image], ['check', image], ['ls', image], ['--help']]) {
    const script = '"$0" "$@" >/dev/full';
    try {
      execFileSync('sh', ['-c', script, process.execPath, MAIN, 'img', ...args], {
        stdio: 'pipe',
        encoding: 'utf8',
      });
      expect.unreachable();
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      expect(stderr).toMatch(/^damselfly: cannot write the output: ENOSPC.*\n$/);
      expect(status).toBe(1);
    }
  }
});
