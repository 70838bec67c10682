import type { NodeFs } from '../../host/syscalls/fs/types.ts';

/** Operations of the model test through `fs`: each is made on the machine's and on node:fs. */

/** One side: an fs, its directory, and what it has open. */
export interface Side {
  fs: NodeFs;
  root: string;
  fds: number[];
}

/** Numbers that an operation makes of itself what it needs. */
export interface Params {
  a: number;
  b: number;
  n: number;
  size: number;
}

const PATHS = [
  'a',
  'b',
  'c',
  'd',
  'd/a',
  'd/b',
  'd/e',
  'd/e/a',
  'e',
  'e/a',
  'missing/a',
  'a/x',
  '',
  '\u00e9',
];
const OPEN = ['r', 'r+', 'w', 'w+', 'wx', 'a', 'a+', 'ax', 'rs+', 'as'];
const MODES = [0o644, 0o600, 0o755, 0o700, 0o777];
const ENCODINGS = ['utf8', 'latin1', 'hex', 'base64'] as const;
const TIMES = [0, 1, 1000.5, 123456];

function pick<T>(list: readonly T[], n: number): T {
  return list[n % list.length];
}

function at({ root }: Side, n: number): string {
  const name = pick(PATHS, n);
  return name === '' ? root : `${root}/${name}`;
}

/** Something open, or a descriptor that nobody has. */
function fdOf({ fds }: Side, n: number): number {
  return fds.length === 0 || n % 16 === 15 ? 1_000_000 : fds[n % fds.length];
}

function bytes({ size, n }: Params): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => 33 + ((i * 7 + n) % 90)));
}

function readInto(side: Side, { a, b, size }: Params): unknown {
  const buffer = Buffer.alloc(size);
  const position = b % 3 === 0 ? null : b * 100;
  const count = side.fs.readSync(fdOf(side, a), buffer, 0, size, position);
  return [count, buffer.toString('latin1')];
}

function openOne(side: Side, { a, b, n }: Params): string {
  if (side.fds.length < 8) side.fds.push(side.fs.openSync(at(side, a), pick(OPEN, b), pick(MODES, n)));
  return 'a descriptor';
}

function closeOne(side: Side, { a }: Params): void {
  const fd = fdOf(side, a);
  side.fs.closeSync(fd);
  side.fds = side.fds.filter((other) => other !== fd);
}

function listed(side: Side, { a, b }: Params): unknown {
  const path = at(side, a);
  if (b % 3 === 0) return side.fs.readdirSync(path).sort();
  const list = side.fs.readdirSync(path, { withFileTypes: true, recursive: b % 3 === 1 });
  const typed = list.map((entry) => {
    const kind = entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other';
    return `${entry.parentPath}/${entry.name} ${kind}`;
  });
  return typed.sort();
}

function walked(side: Side, { a }: Params): string[] {
  const dir = side.fs.opendirSync(at(side, a));
  const names: string[] = [];
  for (let entry = dir.readSync(); entry; entry = dir.readSync()) names.push(entry.name);
  dir.closeSync();
  return names.sort();
}

/** What every list of operations begins with. */
export function prepare(side: Side): void {
  const { fs, root } = side;
  fs.mkdirSync(`${root}/d/e`, { recursive: true });
  fs.mkdirSync(`${root}/e`);
  for (const name of ['a', 'd/a', 'd/e/a']) {
    fs.writeFileSync(`${root}/${name}`, name);
    side.fds.push(fs.openSync(`${root}/${name}`, 'r+'));
  }
  fs.symlinkSync('d/a', `${root}/b`);
}

/** Names of operations as often as they should come. */
export function weighted(): string[] {
  const makers = [
    'open',
    'open',
    'writeFile',
    'writeFile',
    'appendFile',
    'mkdir',
    'mkdir',
    'symlink',
    'copyFile',
  ];
  return [...Object.keys(FS_OPERATIONS), ...makers, ...makers];
}

/** A symlink's text: relative, so that both sides' lead to the same place. */
function target(n: number): string {
  return pick(['a', 'b', 'd', '../a', 'e/a', 'missing', '.', 'd/e/'], n);
}

