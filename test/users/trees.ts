/** Trees of files on any fs: to make the same one twice, to carry one over, to compare two. */
import { createHash } from 'node:crypto';
import type * as nodeFs from 'node:fs';

/** What these functions need of an fs: the machine's and the host's both have it. */
export type TreeFs = Pick<
  typeof nodeFs,
  | 'chmodSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'readFileSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'symlinkSync'
  | 'writeFileSync'
>;

/** Paths below the root, each directory's entries in order of their names. */
function* walk(fs: TreeFs, root: string, below = ''): Generator<string> {
  for (const name of fs.readdirSync(`${root}/${below}`).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    yield path;
    if (fs.lstatSync(`${root}/${path}`).isDirectory()) yield* walk(fs, root, path);
  }
}

/** Each path below `root` with its type, permissions, and link target or size and SHA-256. */
export function describeTree(fs: TreeFs, root: string): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const path of walk(fs, root)) {
    const full = `${root}/${path}`;
    const stats = fs.lstatSync(full);
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isSymbolicLink()) tree[path] = `link ${fs.readlinkSync(full)}`;
    else if (stats.isDirectory()) tree[path] = `directory ${mode}`;
    else {
      const hash = createHash('sha256').update(fs.readFileSync(full)).digest('hex');
      tree[path] = `file ${mode} ${stats.size} ${hash}`;
    }
  }
  return tree;
}

/** Copy what lies below `from`, links as links, permissions kept. `to` exists. */
export function copyTree(source: TreeFs, from: string, target: TreeFs, to: string): void {
  for (const path of walk(source, from)) {
    const stats = source.lstatSync(`${from}/${path}`);
    const copy = `${to}/${path}`;
    if (stats.isSymbolicLink()) {
      target.symlinkSync(source.readlinkSync(`${from}/${path}`), copy);
      continue;
    }
    if (stats.isDirectory()) target.mkdirSync(copy);
    else target.writeFileSync(copy, source.readFileSync(`${from}/${path}`));
    target.chmodSync(copy, stats.mode & 0o7777);
  }
}
