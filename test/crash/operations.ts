/**
 * The workloads: each a few system calls on the files of makeBase(). An operation must make sense after any
 * other: where its names are gone it does nothing.
 */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  RENAME_EXCHANGE,
} from '../../assembly/abi/flags.ts';
import type { Actor } from './record.ts';

/** The calls that operations are made of. */
export type Calls = Pick<Actor, 'open' | 'write' | 'allocate' | 'call' | 'sync' | 'commit'>;

export interface Operation {
  readonly name: string;
  readonly run: (calls: Calls) => void;
}

/** A file of one block, the last that was taken. */
function keeper(it: Calls): number {
  const fd = it.open('/keeper', O_RDWR | O_CREAT | O_TRUNC);
  it.write(fd, 0, 1000);
  it.sync(fd);
  return fd;
}

/** Write to it all that was freed behind that block. */
function overrun(it: Calls, fd: number): void {
  it.write(fd, 1000, 33_000);
  it.sync(fd);
}

/** So much that it needs more than the four extents or twelve blocks that an inode has room for. */
const LARGE = 40_000;

export const OPERATIONS: readonly Operation[] = [
  { name: 'create', run: (it) => it.write(it.open('/n', O_RDWR | O_CREAT), 0, 2500) },
  { name: 'create-empty', run: (it) => void it.open('/d/n', O_RDWR | O_CREAT) },
  { name: 'append', run: (it) => it.write(it.open('/a', O_RDWR | O_APPEND), null, 2000) },
  { name: 'overwrite', run: (it) => it.write(it.open('/b', O_RDWR), 1000, 5000) },
  { name: 'overwrite-part', run: (it) => it.write(it.open('/a', O_RDWR), 500, 100) },
  { name: 'extend-far', run: (it) => it.write(it.open('/a', O_RDWR), 30_000, 1200) },
  { name: 'large', run: (it) => it.write(it.open('/big', O_RDWR | O_CREAT), 0, LARGE) },
  {
    name: 'scattered',
    run: (it) => {
      const fd = it.open('/holes', O_RDWR | O_CREAT);
      for (let i = 0; i < 7; i++) it.write(fd, i * 9000, 700);
    },
  },
  { name: 'rename', run: (it) => it.call('/e', (fs, path) => fs.renameSync(path('/a'), path('/e'))) },
  { name: 'rename-over', run: (it) => it.call('/b', (fs, path) => fs.renameSync(path('/a'), path('/b'))) },
  {
    name: 'rename-into',
    run: (it) => it.call('/d/b', (fs, path) => fs.renameSync(path('/b'), path('/d/b'))),
  },
  {
    name: 'rename-directory',
    run: (it) => it.call('/empty/d', (fs, path) => fs.renameSync(path('/d'), path('/empty/d'))),
  },
  {
    name: 'rename-directory-over',
    run: (it) => it.call('/empty', (fs, path) => fs.renameSync(path('/d'), path('/empty'))),
  },
  {
    name: 'exchange',
    run: (it) => it.call('/a', (_, path, root) => root.rename2(path('/a'), path('/d/c'), RENAME_EXCHANGE)),
  },
  {
    name: 'replace',
    run: (it) => {
      const fd = it.open('/a.new', O_RDWR | O_CREAT | O_TRUNC);
      it.write(fd, 0, 4100);
      it.sync(fd);
      it.call('/a', (fs, path) => fs.renameSync(path('/a.new'), path('/a')), 'replaced');
    },
  },
  {
    name: 'replace-unsynced',
    run: (it) => {
      it.write(it.open('/b.new', O_RDWR | O_CREAT | O_TRUNC), 0, 5200);
      it.call('/b', (fs, path) => fs.renameSync(path('/b.new'), path('/b')), 'replaced');
    },
  },
  { name: 'link', run: (it) => it.call('/l', (fs, path) => fs.linkSync(path('/a'), path('/l'))) },
  { name: 'unlink', run: (it) => it.call('/', (fs, path) => fs.unlinkSync(path('/b'))) },
  {
    name: 'unlink-open',
    run: (it) => {
      const fd = it.open('/b', O_RDWR);
      it.call('/', (fs, path) => fs.unlinkSync(path('/b')));
      it.write(fd, 9000, 3000);
    },
  },
  { name: 'truncate', run: (it) => it.call('/b', (fs, path) => fs.truncateSync(path('/b'), 3333)) },
  { name: 'truncate-0', run: (it) => it.call('/a', (fs, path) => fs.truncateSync(path('/a'), 0)) },
  { name: 'truncate-up', run: (it) => it.call('/a', (fs, path) => fs.truncateSync(path('/a'), 7000)) },
  { name: 'rewrite', run: (it) => it.write(it.open('/a', O_RDWR | O_TRUNC), 0, 2800) },
  { name: 'fallocate', run: (it) => it.allocate(it.open('/a', O_RDWR), 0, 2000, 12_000) },
  {
    name: 'fallocate-write',
    run: (it) => {
      const fd = it.open('/f', O_RDWR | O_CREAT);
      it.allocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16_000);
      it.write(fd, 2000, 3000);
    },
  },
  {
    name: 'punch',
    run: (it) => it.allocate(it.open('/b', O_RDWR), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1500, 5000),
  },
  { name: 'mkdir', run: (it) => it.call('/m', (fs, path) => fs.mkdirSync(path('/m'))) },
  {
    name: 'mkdir-fill',
    run: (it) => {
      it.call('/m', (fs, path) => fs.mkdirSync(path('/m')));
      // names that need a second block of 1 KiB, and so an index
      for (let i = 0; i < 6; i++) it.open(`/m/${'x'.repeat(200)}${i}`, O_RDWR | O_CREAT);
    },
  },
  { name: 'rmdir', run: (it) => it.call('/', (fs, path) => fs.rmdirSync(path('/empty'))) },
  { name: 'symlink', run: (it) => it.call('/', (fs, path) => fs.symlinkSync('d/c', path('/y'))) },
  {
    name: 'symlink-long',
    run: (it) => it.call('/', (fs, path) => fs.symlinkSync('z'.repeat(300), path('/z'))),
  },
  {
    name: 'xattr',
    run: (it) => it.call('/a', (_, path, root) => root.setxattr(path('/a'), 'user.k', Buffer.from('value'))),
  },
  {
    name: 'xattr-block',
    run: (it) => {
      const value = Buffer.alloc(400, 'v');
      it.call('/a', (_, path, root) => root.setxattr(path('/a'), 'user.large', value));
      it.call('/b', (_, path, root) => root.setxattr(path('/b'), 'user.large', value));
    },
  },
  { name: 'chmod', run: (it) => it.call('/a', (fs, path) => fs.chmodSync(path('/a'), 0o600)) },
  // What revoke records are for: a block of metadata is in the log, is freed, and becomes a file's. What is written
  // behind the end of a file goes into the block behind its last one, when that is free.
  {
    name: 'directory-to-file',
    run: (it) => {
      const fd = keeper(it);
      it.call('/d', (fs, path) => fs.mkdirSync(path('/d/t')));
      it.commit('/d');
      it.call('/d', (fs, path) => fs.rmdirSync(path('/d/t')));
      it.commit('/d');
      overrun(it, fd);
    },
  },
  {
    name: 'map-to-file',
    run: (it) => {
      const fd = keeper(it);
      const scattered = it.open('/map', O_RDWR | O_CREAT);
      for (let i = 0; i < 7; i++) it.write(scattered, i * 16_384, 700);
      it.sync(scattered);
      it.call('/map', (fs, path) => fs.truncateSync(path('/map'), 0));
      it.commit('/map');
      overrun(it, fd);
    },
  },
  {
    name: 'attributes-to-file',
    run: (it) => {
      const fd = keeper(it);
      it.call('/b', (_, path, root) => root.setxattr(path('/b'), 'user.block', Buffer.alloc(500, 'w')));
      it.commit('/b');
      it.call('/b', (_, path, root) => root.removexattr(path('/b'), 'user.block'));
      it.commit('/b');
      overrun(it, fd);
    },
  },
  {
    name: 'tmpfile-link',
    run: (it) => {
      const fd = it.open('/d', O_TMPFILE | O_RDWR);
      it.write(fd, 0, 3100);
      if (fd < 0) return;
      it.call('/tmp-named', (_, path, root) =>
        root.linkat(fd, '', AT_FDCWD, path('/tmp-named'), AT_EMPTY_PATH),
      );
    },
  },
  { name: 'tmpfile', run: (it) => it.write(it.open('/d', O_TMPFILE | O_RDWR), 0, 3100) },
];

/** How what an operation did is made durable, or not. */
export const SYNCS = ['none', 'fsync', 'fdatasync', 'sync', 'later'] as const;
export type Sync = (typeof SYNCS)[number];
