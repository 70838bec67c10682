/**
 * What Linux knows of the tree: node ids, and the descriptors behind them.
 *
 * A node id is a file's inode number and which mount it is on; so it says by itself what it names, and is
 * resolved like a file handle. Linux remembers as many files as its own memory has room for. Here each costs
 * an entry in a table that counts how often it was told, and nothing in the machine.
 *
 *     lookup ─→ told ─ forget, as often as told ─→ forgotten
 *                │ last link removed                   ↑ its descriptor is closed, the inode freed
 *                └─────────→ pinned by a descriptor ───┘
 *
 * F1. An inode that Linux knows keeps its number: with its last link gone a descriptor holds it until it
 *     is forgotten.
 * F2. A file of a file system without handles is pinned from the start.
 * F3. The descriptors kept for their next use (a few, the last used) are of nodes that are not pinned, and
 *     none outlives its file's last link.
 */
import { ESTALE } from '../../assembly/abi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_NOFOLLOW,
  O_PATH,
} from '../../assembly/abi/flags.ts';
import { FH_GEN, FH_INO, FH_MOUNT, SA_DATA, ST_DEV, ST_GEN, ST_INO } from '../../assembly/abi/layout.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { KernelExports } from '../machine/exports.ts';
import { FUSE_ROOT_ID } from './protocol.ts';

/** Inode numbers are below this; what is above is the mount. */
const PER_MOUNT = 2 ** 44;
const MOUNTS_MAX = 512;
/** Descriptors kept for their next use. */
const KEPT_MAX = 64;

/** st_ino of a node whose file has this inode number: what tells the files of all mounts apart. */
export const numberOf = (id: number, ino: number): number => (id < PER_MOUNT ? ino : id);

interface Node {
  /** How often Linux was told of it, less what it has forgotten. */
  count: number;
  generation: number;
  /** -1: not pinned. */
  fd: number;
}

interface ServedMount {
  readonly dev: number;
  /** What the machine's kernel calls it: handles are resolved there. It is not kept from being unmounted by that. */
  readonly mountId: number;
  readonly rootIno: number;
  readonly handles: boolean;
}

export class Nodes {
  readonly #cpu: Cpu;
  readonly #exports: KernelExports;
  readonly #known = new Map<number, Node>();
  /** In the order of their last use. */
  readonly #kept = new Map<number, number>();
  readonly #mounts: ServedMount[] = [];
  readonly rootFd: number;

  /** @param rootFd  an O_PATH descriptor of the directory that is served */
  constructor(cpu: Cpu, rootFd: number) {
    this.#cpu = cpu;
    this.#exports = cpu.exports;
    this.rootFd = rootFd;
    this.#exports.sys_fstat(rootFd);
    this.#addMount(rootFd, 0);
    this.#known.set(FUSE_ROOT_ID, { count: 1, generation: 0, fd: rootFd });
  }

  /** Nodes that Linux knows. */
  get size(): number {
    return this.#known.size;
  }

  /** A descriptor of the node, which stays its owner's: good until a few other nodes were asked for. Or an errno. */
  fd(id: number): number {
    const node = this.#known.get(id);
    if (node !== undefined && node.fd >= 0) return node.fd;
    const kept = this.#kept.get(id);
    if (kept !== undefined) {
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      return kept;
    }
    const fd = this.#open(id, node === undefined ? 0 : node.generation);
    if (fd >= 0) this.#keep(id, fd);
    return fd;
  }

