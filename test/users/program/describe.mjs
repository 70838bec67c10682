/** A tree on any fs in words: all that a machine keeps of it. Also run where no TypeScript is. */
import { createHash } from 'node:crypto';

const SMALL_BYTES = 1 << 20;

export function describeAll(fs, root) {
  const tree = {};
  const names = fs.readdirSync(root, { recursive: true }).sort();
  for (const name of ['', ...names]) {
    const path = `${root}/${name}`;
    const stats = fs.lstatSync(path, { bigint: true });
    const words = [
      stats.mode.toString(8),
      stats.uid,
      stats.gid,
      stats.nlink,
      stats.rdev,
      stats.size,
      stats.blocks,
      stats.ino,
      stats.mtimeNs,
      stats.ctimeNs,
      stats.birthtimeNs,
    ];
    if (stats.isSymbolicLink()) words.push(fs.readlinkSync(path));
    if (stats.isFile()) words.push(stats.size < SMALL_BYTES ? hash(fs.readFileSync(path)) : 'large');
    tree[name] = words.join(' ');
  }
  return tree;
}

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
