/**
 * WasiGuest: what a process is besides, when a WASI program runs as it.
 *
 *     guest_create ─→ live ─ its process ends ─→ wg_proc 0: every call is -ESRCH ─ guest_free ─→ freed
 *
 * WASI's descriptor numbers are the process's own. For each the guest has rights, which belong to
 * the number and not to the open file: a File may be shared with processes that are no guests. They
 * are a table with the shape of the descriptor table (proc/file.ts), one entry of eight bytes each:
 *
 *     bit   31       30        29 … 0
 *     word  GF_OPEN  GF_DSYNC  base         bit 31: the guest has this descriptor at all
 *     word  GF_RSYNC GF_SYNC   inheriting   the others: flags that it was opened with by name
 *
 * G1. A guest lives until the host frees it, whatever became of its process: its gate holds the address.
 * G2. A descriptor without GF_OPEN is not the guest's, though its process may have it.
 * G3. Guests are few and found by a list; the CPU remembers the last (c_wasi).
 *
 * Guard: r_proclock for the list. The rest is the process's own, as its descriptors are.
 */
import { EFAULT, EINVAL, ENOMEM } from '../../abi/errno';
import {
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  S_IFBLK,
  S_IFDIR,
  S_IFREG,
  S_IFSOCK,
} from '../../abi/flags';
import {
  GUEST_SLOTS,
  GUEST_SPACE,
  RIGHT_FD_ALLOCATE,
  RIGHT_FD_FILESTAT_SET_SIZE,
  RIGHT_FD_READ,
  RIGHT_FD_WRITE,
  RIGHTS_DIRECTORY,
  RIGHTS_FILE,
  RIGHTS_SOCKET,
  RIGHTS_STREAM,
} from '../../abi/wasi';
import { Roots, roots } from '../../kern/boot';
import { spinLock, spinUnlock } from '../../kern/lock';
import { copyin } from '../../kern/copy';
import { FD_CHUNK, FD_DIR, FD_LIMIT, fdOf, File } from '../../proc/file';
import { Proc, procLock } from '../../proc/proc';
import { fileVnode } from '../../vfs/vfile';
import { ALLOC_NOIO, ALLOC_ZERO } from '../../vm/page';
import { kfree, kmalloc, KMALLOC_MAX, Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from '../../vm/zone';

@unmanaged
export class WasiGuest {
  wg_next: u32; //    r_wasi
  wg_magic: u32; //   WASI_MAGIC while it is one
  wg_proc: Proc; //   null: it has ended
  wg_space: u32; //   GUEST_SPACE | index of its gate's copyin
  wg_slot: u32; //    which pair of table entries that is, from 0
  wg_fddir: u32; //   FD_DIR chunks of FD_CHUNK entries; 0: none yet
  wg_names: u32; //   list of Preopen
  wg_pad: u32;
  // two lists of strings: pieces, bytes, strings
  wg_args: u32;
  wg_argsbytes: u32;
  wg_nargs: u32;
  wg_env: u32;
  wg_envbytes: u32;
  wg_nenv: u32;
}

/** A piece of a list of strings; the bytes follow. */
@unmanaged
export class Piece {
  pc_next: u32;
  pc_len: u32;
}

/** The name of a preopened directory; its bytes follow. */
@unmanaged
export class Preopen {
  po_next: u32;
  po_fd: u32;
  po_len: u32;
}

export const WASI_MAGIC: u32 = 0x49534157; // "WASI", little-endian
export const GF_OPEN: u32 = 0x80000000;
export const GF_DSYNC: u32 = 0x40000000;
export const GF_RSYNC: u32 = 0x80000000;
export const GF_SYNC: u32 = 0x40000000;
const ENTRY_SIZE: u32 = 8;
const PIECE_MAX: u32 = KMALLOC_MAX - 8;
/** As execve(2) bounds what a program may be given. */
const STRINGS_MAX: u32 = 2097152;

if (offsetof<WasiGuest>() % 8 != 0) ERROR('WasiGuest');
if (offsetof<Piece>() != 8) ERROR('Piece');

export function wasiInit(): void {
  roots().r_zwasi = <u32>changetype<usize>(zoneCreate('wasi', offsetof<WasiGuest>(), ZONE_STABLE));
}

/** The guest at this address, or null. */
export function guestFind(wg: u32): WasiGuest {
  let g = roots().r_wasi;
  while (g != 0 && g != wg) g = changetype<WasiGuest>(<usize>g).wg_next;
  return changetype<WasiGuest>(<usize>g);
}

/** Has a guest this pair of table entries? r_proclock is held. */
function slotTaken(slot: u32): bool {
  let g = roots().r_wasi;
  while (g != 0 && changetype<WasiGuest>(<usize>g).wg_slot != slot) g = changetype<WasiGuest>(<usize>g).wg_next;
  return g != 0;
}

/** A guest for a process that has none; `table` is the first index that gates may take. Null: no memory. */
export function guestMake(p: Proc, table: u32): WasiGuest {
  const r = roots();
  const g = changetype<WasiGuest>(zoneAlloc(changetype<Zone>(<usize>r.r_zwasi), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(g) == 0) return g;
  g.wg_proc = p;
  spinLock(procLock());
  while (slotTaken(g.wg_slot)) g.wg_slot++;
  g.wg_space = GUEST_SPACE | (table + GUEST_SLOTS * g.wg_slot);
  g.wg_next = r.r_wasi;
  r.r_wasi = <u32>changetype<usize>(g);
  g.wg_magic = WASI_MAGIC;
  p.p_wasi = <u32>changetype<usize>(g);
  spinUnlock(procLock());
  return g;
}

/** Its process ends. r_proclock held. */
export function guestEndLocked(p: Proc): void {
  if (p.p_wasi == 0) return;
  changetype<WasiGuest>(<usize>p.p_wasi).wg_proc = changetype<Proc>(<usize>0);
  p.p_wasi = 0;
}

export function guestFree(g: WasiGuest): void {
  const r = roots();
  spinLock(procLock());
  if (changetype<usize>(g.wg_proc) != 0) guestEndLocked(g.wg_proc);
  let link = changetype<usize>(r) + offsetof<Roots>('r_wasi');
  while (load<u32>(link) != <u32>changetype<usize>(g)) link = <usize>load<u32>(link);
  store<u32>(link, g.wg_next);
  g.wg_magic = 0;
  spinUnlock(procLock());
  for (let i: u32 = 0; g.wg_fddir != 0 && i < FD_DIR; i++) {
    const chunk = load<u32>(<usize>g.wg_fddir + (i << 2));
    if (chunk != 0) zoneFree(changetype<Zone>(<usize>r.r_zfdchunk), chunk);
  }
  if (g.wg_fddir != 0) zoneFree(changetype<Zone>(<usize>r.r_zfddir), g.wg_fddir);
  while (g.wg_names != 0) preopenDrop(g, changetype<usize>(g) + offsetof<WasiGuest>('wg_names'));
  piecesFree(g.wg_args);
  piecesFree(g.wg_env);
  zoneFree(changetype<Zone>(<usize>r.r_zwasi), changetype<usize>(g));
}

/** The machine goes down, or goes on as a copy. */
export function wasiShutdown(): void {
  while (roots().r_wasi != 0) guestFree(changetype<WasiGuest>(<usize>roots().r_wasi));
}

// ── descriptors ──────────────────────────────────────────────────────────────────────────────

/** Address of a descriptor's entry; 0: it never had one. */
// @ts-ignore: decorator
@inline
export function guestEntry(g: WasiGuest, fd: u32): usize {
  if (fd >= FD_LIMIT || g.wg_fddir == 0) return 0;
  const chunk = load<u32>(<usize>g.wg_fddir + ((fd / FD_CHUNK) << 2));
  return chunk == 0 ? 0 : <usize>chunk + (fd % FD_CHUNK) * ENTRY_SIZE;
}

/** See to it that a descriptor has an entry: 0 or -ENOMEM. */
export function guestRoom(g: WasiGuest, fd: u32): i32 {
  const r = roots();
  if (g.wg_fddir == 0) {
    g.wg_fddir = <u32>zoneAlloc(changetype<Zone>(<usize>r.r_zfddir), ALLOC_NOIO | ALLOC_ZERO);
    if (g.wg_fddir == 0) return -ENOMEM;
  }
  const at = <usize>g.wg_fddir + ((fd / FD_CHUNK) << 2);
  if (load<u32>(at) != 0) return 0;
  const chunk = zoneAlloc(changetype<Zone>(<usize>r.r_zfdchunk), ALLOC_NOIO | ALLOC_ZERO);
  if (chunk == 0) return -ENOMEM;
  store<u32>(at, <u32>chunk);
  return 0;
}

/** What can be done at all with an open file. */
export function rightsOf(fp: File): u32 {
  const vp = fileVnode(fp);
  const type = vp.v_type;
  if (type == S_IFDIR) return RIGHTS_DIRECTORY;
  let rights = type == S_IFSOCK ? RIGHTS_SOCKET : RIGHTS_STREAM;
  if (type == S_IFREG || type == S_IFBLK) rights = RIGHTS_FILE;
  const acc = fp.f_flag & O_ACCMODE;
  if (acc == O_RDONLY) rights &= ~(RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE);
  if (acc == O_WRONLY) rights &= ~RIGHT_FD_READ;
  return rights;
}

/** What may be given to what is opened in a directory. */
export const RIGHTS_INHERITABLE: u32 = RIGHTS_DIRECTORY | RIGHTS_FILE | RIGHTS_SOCKET;

/** The guest has this open descriptor, with all rights that it can have: 0 or -ENOMEM. */
function guestGrant(g: WasiGuest, fd: u32, fp: File): i32 {
  const e = guestRoom(g, fd);
  if (e != 0) return e;
  const at = guestEntry(g, fd);
  const dir = fileVnode(fp).v_type == S_IFDIR;
  store<u32>(at, GF_OPEN | rightsOf(fp));
  store<u32>(at, dir ? RIGHTS_INHERITABLE : 0, 4);
  return 0;
}

/** All that its process has open is the guest's: 0 or -ENOMEM. */
export function guestGrantAll(g: WasiGuest): i32 {
  const p = g.wg_proc;
  for (let fd: u32 = 0; fd < FD_LIMIT && p.p_fddir != 0; fd++) {
    if (load<u32>(<usize>p.p_fddir + ((fd / FD_CHUNK) << 2)) == 0) {
      fd += FD_CHUNK - 1;
      continue;
    }
    const fp = fdOf(p, fd);
    if (changetype<usize>(fp) == 0) continue;
    const e = guestGrant(g, fd, fp);
    if (e != 0) return e;
  }
  return 0;
}

/** An open directory of the process is preopened under a name of `len` bytes: 0, -EINVAL or -ENOMEM. */
export function guestPreopen(g: WasiGuest, fd: u32, name: usize, len: u32): i32 {
  const fp = fdOf(g.wg_proc, fd);
  if (changetype<usize>(fp) == 0 || fileVnode(fp).v_type != S_IFDIR) return -EINVAL;
  if (len > KMALLOC_MAX - offsetof<Preopen>()) return -EINVAL;
  const e = guestGrant(g, fd, fp);
  if (e != 0) return e;
  preopenForget(g, fd);
  const po = changetype<Preopen>(kmalloc(offsetof<Preopen>() + len, ALLOC_NOIO));
  if (changetype<usize>(po) == 0) return -ENOMEM;
  po.po_fd = fd;
  po.po_len = len;
  memory.copy(changetype<usize>(po) + offsetof<Preopen>(), name, len);
  po.po_next = g.wg_names;
  g.wg_names = <u32>changetype<usize>(po);
  return 0;
}

/** The preopen that a link points to goes. */
function preopenDrop(g: WasiGuest, link: usize): void {
  const po = changetype<Preopen>(<usize>load<u32>(link));
  store<u32>(link, po.po_next);
  kfree(changetype<usize>(po));
}

/** A descriptor is preopened no more. */
export function preopenForget(g: WasiGuest, fd: u32): void {
  let link = changetype<usize>(g) + offsetof<WasiGuest>('wg_names');
  while (load<u32>(link) != 0) {
    const po = changetype<Preopen>(<usize>load<u32>(link));
    if (po.po_fd == fd) preopenDrop(g, link);
    else link = changetype<usize>(po) + offsetof<Preopen>('po_next');
  }
}

export function preopenFind(g: WasiGuest, fd: u32): Preopen {
  let po = g.wg_names;
  while (po != 0 && changetype<Preopen>(<usize>po).po_fd != fd) po = changetype<Preopen>(<usize>po).po_next;
  return changetype<Preopen>(<usize>po);
}

// ── arguments and environment ────────────────────────────────────────────────────────────────

function piecesFree(first: u32): void {
  while (first != 0) {
    const pc = changetype<Piece>(<usize>first);
    first = pc.pc_next;
    kfree(changetype<usize>(pc));
  }
}

/** Take `len` bytes from a host buffer, strings with a NUL behind each, as a list of pieces at `link`. */
function piecesFill(link: usize, space: u32, len: u32): i32 {
  let done: u32 = 0;
  while (done < len) {
    const n = len - done < PIECE_MAX ? len - done : PIECE_MAX;
    const pc = changetype<Piece>(kmalloc(n + offsetof<Piece>(), ALLOC_NOIO));
    if (changetype<usize>(pc) == 0) return -ENOMEM;
    pc.pc_next = 0;
    pc.pc_len = n;
    store<u32>(link, <u32>changetype<usize>(pc));
    link = changetype<usize>(pc) + offsetof<Piece>('pc_next');
    if (copyin(space, done, changetype<usize>(pc) + offsetof<Piece>(), n) != 0) return -EFAULT;
    done += n;
  }
  return 0;
}

/** How many strings a list holds; -EINVAL if the last has no end. */
function piecesCount(first: u32): i32 {
  let n: i32 = 0;
  let last: u32 = 0;
  for (let q = first; q != 0; q = changetype<Piece>(<usize>q).pc_next) {
    const len = changetype<Piece>(<usize>q).pc_len;
    for (let i: u32 = 0; i < len; i++) {
      last = load<u8>(<usize>q + offsetof<Piece>() + i);
      if (last == 0) n++;
    }
  }
  return last == 0 ? n : -EINVAL;
}

/** Replace a list (`at`: pieces, bytes, count in the guest): 0, -EINVAL, -ENOMEM or -EFAULT, then with none. */
export function guestStrings(at: usize, space: u32, len: u32): i32 {
  piecesFree(load<u32>(at));
  store<u32>(at, 0);
  store<u64>(at, 0, 4);
  if (len > STRINGS_MAX) return -EINVAL;
  let e = piecesFill(at, space, len);
  if (e == 0) e = piecesCount(load<u32>(at));
  if (e < 0) {
    piecesFree(load<u32>(at));
    store<u32>(at, 0);
    return e;
  }
  store<u32>(at, len, 4);
  store<u32>(at, e, 8);
  return 0;
}
