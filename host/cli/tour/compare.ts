/** Every name that was imported: is it in the machine what it is on the host? */
import fs from 'node:fs';
import { type Digest, differences, digestTree } from '../../hostfiles/digest.ts';
import { isDirectory } from '../../hostfiles/entry.ts';
import { scanTree, type Tree } from '../../hostfiles/scan.ts';
import { meter } from '../output.ts';
import { formatBytes, formatCount } from '../values.ts';
import { check, type Scene } from './scene.ts';

const SHOWN = 5;

export async function compareWithHost({ machine, imported, say }: Scene): Promise<void> {
  for (const { tree, host, target } of imported) {
    const root = tree.root;
    const now = await scanTree(fs, root, tree);
    const inMachine = await scanTree(machine.fs, Buffer.from(target));
    const { bytes } = now.totals;
    const progress = await meter('comparing', 0, 2 * bytes);
    let hostDigest: Digest;
    let machineDigest: Digest;
    try {
      hostDigest = await digestTree(fs, now, progress.bytes.bind(progress));
      machineDigest = await digestTree(machine.fs, inMachine, progress.bytes.bind(progress));
    } finally {
      progress.stop();
    }
    const changed = changedSince(tree, now);
    for (const name of changed) {
      hostDigest.delete(name);
      machineDigest.delete(name);
    }
    if (changed.size > 0) {
      say(
        `${formatCount(changed.size, 'name')} changed on the host while this ran, and ${changed.size === 1 ? 'is' : 'are'} left out, such as ${[...changed][0] || '.'}`,
      );
    }
    const lines = differences(hostDigest, machineDigest, 'host', 'machine');
    for (const line of lines.slice(0, SHOWN)) say(line);
    check(lines.length === 0, `${formatCount(lines.length, 'difference')} between ${host} and ${target}`);
    check(hostDigest.size > 0, `nothing of ${host} was left to compare`);
    say(
      `${formatCount(hostDigest.size, 'name')} of ${target}: type, mode, owner, time, size, link target and`,
    );
    say(`SHA-256 (${formatBytes(bytes)}) are those of ${host}`);
  }
}

/** Names that are not on the host now what they were when they were imported. */
function changedSince(before: Tree, now: Tree): Set<string> {
  const then = new Map(before.entries.map((entry) => [entry.path.toString('latin1'), entry]));
  const changed = new Set<string>();
  for (const entry of now.entries) {
    const name = entry.path.toString('latin1');
    const old = then.get(name);
    // What is made or removed in a directory changes its times and nothing else of ours.
    const same =
      old !== undefined &&
      (old.ctimeNs === entry.ctimeNs ||
        (isDirectory(old) &&
          isDirectory(entry) &&
          old.mtime.seconds === entry.mtime.seconds &&
          old.mtime.nanoseconds === entry.mtime.nanoseconds));
    if (!same) changed.add(name);
    then.delete(name);
  }
  for (const name of then.keys()) changed.add(name);
  return changed;
}