  #open(id: number, generation: number): number {
    const { u32, f64, area } = this.#cpu;
    const mount = this.#mounts[Math.floor(id / PER_MOUNT)];
    if (mount === undefined || !mount.handles) return -ESTALE;
    const at = area + SA_DATA;
    u32[(at + FH_MOUNT) >>> 2] = mount.mountId;
    u32[(at + FH_GEN) >>> 2] = generation;
    f64[(at + FH_INO) >>> 3] = inoOf(id, mount);
    return this.#exports.proc_fhopen(AT_FDCWD);
  }

  #keep(id: number, fd: number): void {
    if (this.#kept.size >= KEPT_MAX) {
      for (const [oldest, oldFd] of this.#kept) {
        this.#kept.delete(oldest);
        this.#exports.sys_close(oldFd);
        break;
      }
    }
    this.#kept.set(id, fd);
  }

  /** The id of the file whose stat is in the syscall area; 0: it is on a mount that was not met yet. */
  idOfStat(): number {
    const { f64, area } = this.#cpu;
    const at = (area + SA_DATA) >>> 3;
    return this.idOf(f64[at + (ST_DEV >> 3)], f64[at + (ST_INO >> 3)]);
  }

  /** The same of an inode's number on a device. */
  idOf(dev: number, ino: number): number {
    const mounts = this.#mounts;
    for (let i = 0; i < mounts.length; i++)
      if (mounts[i].dev === dev) return i * PER_MOUNT + swapRoot(ino, mounts[i], i);
    return 0;
  }

  /** Is this node's answer good for as long as Linux likes to keep it? */
  lasting(id: number): boolean {
    return this.#mounts[Math.floor(id / PER_MOUNT)].handles;
  }

  /**
   * Linux is told of the file whose stat is in the syscall area: its node id, or an errno.
   * @param dirfd, nameLength  where it was found, by the name at SA_PATH1: to open it, if that is needed
   */
  tell(dirfd: number, nameLength: number): number {
    let id = this.idOfStat();
    if (id === 0) {
      const added = this.#crossed(dirfd, nameLength);
      if (added < 0) return added;
      id = this.idOfStat();
    }
    const generation = this.#cpu.u32[(this.#cpu.area + SA_DATA + ST_GEN) >>> 2];
    const node = this.#known.get(id);
    if (node !== undefined) {
      node.count++;
      // removed by another way in, and its number used again: Linux sees by the generation that it is another
      node.generation = generation;
      return id;
    }
    const fd = this.lasting(id) ? -1 : this.#openName(dirfd, nameLength);
    if (fd < -1) return fd;
    this.#known.set(id, { count: 1, generation, fd });
    return id;
  }

  /** A file of a mount that was not met yet. Its stat is in the area afterwards too. */
  #crossed(dirfd: number, nameLength: number): number {
    const index = this.#freeIndex();
    if (index === MOUNTS_MAX) return -ESTALE;
    const fd = this.#openName(dirfd, nameLength);
    if (fd < 0) return fd;
    this.#addMount(fd, index);
    this.#exports.sys_close(fd);
    return this.#exports.sys_fstatat(dirfd, nameLength, AT_SYMLINK_NOFOLLOW);
  }

  /** The next mount's place in the table. When it is full: of one of whose files Linux knows none any more. */
  #freeIndex(): number {
    if (this.#mounts.length < MOUNTS_MAX) return this.#mounts.length;
    const used = new Set<number>();
    for (const id of this.#known.keys()) used.add(Math.floor(id / PER_MOUNT));
    let index = 1;
    while (index < MOUNTS_MAX && used.has(index)) index++;
    return index;
  }

  #openName(dirfd: number, nameLength: number): number {
    const fd = this.#exports.sys_openat(dirfd, nameLength, O_PATH | O_NOFOLLOW, 0);
    if (fd >= 0) this.#exports.sys_fstat(fd);
    return fd;
  }

  /** The mount of fd, whose stat is in the area. */
  #addMount(fd: number, index: number): void {
    const { f64, u32, area, exports } = this.#cpu;
    const at = (area + SA_DATA) >>> 3;
    const [dev, rootIno] = [f64[at + (ST_DEV >> 3)], f64[at + (ST_INO >> 3)]];
    const handles = exports.sys_name_to_handle_at(fd, 0, AT_EMPTY_PATH) === 0;
    const mountId = u32[(area + SA_DATA + FH_MOUNT) >>> 2];
    this.#mounts[index] = { dev, mountId, rootIno, handles };
    exports.sys_fstat(fd);
  }

  /** What d_ino of a name in this directory is, so that it is the file's st_ino. */
  listed(dirId: number, ino: number): number {
    return dirId < PER_MOUNT ? ino : dirId - (dirId % PER_MOUNT) + ino;
  }

  /** Let go of the descriptors that are kept for their next use: what is idle shall not be in use in the machine. */
  rest(): void {
    if (this.#kept.size === 0) return;
    for (const fd of this.#kept.values()) this.#exports.sys_close(fd);
    this.#kept.clear();
  }

  /** All that Linux knows. */
  ids(): IterableIterator<number> {
    return this.#known.keys();
  }

  generation(id: number): number {
    return this.#known.get(id)?.generation ?? 0;
  }

  known(id: number): boolean {
    return this.#known.has(id);
  }

  /** Linux forgets `times` of the times that it was told of the node. */
  forget(id: number, times: number): void {
    const node = this.#known.get(id);
    if (node === undefined || id === FUSE_ROOT_ID) return;
    node.count -= times;
    if (node.count > 0) return;
    this.#known.delete(id);
    if (node.fd >= 0) this.#exports.sys_close(node.fd);
  }

  /** The file that `fd` names has no link left: it stays while Linux knows it. Takes the descriptor. */
  unlinked(id: number, fd: number): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined) {
      this.#kept.delete(id);
      this.#exports.sys_close(kept);
    }
    const node = this.#known.get(id);
    if (node === undefined || node.fd >= 0) this.#exports.sys_close(fd);
    else node.fd = fd;
  }

  /** Let go of everything. */
  close(): void {
    const { sys_close } = this.#exports;
    for (const fd of this.#kept.values()) sys_close(fd);
    for (const { fd } of this.#known.values()) if (fd >= 0) sys_close(fd);
    this.#kept.clear();
    this.#known.clear();
  }
}

/** The root of the tree that is served is node 1; the inode that has that number, if any, has the root's. */
function swapRoot(ino: number, { rootIno }: ServedMount, index: number): number {
  if (index !== 0) return ino;
  if (ino === rootIno) return FUSE_ROOT_ID;
  return ino === FUSE_ROOT_ID ? rootIno : ino;
}

function inoOf(id: number, mount: ServedMount): number {
  const index = Math.floor(id / PER_MOUNT);
  return swapRoot(id - index * PER_MOUNT, mount, index);
}
