/** What is made in the machine passes e2fsck, and is there when the image is mounted again. */
import { expect, test } from 'vitest';
import type { Machine } from '../../host/machine/machine.ts';
import { logOf, mkfs, MOUNTPOINT, onImage } from './image.ts';
import { SHAPES } from './shapes.ts';
import { type Fs, listing, plant } from './tree.ts';

const fsOf = (machine: Machine) => machine.fs as unknown as Fs;

test.each(SHAPES)('%s: a tree', (_name, args) => {
  const empty = mkfs(args);
  let made = new Map<string, string>();
  const filled = onImage(empty, (machine) => {
    plant(fsOf(machine), MOUNTPOINT);
    made = listing(fsOf(machine), MOUNTPOINT);
  });
  const emptied = onImage(filled, (machine) => {
    expect(listing(fsOf(machine), MOUNTPOINT)).toEqual(made);
    for (const name of machine.fs.readdirSync(MOUNTPOINT))
      if (name !== 'lost+found') machine.fs.rmSync(`${MOUNTPOINT}/${name}`, { recursive: true });
    expect(logOf(machine)).toEqual([]);
  });
  expect(emptied.length).toBe(filled.length);
});
