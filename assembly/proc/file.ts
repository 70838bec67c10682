/**
 * Files (open file descriptions) and descriptor tables.
 *
 * A File is shared by the descriptors dup'ed or inherited from one open: they share its offset
 * and status flags. It holds a reference on its vnode, on its mount and on the namecache entry it
 * was opened by; what those are is known to vfs/file.ts, which also closes.
 *
 * A table is a directory of FD_DIR pointers to chunks of FD_CHUNK slots { File, flags }; it grows
 * by a chunk and never shrinks before exit. p_fdhint is the lowest descriptor that may be free.
 */
import { EBADF, EMFILE, ENOMEM } from '../abi/errno';
import { FD_CLOEXEC } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { add32 } from '../kern/lock';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { curproc, Proc } from './proc';

@unmanaged
export class File {
  f_offset: i64;
  f_refcnt: u32; //  descriptors, blocked calls and calls in progress (smp)
  f_flag: u32; //    O_* status flags; FF_* below
  f_vp: u32; //      Vnode, referenced
  f_mount: u32; //   Mount, whose ro/noexec/nodev count
  f_ncp: u32; //     Namecache entry it was opened by, referenced; 0 = none
  f_data: u32; //    what the vnode's kind keeps per open file
  f_cred: u32; //    Ucred that opened it, referenced
  f_free: u32; //    function index: gives back what f_data holds, whatever became of the vnode
  f_errseq: u32; //  write errors of the vnode already reported here
  f_lockinfo: u32; // 1: it may hold advisory locks
}

/** Private bits in f_flag, above every O_*. */
export const FF_OPENING: u32 = 0x10000000; // VOP_OPEN has blocked: only its Lwp holds the File
export const FF_BENEATH: u32 = 0x20000000; // lookups from this directory stay beneath it
export const FF_WRITER: u32 = 0x40000000; //  counted in mnt_writers

export const FD_DIR: u32 = 256;
export const FD_CHUNK: u32 = 64;
export const FD_LIMIT: u32 = FD_DIR * FD_CHUNK;
const SLOT_SIZE: u32 = 8;

if (offsetof<File>() % 8 != 0) ERROR('File');

export function fileInit(): void {
  const r = roots();
  r.r_zfile = <u32>changetype<usize>(zoneCreate('file', offsetof<File>(), 0));
  r.r_zfdchunk = <u32>changetype<usize>(zoneCreate('fdchunk', FD_CHUNK * SLOT_SIZE, 0));
  r.r_zfddir = <u32>changetype<usize>(zoneCreate('fddir', FD_DIR * 4, 0));
}

// @ts-ignore: decorator
@inline
function slotOf(p: Proc, fd: u32): usize {
  if (fd >= FD_LIMIT || p.p_fddir == 0) return 0;
  const chunk = load<u32>(<usize>p.p_fddir + ((fd / FD_CHUNK) << 2));
  if (chunk == 0) return 0;
  return <usize>chunk + (fd % FD_CHUNK) * SLOT_SIZE;
}

/** The File behind a descriptor of the current process, or null. Not referenced: in `up`
 *  nothing can close it during the call; smp callers use fileHold. */
// @ts-ignore: decorator
@inline
export function fdFile(fd: i32): File {
  const s = slotOf(curproc(), <u32>fd);
  if (s == 0) return changetype<File>(<usize>0);
  return changetype<File>(<usize>load<u32>(s));
}

/** Descriptor flags (FD_CLOEXEC), or -EBADF. */
export function fdFlags(fd: i32): i32 {
  const s = slotOf(curproc(), <u32>fd);
  if (s == 0 || load<u32>(s) == 0) return -EBADF;
  return load<i32>(s, 4);
}

export function fdSetFlags(fd: i32, flags: u32): i32 {
  const s = slotOf(curproc(), <u32>fd);
  if (s == 0 || load<u32>(s) == 0) return -EBADF;
  store<u32>(s, flags, 4);
  return 0;
}

/** Make sure descriptor `fd` has a slot. */
function fdGrow(p: Proc, fd: u32): i32 {
  if (p.p_fddir == 0) {
    const dir = zoneAlloc(changetype<Zone>(<usize>roots().r_zfddir), ALLOC_NOIO | ALLOC_ZERO);
    if (dir == 0) return -ENOMEM;
    p.p_fddir = <u32>dir;
  }
  const at = <usize>p.p_fddir + ((fd / FD_CHUNK) << 2);
  if (load<u32>(at) == 0) {
    const chunk = zoneAlloc(changetype<Zone>(<usize>roots().r_zfdchunk), ALLOC_NOIO | ALLOC_ZERO);
    if (chunk == 0) return -ENOMEM;
    store<u32>(at, <u32>chunk);
  }
  return 0;
}

