/** What can be seen of a file system: its names with all that is kept of them, and its files' contents. */
import type { Process } from '../../host/syscalls/process.ts';
import { M } from './volume.ts';

export interface State {
  /** A line for each name, sorted: path, kind, inode, links, mode, target, attributes. */
  readonly names: string;
  /** Inode → content, of regular files, those that are open and have no name included. */
  readonly files: ReadonlyMap<number, Uint8Array>;
  /** Inodes of regular files that have a name. */
  readonly named: ReadonlyMap<number, string>;
}

const decoder = new TextDecoder('latin1');

function attributesOf(process: Process, path: string): string {
  const names = process.listxattr(path, false).map(String).sort();
  return names.map((name) => `${name}=${decoder.decode(process.getxattr(path, name, false))}`).join();
}

/** Look at everything below the mount, and at these descriptors. */
export function observe(process: Process, fds: Iterable<number> = []): State {
  const { fs } = process;
  const lines: string[] = [];
  const files = new Map<number, Uint8Array>();
  const named = new Map<number, string>();
  const todo = [''];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const stat = fs.lstatSync(M + path);
    let more = '';
    if (stat.isDirectory()) todo.push(...fs.readdirSync(M + path).map((name) => `${path}/${name}`));
    else if (stat.isSymbolicLink()) more = fs.readlinkSync(M + path);
    else if (stat.isFile()) {
      if (!files.has(stat.ino)) files.set(stat.ino, fs.readFileSync(M + path));
      named.set(stat.ino, path);
    }
    const { ino, nlink, mode } = stat;
    lines.push(
      `${path || '/'} ${mode.toString(8)} #${ino} ${nlink} ${more} ${attributesOf(process, M + path)}`,
    );
  }
  for (const fd of fds) {
    const { ino, size } = fs.fstatSync(fd);
    if (files.has(ino)) continue;
    const bytes = new Uint8Array(size);
    fs.readSync(fd, bytes, 0, size, 0);
    files.set(ino, bytes);
  }
  return { names: lines.sort().join('\n'), files, named };
}
