/** Trees as objects: paths and text, as memfs's fromJSON and toJSON have them. */
import { type InitialFile, makeFile } from '../machine/tree.ts';
import type { NodeFs } from '../syscalls/fs/types.ts';

/**
 * Make files: text, bytes, or { data, mode, uid, gid }; null makes a directory. Directories on the
 * way are made too. Relative paths start at `base`, an absolute path.
 * @throws Error for a `base` that is not absolute; what `fs` throws
 */
export function fromJSON(fs: NodeFs, files: Readonly<Record<string, InitialFile>>, base = '/'): void {
  if (!base.startsWith('/')) throw new Error(`fromJSON: '${base}' is not an absolute path`);
  for (const [path, file] of Object.entries(files))
    makeFile(fs, path.startsWith('/') ? path : `${base}/${path}`, file);
}

/**
 * The regular files below the directory `root` by absolute path, as UTF-8 text; empty directories
 * are null. Links, fifos and devices are left out.
 */
export function toJSON(fs: NodeFs, root: string): Record<string, string | null> {
  const json: Record<string, string | null> = {};
  const entries = fs.readdirSync(root, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    const path = `${entry.parentPath.replace(/\/$/, '')}/${entry.name}`;
    if (entry.isFile()) json[path] = fs.readFileSync(path, 'utf8');
    else if (entry.isDirectory() && fs.readdirSync(path).length === 0) json[path] = null;
  }
  return json;
}
