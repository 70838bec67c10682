/** The tree a machine boots with, and the files asked for. */
import type { NodeFs } from '../syscalls/fs/types.ts';

/** A file to make at boot: its text or bytes, with attributes if wanted; null makes a directory. */
export type InitialFile =
  | string
  | Uint8Array
  | null
  | { data?: string | Uint8Array; mode?: number; uid?: number; gid?: number };

const DIRECTORIES: readonly (readonly [string, number])[] = [
  ['/bin', 0o755],
  ['/dev', 0o755],
  ['/etc', 0o755],
  ['/home', 0o755],
  ['/mnt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/tmp', 0o1777],
  ['/var', 0o755],
];

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';

/**
 * Make the default tree, then `files`, directories on the way included.
 * @param keep  files of the default tree that are there already stay as they are
 * @throws SyscallError
 */
export function makeTree(
  fs: NodeFs,
  files: Readonly<Record<string, InitialFile>>,
  hostname = 'damselfly',
  keep = false,
): void {
  for (const [path, mode] of DIRECTORIES) {
    if (fs.existsSync(path)) continue;
    fs.mkdirSync(path);
    fs.chmodSync(path, mode);
  }
  const make = (path: string, text: string) => {
    if (!(keep && fs.existsSync(path))) writeWhole(fs, path, text);
  };
  make('/etc/passwd', PASSWD);
  make('/etc/group', GROUP);
  make('/etc/hostname', `${hostname}\n`);
  if (!keep) fs.writeFileSync('/proc/sys/kernel/hostname', hostname);
  for (const [path, file] of Object.entries(files)) makeFile(fs, path, file);
}

/** A file, or none: an empty one would be taken for what somebody wanted. @throws SyscallError */
export function writeWhole(fs: NodeFs, path: string, data: string): void {
  try {
    fs.writeFileSync(path, data);
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw error;
  }
}

/** Make one, and the directories on the way. @throws Error for a relative path; SyscallError */
export function makeFile(fs: NodeFs, path: string, file: InitialFile): void {
  if (!path.startsWith('/')) throw new Error(`files: '${path}' is not an absolute path`);
  if (file === null) {
    fs.mkdirSync(path, { recursive: true });
    return;
  }
  const {
    data = '',
    mode,
    uid,
    gid,
  } = typeof file === 'string' || file instanceof Uint8Array
    ? { data: file }
    : (file as { data?: string | Uint8Array; mode?: number; uid?: number; gid?: number });
  const slash = path.lastIndexOf('/');
  if (slash > 0) fs.mkdirSync(path.slice(0, slash), { recursive: true });
  fs.writeFileSync(path, data);
  if (uid !== undefined || gid !== undefined) fs.chownSync(path, uid ?? 0, gid ?? 0);
  if (mode !== undefined) fs.chmodSync(path, mode);
}
