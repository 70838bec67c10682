/** The tree that the ext4 rows copy, read into memory once, so that its disk is not measured. */
import fs from 'node:fs';
import path from 'node:path';
import type { DiskPlan, TreeFacts } from './types.ts';

export interface TreeItem {
  /** Relative to the root, '' for the root itself. */
  readonly path: string;
  readonly mode: number;
  /** A file's bytes; a symlink's text; null for a directory. */
  readonly data: Buffer | string | null;
}

export interface LoadedTree {
  /** Every directory before what is in it. */
  readonly items: readonly TreeItem[];
  readonly facts: TreeFacts;
}

export function loadTree({ source, maxFiles, maxBytes }: DiskPlan): LoadedTree {
  const items: TreeItem[] = [{ path: '', mode: 0o755, data: null }];
  const facts: TreeFacts = { files: 0, directories: 1, symlinks: 0, bytes: 0 };
  const pending = [''];
  const full = () => facts.files >= maxFiles || facts.bytes >= maxBytes;
  for (let dir = pending.pop(); dir !== undefined && !full(); dir = pending.pop()) {
    const entries = fs.readdirSync(path.join(source, dir), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = dir === '' ? entry.name : `${dir}/${entry.name}`;
      const at = path.join(source, name);
      if (entry.isDirectory()) {
        items.push({ path: name, mode: 0o755, data: null });
        pending.push(name);
        facts.directories++;
      } else if (entry.isSymbolicLink()) {
        items.push({ path: name, mode: 0, data: fs.readlinkSync(at) });
        facts.symlinks++;
      } else if (entry.isFile() && !full()) {
        const data = fs.readFileSync(at);
        items.push({ path: name, mode: fs.statSync(at).mode & 0o777, data });
        facts.files++;
        facts.bytes += data.length;
      }
    }
  }
  return { items, facts };
}
