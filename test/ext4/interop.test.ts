/**
 * Interoperation: trees that Linux makes through a loop mount are read here, and trees that are made here are read by
 * Linux, in many shapes of file system: names, modes, owners, times to the nanosecond, links, devices, contents, holes
 * and extended attributes, file by file.
 */
import * as nodeFs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MS_NOATIME, MS_RDONLY } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { copyIn } from '../../host/hostfiles/copyin.ts';
import { type Digest, differences, digestTree, type ReadFs } from '../../host/hostfiles/digest.ts';
import { isDirectory, isRegular, joinBytes } from '../../host/hostfiles/entry.ts';
import { scanTree } from '../../host/hostfiles/scan.ts';
import { readHostXattrs } from '../../host/hostfiles/xattrs.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { makeAwkwardTree } from '../cli/command.ts';
import { bytesOf, checkClean, diskMachine, MOUNTPOINT, NODE } from './image.ts';
import { canMount, mke2fs, must, newPath, skipTools } from './tools.ts';

const MIB = 2 ** 20;
const NAMES = 1200;

const SHAPES: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ext2, 1 KiB', ['-t', 'ext2', '-b', '1024']],
  ['ext2, 4 KiB, inodes of 128', ['-t', 'ext2', '-b', '4096', '-I', '128']],
  ['ext3, 1 KiB', ['-t', 'ext3', '-b', '1024', '-I', '128']],
  ['ext3, 2 KiB', ['-t', 'ext3', '-b', '2048']],
  ['ext4, 1 KiB', ['-t', 'ext4', '-b', '1024']],
  ['ext4, 2 KiB', ['-t', 'ext4', '-b', '2048']],
  ['ext4, 4 KiB', ['-t', 'ext4', '-b', '4096', '-N', '4096']],
  ['ext4 without 64bit', ['-t', 'ext4', '-O', '^64bit']],
  ['ext4, meta_bg', ['-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode', '-g', '2048']],
  ['ext4, sparse_super2', ['-t', 'ext4', '-O', 'sparse_super2,^resize_inode']],
  ['ext4 without a journal', ['-t', 'ext4', '-O', '^has_journal']],
  ['ext4, inline_data', ['-t', 'ext4', '-b', '1024', '-O', 'inline_data']],
  ['ext4, large_dir', ['-t', 'ext4', '-b', '1024', '-O', 'large_dir']],
  ['ext4, metadata_csum_seed', ['-t', 'ext4', '-O', 'metadata_csum_seed']],
  ['ext4, orphan_file', ['-t', 'ext4', '-O', 'orphan_file']],
  ['ext4, -T small', ['-t', 'ext4', '-T', 'small']],
  ['ext4, -T largefile4', ['-t', 'ext4', '-T', 'largefile4', '-N', '4096']],
];

/** What must be equal on both sides: the digest, the attributes, times, how many bytes the data takes. */
interface Seen {
  /** Last access, change and birth, in ns. */
  times: Map<string, string>;
  digest: Digest;
  xattrs: Map<string, string>;
  allocated: Map<string, number>;
}

type Attributes = (path: Buffer) => [name: string, value: Uint8Array][] | undefined;

