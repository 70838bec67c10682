/** Files of the imported trees that steps work on. */
import { createHash } from 'node:crypto';
import { isDirectory, isRegular } from '../../hostfiles/entry.ts';
import type { NodeFs } from '../../index.ts';
import type { Imported } from './scene.ts';

export interface Subject {
  /** In the machine. */
  path: string;
  size: number;
  digest: string;
}

export function sha256(fs: NodeFs, path: string): string {
  return createHash('sha256').update(fs.readFileSync(path)).digest('hex');
}

const OWN_FILE = 'own-file-of-the-tour';
const OWN_BYTES = 1 << 20;

/** The largest imported file of at most `limit` bytes; one made here when there is none. */
export function largestFile(imported: readonly Imported[], fs: NodeFs, limit = 64 * 2 ** 20): Subject {
  let best: Omit<Subject, 'digest'> | undefined;
  for (const { tree, target } of imported) {
    for (const { path, size, ...entry } of tree.entries) {
      if (!isRegular(entry) || size > limit || (best !== undefined && size <= best.size)) continue;
      best = { path: inMachine(target, path), size };
    }
  }
  if (best === undefined) {
    const place = imported.find(({ tree }) => isDirectory(tree.entries[0]))?.target ?? '/home';
    const path = inMachine(place, Buffer.from(OWN_FILE));
    fs.writeFileSync(path, Buffer.alloc(OWN_BYTES, 'the tour '));
    best = { path, size: OWN_BYTES };
  }
  return { ...best, digest: sha256(fs, best.path) };
}

/** The imported directory right below a target that holds most names, with their number. */
export function largestDirectory(imported: readonly Imported[]): { path: string; names: number } | undefined {
  const counts = new Map<string, number>();
  for (const { tree, target } of imported) {
    for (const entry of tree.entries) {
      const slash = entry.path.indexOf('/');
      const top = inMachine(target, slash < 0 ? entry.path : entry.path.subarray(0, slash));
      if (slash >= 0) counts.set(top, (counts.get(top) ?? 0) + 1);
      else if (isDirectory(entry) && entry.path.length > 0) counts.set(top, 0);
    }
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.length === 0 ? undefined : { path: sorted[0][0], names: sorted[0][1] };
}

function inMachine(target: string, path: Buffer): string {
  return path.length === 0 ? target : `${target === '/' ? '' : target}/${path.toString('utf8')}`;
}
