/** What mke2fs makes and fills is read as it was put there, in every shape of file system. */
import * as nodeFs from 'node:fs';
import { expect, test } from 'vitest';
import { MS_RDONLY } from '../../assembly/abi/flags.ts';
import { inTemporary, mkfs, MOUNTPOINT, onImage } from './image.ts';
import { SHAPES } from './shapes.ts';
import { type Fs, listing, plant } from './tree.ts';

test.each(SHAPES)('%s: the tree is the host’s', (_name, args) => {
  inTemporary((directory) => {
    plant(nodeFs, directory);
    const image = mkfs(args, { from: directory });
    const after = onImage(
      image,
      (machine) => {
        const found = listing(machine.fs as unknown as Fs, MOUNTPOINT);
        expect([...found.keys()]).toEqual([...listing(nodeFs, directory).keys()]);
        expect(found).toEqual(listing(nodeFs, directory));
      },
      { flags: MS_RDONLY },
    );
    expect(Buffer.compare(after, image)).toBe(0);
  });
});
