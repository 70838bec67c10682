/** Reclaim: what caches hold goes, what anybody uses stays, and it ends when there is no more. */
import { describe, expect, test } from 'vitest';
import { BB_FRAMES_FREE, BOOTBLOCK } from '../../../assembly/abi/layout.ts';
import { Parts } from './parts.ts';

const DIRECTORIES = 10;
const FILES = 200;

/** Names and vnodes of many files in the caches; outside the kernel. */
function filled(flavour: 'up-debug' | 'smp') {
  const parts = new Parts(flavour);
  parts.call.reclaim_all();
  parts.call.part_leave();
  const { fs } = parts.machine;
  const free = (): number => parts.word(BOOTBLOCK + BB_FRAMES_FREE);
  const paths: string[] = [];
  for (let d = 0; d < DIRECTORIES; d++) {
    fs.mkdirSync(`/tmp/d${d}`);
    for (let f = 0; f < FILES; f++) {
      paths.push(`/tmp/d${d}/a-file-with-a-name-${f}`);
      fs.writeFileSync(paths[paths.length - 1], '');
    }
  }
  return { parts, fs, free, paths };
}

const inside = (parts: Parts, act: () => void): void => {
  parts.call.part_enter();
  act();
  parts.call.part_leave();
};

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('all of it: the caches’ frames are free, and every file is where it was', () => {
    const { parts, fs, free, paths } = filled(flavour);
    const fd = fs.openSync(paths[0], 'r+');
    const before = free();
    inside(parts, () => parts.call.reclaim_all());
    // vnodes alone take more than a frame for each sixteen of them
    expect(free() - before).toBeGreaterThan(paths.length / 16);
    expect(fs.writeSync(fd, 'still open')).toBe(10);
    fs.closeSync(fd);
    expect(paths.every((path, i) => fs.statSync(path).size === (i === 0 ? 10 : 0))).toBe(true);
    fs.rmSync('/tmp', { recursive: true });
    parts.call.part_enter();
    parts.close();
  });

  test('up to a target: no more than it takes, and not for ever', () => {
    const { parts, free } = filled(flavour);
    inside(parts, () => parts.call.reclaim_to(0));
    const start = free();
    // enough is free: the caches stay
    inside(parts, () => parts.call.reclaim_to(start));
    expect(free()).toBe(start);
    inside(parts, () => parts.call.reclaim_to(start + 10));
    const some = free();
    expect(some).toBeGreaterThanOrEqual(start + 10);
    inside(parts, () => parts.call.reclaim_to(0xffffffff));
    const most = free();
    expect(most).toBeGreaterThan(some + 10);
    inside(parts, () => parts.call.reclaim_all());
    expect(free()).toBeGreaterThanOrEqual(most);
    parts.call.part_enter();
    parts.close();
  });
});
