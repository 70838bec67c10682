/**
 * Opening and closing: Files on vnodes.
 *
 * Who holds what: a descriptor or a blocked call holds its File; a File holds its vnode, its
 * mount, the entry it was opened by (if any) and the credentials that opened it. An open that blocks
 * (a fifo's) leaves the File to its Lwp, counted by the fifo already: if the wait is given up, the
 * File's last reference closes it like any other.
 */
import { ENFILE, ERESTART } from '../abi/errno';
import { O_ACCMODE, O_NOCTTY, O_PATH, O_RDONLY, S_IFREG } from '../abi/flags';
import { add32 } from '../kern/lock';
import { Ucred, credDrop, credRef } from '../proc/cred';
import { FF_OPENING, FF_WRITER, File, fileAlloc, fileFree } from '../proc/file';
import { Proc } from '../proc/proc';
import { lockFileClosed, lockProcClosed } from './advlock';
import { inotifyClose } from './inotify';
import { Mount, mountDrop, mountRef } from './mount';
import { cacheDrop, cacheRef, Namecache } from './namecache';
import { Vnode, vnodePut, vnodeRef } from './vnode';
import { vop_close, vop_open } from './vop';

/**
 * A File on vp. On success it holds references of its own (the caller keeps its own); VOP_OPEN has
 * run unless the flags say O_PATH. Returns it, or null with the errno at `errp`.
 */
export function vnodeOpen(vp: Vnode, mp: Mount, ncp: Namecache, flags: u32, cred: Ucred, errp: usize): File {
  const fp = fileAlloc();
  if (changetype<usize>(fp) == 0) {
    store<i32>(errp, -ENFILE);
    return fp;
  }
  const e = vnodeOpenFile(fp, vp, mp, ncp, flags, cred);
  if (e == 0) return fp;
  store<i32>(errp, e);
  return changetype<File>(<usize>0);
}

/**
 * The same with a File from fileAlloc, for those who must know before they make a vnode that they
 * will be able to open it. Consumes the File on failure.
 */
export function vnodeOpenFile(fp: File, vp: Vnode, mp: Mount, ncp: Namecache, flags: u32, cred: Ucred): i32 {
  // that one is the open's alone
  fp.f_flag = flags & ~O_NOCTTY;
  fp.f_vp = <u32>changetype<usize>(vp);
  fp.f_errseq = vp.v_fc.fc_error;
  fp.f_mount = <u32>changetype<usize>(mp);
  fp.f_ncp = <u32>changetype<usize>(ncp);
  fp.f_cred = <u32>changetype<usize>(cred);
  vnodeRef(vp);
  mountRef(mp);
  if (changetype<usize>(ncp) != 0) cacheRef(ncp);
  credRef(cred);
  if ((flags & O_PATH) == 0) {
    const e = vop_open(vp.v_fm, vp, fp, flags, cred);
    if (e != 0) {
      if (e == -ERESTART) {
        // its Lwp holds it now, and vnodeOpenResume goes on with it
        fp.f_flag |= FF_OPENING;
        fileDrop(fp);
      } else fileRelease(fp);
      return e;
    }
    countWriter(fp, vp);
  }
  return 0;
}

function countWriter(fp: File, vp: Vnode): void {
  // what is written to a device or a fifo does not end up on the mount
  if ((fp.f_flag & O_ACCMODE) == O_RDONLY || vp.v_type != S_IFREG) return;
  fp.f_flag |= FF_WRITER;
  add32(<usize>fp.f_mount + offsetof<Mount>('mnt_writers'), 1);
}

/** Go on with a VOP_OPEN that blocked: 0, -ERESTART again, or an errno (the Lwp's end closes fp). */
export function vnodeOpenResume(fp: File): i32 {
  const vp = fileVnode(fp);
  const e = vop_open(vp.v_fm, vp, fp, fp.f_flag, changetype<Ucred>(<usize>fp.f_cred));
  if (e != 0) return e;
  fp.f_flag &= ~FF_OPENING;
  countWriter(fp, vp);
  return 0;
}

// @ts-ignore: decorator
@inline
export function fileVnode(fp: File): Vnode {
  return changetype<Vnode>(<usize>fp.f_vp);
}

// @ts-ignore: decorator
@inline
export function fileMount(fp: File): Mount {
  return changetype<Mount>(<usize>fp.f_mount);
}

/** Give back what the File holds, and the File. */
function fileRelease(fp: File): void {
  vnodePut(changetype<Vnode>(<usize>fp.f_vp));
  if (fp.f_ncp != 0) cacheDrop(changetype<Namecache>(<usize>fp.f_ncp));
  mountDrop(changetype<Mount>(<usize>fp.f_mount));
  credDrop(changetype<Ucred>(<usize>fp.f_cred));
  fileFree(fp);
}

/** Drop a reference; the last one closes. Returns VOP_CLOSE's result. */
export function fileDrop(fp: File): i32 {
  if (add32(changetype<usize>(fp) + offsetof<File>('f_refcnt'), -1) != 1) return 0;
  const vp = fileVnode(fp);
  let e: i32 = 0;
  if ((fp.f_flag & O_PATH) == 0) {
    if (fp.f_lockinfo != 0) lockFileClosed(fp);
    if ((fp.f_flag & FF_OPENING) == 0) inotifyClose(fp);
    if (fp.f_flag & FF_WRITER) add32(<usize>fp.f_mount + offsetof<Mount>('mnt_writers'), -1);
    e = vop_close(vp.v_fm, vp, fp);
  }
  fileRelease(fp);
  return e;
}

/** A descriptor of process p on this File was closed: POSIX drops the process's record locks. */
export function fileClosedBy(fp: File, p: Proc): i32 {
  if (p.p_locks != 0 && (fp.f_flag & O_PATH) == 0) lockProcClosed(fileVnode(fp), p);
  return fileDrop(fp);
}