/** All but lost+found, which each mkfs makes for itself. */
async function look(fs: ReadFs, top: string, attributes: Attributes): Promise<Seen> {
  const stat = (path: Buffer) => (fs as unknown as typeof nodeFs).lstatSync(path, { bigint: true });
  const tree = await scanTree(fs, Buffer.from(top));
  expect(tree.problems).toEqual([]);
  const entries = tree.entries.filter(({ path }) => path.length > 0 && path.toString() !== 'lost+found');
  const xattrs = new Map<string, string>();
  const allocated = new Map<string, number>();
  const times = new Map<string, string>();
  for (const entry of entries) {
    const name = entry.path.toString('latin1');
    const found = attributes(joinBytes(tree.root, entry.path)) ?? attributes(entry.path) ?? [];
    const text = found.map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`);
    if (text.length > 0) xattrs.set(name, text.sort().join(' '));
    const { atimeNs, ctimeNs, birthtimeNs } = stat(joinBytes(tree.root, entry.path));
    times.set(name, `${atimeNs} ${ctimeNs} ${birthtimeNs}`);
    // what is left out of a file of holes is many times what maps of different kinds may take
    if (isRegular(entry) && !isDirectory(entry)) allocated.set(name, Math.round(entry.allocated / 2 ** 20));
  }
  return { digest: await digestTree(fs, { ...tree, entries }), xattrs, allocated, times };
}

async function lookHere(machine: Machine): Promise<Seen> {
  const process = machine.process();
  return look(process.fs as unknown as ReadFs, MOUNTPOINT, (path) =>
    path.toString('latin1').startsWith(MOUNTPOINT)
      ? process.listxattr(path, false).map((name) => [name, process.getxattr(path, name, false)])
      : undefined,
  );
}

async function lookThere(top: string): Promise<Seen> {
  const all = await readHostXattrs(Buffer.from(top));
  if (all === undefined) throw new Error('getfattr is missing');
  return look(nodeFs as unknown as ReadFs, top, (path) =>
    all.get(path.toString('latin1'))?.map(({ name, value }) => [name, value]),
  );
}

function expectSame(ours: Seen, theirs: Seen, args: readonly string[]): void {
  expect(differences(ours.digest, theirs.digest, 'here', 'on Linux')).toEqual([]);
  expect(ours.xattrs).toEqual(theirs.xattrs);
  expect(ours.allocated).toEqual(theirs.allocated);
  // an inode of 128 bytes has no birth, which Linux says and we do not
  const times = ({ times: all }: Seen) =>
    [...all].map(([name, text]) => [name, args.includes('128') ? text.split(' ', 2).join(' ') : text]);
  expect(times(ours)).toEqual(times(theirs));
}

/** One of everything, and a directory with many names. */
function fill(top: string): void {
  makeAwkwardTree(`${top}/awkward`);
  nodeFs.mkdirSync(`${top}/many`);
  for (let i = 0; i < NAMES; i++) nodeFs.writeFileSync(`${top}/many/a name that takes room, ${i}`, `${i}`);
  for (const length of [59, 60, 300, 1000]) nodeFs.symlinkSync('x'.repeat(length), `${top}/link${length}`);
}

/** Run with the image mounted by Linux. */
async function mounted<T>(path: string, options: string, run: (top: string) => Promise<T>): Promise<T> {
  const at = newPath();
  nodeFs.mkdirSync(at);
  must('mount', '-o', `loop,${options}`, path, at);
  try {
    return await run(at);
  } finally {
    must('umount', at);
  }
}

async function here<T>(disk: MemoryDisk, flags: number, run: (machine: Machine) => Promise<T>): Promise<T> {
  const machine = diskMachine({ disks: [disk], ram: 64 << 20 });
  const root = machine.process();
  root.mount(NODE, MOUNTPOINT, 'ext4', flags);
  const result = await run(machine);
  root.umount(MOUNTPOINT);
  machine.shutdown();
  return result;
}

const runs = !skipTools && (canMount || process.env.CI !== undefined);

describe.skipIf(!runs)(`beside Linux${runs ? '' : ': not run without e2fsprogs and loop mounts'}`, () => {
  test.each(SHAPES)('%s: filled by Linux, read here', { timeout: 120_000 }, async (_name, args) => {
    const path = mke2fs(32 * MIB, ...args);
    const theirs = await mounted(path, 'noatime', (top) => {
      fill(top);
      return lookThere(top);
    });
    const disk = MemoryDisk.of(nodeFs.readFileSync(path));
    expectSame(await here(disk, MS_RDONLY, lookHere), theirs, args);
  });

  test.each(SHAPES)('%s: filled here, read by Linux', { timeout: 120_000 }, async (_name, args) => {
    const source = newPath();
    nodeFs.mkdirSync(source);
    fill(source);
    const tree = await scanTree(nodeFs as unknown as ReadFs, Buffer.from(source));
    const disk = MemoryDisk.of(nodeFs.readFileSync(mke2fs(32 * MIB, ...args)));
    const ours = await here(disk, MS_NOATIME, async (machine) => {
      const result = await copyIn(machine.process(), tree, MOUNTPOINT, { file() {}, bytes() {} });
      expect(result.problems).toEqual([]);
      return lookHere(machine);
    });
    const image = bytesOf(disk);
    checkClean(image);
    const path = newPath();
    nodeFs.writeFileSync(path, image);
    expectSame(ours, await mounted(path, 'ro', lookThere), args);
  });
});