/** The lowest free descriptor >= min, with a slot ready, or -EMFILE / -ENOMEM. Nothing is
 *  reserved: fdInstall follows before anything else can run. */
export function fdFree(min: u32): i32 {
  const p = curproc();
  let fd = min > p.p_fdhint ? min : p.p_fdhint;
  const limit = p.p_nofile;
  for (; fd < limit; fd++) {
    const s = slotOf(p, fd);
    if (s == 0) {
      const e = fdGrow(p, fd);
      if (e != 0) return e;
      break;
    }
    if (load<u32>(s) == 0) break;
  }
  if (fd >= limit) return -EMFILE;
  return <i32>fd;
}

/** Put a File (its reference goes to the table) in a slot that fdFree or fdPrepare made ready. */
export function fdInstall(fd: i32, fp: File, flags: u32): void {
  const p = curproc();
  const s = slotOf(p, <u32>fd);
  store<u32>(s, <u32>changetype<usize>(fp));
  store<u32>(s, flags, 4);
  if (<u32>fd == p.p_fdhint) p.p_fdhint = <u32>fd + 1;
}

/** A slot for exactly this descriptor (dup2): 0, -EBADF or -ENOMEM. */
export function fdPrepare(fd: i32): i32 {
  const p = curproc();
  if (<u32>fd >= p.p_nofile) return -EBADF;
  return slotOf(p, <u32>fd) != 0 ? 0 : fdGrow(p, <u32>fd);
}

/** Empty a slot and hand its File (and reference) to the caller; null if it was empty. */
export function fdTake(p: Proc, fd: u32): File {
  const s = slotOf(p, fd);
  if (s == 0) return changetype<File>(<usize>0);
  const fp = changetype<File>(<usize>load<u32>(s));
  store<u64>(s, 0);
  if (fd < p.p_fdhint) p.p_fdhint = fd;
  return fp;
}

/** The File of slot fd of any process, or null (procfs, inheritance). */
export function fdOf(p: Proc, fd: u32): File {
  const s = slotOf(p, fd);
  return s == 0 ? changetype<File>(<usize>0) : changetype<File>(<usize>load<u32>(s));
}

/** Is there an open descriptor that exec closes? */
export function fdCloexec(p: Proc, fd: u32): bool {
  const s = slotOf(p, fd);
  return s != 0 && load<u32>(s) != 0 && (load<u32>(s, 4) & FD_CLOEXEC) != 0;
}

/** Free the table's memory; its slots are empty. */
export function fdTableFree(p: Proc): void {
  if (p.p_fddir == 0) return;
  for (let i: u32 = 0; i < FD_DIR; i++) {
    const chunk = load<u32>(<usize>p.p_fddir + (i << 2));
    if (chunk != 0) zoneFree(changetype<Zone>(<usize>roots().r_zfdchunk), chunk);
  }
  zoneFree(changetype<Zone>(<usize>roots().r_zfddir), p.p_fddir);
  p.p_fddir = 0;
}

/** Let `child` share every descriptor of `parent` (fork): 0 or -ENOMEM, then with what it got. */
export function fdInherit(parent: Proc, child: Proc): i32 {
  if (parent.p_fddir == 0) return 0;
  for (let fd: u32 = 0; fd < FD_LIMIT; fd++) {
    if (load<u32>(<usize>parent.p_fddir + ((fd / FD_CHUNK) << 2)) == 0) {
      fd += FD_CHUNK - 1;
      continue;
    }
    const s = slotOf(parent, fd);
    const fp = changetype<File>(<usize>load<u32>(s));
    if (changetype<usize>(fp) == 0) continue;
    const e = fdGrow(child, fd);
    if (e != 0) return e;
    fileRef(fp);
    store<u64>(slotOf(child, fd), load<u64>(s));
  }
  child.p_fdhint = parent.p_fdhint;
  return 0;
}

export function fileAlloc(): File {
  const fp = changetype<File>(zoneAlloc(changetype<Zone>(<usize>roots().r_zfile), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(fp) == 0) return fp;
  fp.f_refcnt = 1;
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_nfiles'), 1);
  return fp;
}

// @ts-ignore: decorator
@inline
export function fileRef(fp: File): void {
  add32(changetype<usize>(fp) + offsetof<File>('f_refcnt'), 1);
}

/** f_data holds something that is not the vnode's: `fn` gives it back when the File goes. */
export function fileSetFree(fp: File, fn: (fp: File) => void): void {
  fp.f_free = fn.index;
}

export function fileFree(fp: File): void {
  if (fp.f_free != 0) call_indirect<void>(fp.f_free, fp);

  add32(changetype<usize>(roots()) + offsetof<Roots>('r_nfiles'), -1);
  zoneFree(changetype<Zone>(<usize>roots().r_zfile), changetype<usize>(fp));
}
