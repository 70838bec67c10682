/** The POSIX contract by way of Linux: its calls on a mounted tree must do what they do on the host's own file systems. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { MS_BIND } from '../../assembly/abi/flags.ts';
import { contract } from '../contract/contract.ts';
import { fuseDifferences, fuseExt4Differences } from '../contract/known.ts';
import { type LinuxFileSystem, LinuxTarget } from '../oracle/linux.ts';
import { checkClean, makeImage, Mounted, scratch, skipRoots } from './mounted.ts';

/** One of them is enough for every day: below Linux's own half it is the kernel, which has the contract to itself. */
const KINDS = process.env.FUSE_CONTRACT?.split(',') ?? ['ext4'];

/** Each time another directory of a mounted tree. */
class Served implements LinuxFileSystem {
  readonly type = 'none';
  readonly flags = MS_BIND;
  readonly #at: string;
  #serial = 0;

  constructor(at: string) {
    this.#at = at;
  }

  fresh = (_sizeBytes: number, mount: (source: string, options: string) => void): void => {
    const directory = path.join(this.#at, `fresh-${this.#serial++}`);
    fs.mkdirSync(directory);
    fs.chmodSync(directory, 0o755);
    mount(directory, '');
  };
}

if (skipRoots) describe('fuse', () => it.skip('not run: it needs root and /dev/fuse'));
else {
  describe.each(KINDS)('through a mounted %s', (kind) => {
    const directory = scratch();
    const image = path.join(directory, 'disk.img');
    let mounted: Mounted | undefined;
    beforeAll(async () => {
      const what = kind === 'tmpfs' ? ['--tmpfs', '256m'] : [makeImage(directory, 512 << 20)];
      mounted = await Mounted.start(directory, what, '-o', 'allow_other');
    });
    afterAll(async () => {
      await mounted?.end();
      if (kind === 'ext4') checkClean(image);
      fs.rmSync(directory, { recursive: true, force: true });
    });
    const known = kind === 'tmpfs' ? fuseDifferences : fuseExt4Differences;
    contract(`fuse-${kind}`, () => new LinuxTarget(new Served(path.join(directory, 'mnt'))), known);
  });
}