export const FS_OPERATIONS: Record<string, (side: Side, params: Params) => unknown> = {
  open: openOne,
  close: closeOne,
  read: readInto,
  write: (s, p) => s.fs.writeSync(fdOf(s, p.a), bytes(p), 0, p.size, p.b % 3 === 0 ? null : p.b * 100),
  'write text': (s, p) => s.fs.writeSync(fdOf(s, p.a), `text ${p.n}`, p.b % 2 ? null : p.b, 'utf8'),
  writev: (s, p) => s.fs.writevSync(fdOf(s, p.a), [bytes(p), Buffer.from('more')], p.b % 2 ? undefined : p.b),
  readv: (s, p) => {
    const buffers = [Buffer.alloc(p.size), Buffer.alloc(5)];
    return [s.fs.readvSync(fdOf(s, p.a), buffers, p.b % 2 ? undefined : p.b), Buffer.concat(buffers)];
  },
  ftruncate: (s, p) => s.fs.ftruncateSync(fdOf(s, p.a), p.size),
  fsync: (s, p) => (p.b % 2 ? s.fs.fsyncSync(fdOf(s, p.a)) : s.fs.fdatasyncSync(fdOf(s, p.a))),
  fstat: (s, p) => s.fs.fstatSync(fdOf(s, p.a)),
  fchmod: (s, p) => s.fs.fchmodSync(fdOf(s, p.a), pick(MODES, p.b)),
  futimes: (s, p) => {
    s.fs.futimesSync(fdOf(s, p.a), pick(TIMES, p.b), pick(TIMES, p.n));
    const { atimeMs, mtimeMs } = s.fs.fstatSync(fdOf(s, p.a));
    return [atimeMs, mtimeMs];
  },
  readFile: (s, p) => s.fs.readFileSync(at(s, p.a), p.b % 2 ? pick(ENCODINGS, p.n) : undefined),
  'readFile fd': (s, p) => s.fs.readFileSync(fdOf(s, p.a), 'latin1'),
  writeFile: (s, p) => s.fs.writeFileSync(at(s, p.a), bytes(p), { flag: pick(['w', 'wx', 'a', 'r+'], p.b) }),
  appendFile: (s, p) => s.fs.appendFileSync(at(s, p.a), bytes(p), { mode: pick(MODES, p.b) }),
  copyFile: (s, p) => s.fs.copyFileSync(at(s, p.a), at(s, p.b), p.n % 2),
  truncate: (s, p) => s.fs.truncateSync(at(s, p.a), p.size),
  mkdir: (s, p) => s.fs.mkdirSync(at(s, p.a), { recursive: p.b % 2 === 1, mode: pick(MODES, p.n) }),
  rmdir: (s, p) => s.fs.rmdirSync(at(s, p.a)),
  rm: (s, p) =>
    pick(PATHS, p.a) && s.fs.rmSync(at(s, p.a), { recursive: p.b % 3 === 0, force: p.b % 2 === 0 }),
  unlink: (s, p) => s.fs.unlinkSync(at(s, p.a)),
  rename: (s, p) => s.fs.renameSync(at(s, p.a), at(s, p.b)),
  link: (s, p) => s.fs.linkSync(at(s, p.a), at(s, p.b)),
  symlink: (s, p) => s.fs.symlinkSync(target(p.n), at(s, p.b)),
  readlink: (s, p) => s.fs.readlinkSync(at(s, p.a)),
  realpath: (s, p) => s.fs.realpathSync(at(s, p.a)),
  readdir: listed,
  opendir: walked,
  stat: (s, p) => s.fs.statSync(at(s, p.a), { throwIfNoEntry: p.b % 2 === 0 }),
  'stat bigint': (s, p) => String(s.fs.statSync(at(s, p.a), { bigint: true }).mode),
  lstat: (s, p) => s.fs.lstatSync(at(s, p.a)),
  access: (s, p) => s.fs.accessSync(at(s, p.a), p.b % 8),
  exists: (s, p) => s.fs.existsSync(at(s, p.a)),
  chmod: (s, p) => s.fs.chmodSync(at(s, p.a), pick(MODES, p.b)),
  chown: (s, p) => s.fs.chownSync(at(s, p.a), pick([0, 1000], p.b), pick([0, 1000], p.n)),
  lchown: (s, p) => s.fs.lchownSync(at(s, p.a), pick([0, 1000], p.b), pick([0, 1000], p.n)),
  utimes: (s, p) => {
    s.fs.utimesSync(at(s, p.a), pick(TIMES, p.b), pick(TIMES, p.n));
    const { atimeMs, mtimeMs } = s.fs.statSync(at(s, p.a));
    return [atimeMs, mtimeMs];
  },
  lutimes: (s, p) => {
    s.fs.lutimesSync(at(s, p.a), pick(TIMES, p.b), pick(TIMES, p.n));
    return s.fs.lstatSync(at(s, p.a)).mtimeMs;
  },
  cp: (s, p) =>
    pick(PATHS, p.a) &&
    pick(PATHS, p.b) &&
    s.fs.cpSync(at(s, p.a), at(s, p.b), { recursive: p.n % 4 !== 0, force: p.n % 3 !== 0 }),
};

/** Differences from Node that are right (docs/fs.md), each counted when it is met. */
export const FS_RULES = {
  'opendir path': 'Node 20 leaves the path out of the error of opendirSync; later ones have it',
  'steps of rm and cp': 'which of their calls fails, as the error shows, differs between versions of Node',
} as const;

interface Outcome {
  error?: { code?: string; message?: string; errno?: number; path?: string };
}

/** Node’s outcome as it is right to be here, and the rule that changed it. */
export function corrected(
  name: string,
  theirs: unknown,
  ours: unknown,
): { outcome: unknown; rule?: keyof typeof FS_RULES } {
  const [its, mine] = [(theirs as Outcome).error, (ours as Outcome).error];
  if (!its || !mine) return { outcome: theirs };
  if (name === 'opendir' && its.path === undefined && mine.message?.startsWith(`${its.message} '`))
    return { outcome: { error: { ...its, path: mine.path, message: mine.message } }, rule: 'opendir path' };
  const sameCode = (name === 'rm' || name === 'cp') && its.code === mine.code;
  if (sameCode && its.message !== mine.message) return { outcome: ours, rule: 'steps of rm and cp' };
  if (sameCode && its.errno !== mine.errno) return { outcome: ours, rule: 'steps of rm and cp' };
  return { outcome: theirs };
}
