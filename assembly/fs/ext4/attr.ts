/** ext4: attributes of a file, and its end: VOP_SETATTR, WRITEATTR, OPEN, CLOSE, INACTIVE, RECLAIM. */
import { EINVAL, EISDIR, EPERM } from '../../abi/errno';
import { S_IFDIR, S_IFREG } from '../../abi/flags';
import { EXT4_APPEND_FL, EXT4_IMMUTABLE_FL } from '../../abi/ext4';
import { add32 } from '../../kern/lock';
import { Ucred } from '../../proc/cred';
import { File } from '../../proc/file';
import { attrBegin, attrEnd, fscacheTouchCtime } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { Vattr, vattrChange, VA_CTIME, VA_SIZE } from '../../vfs/vattr';
import { Vnode } from '../../vfs/vnode';
import { ext4FileClosed, ext4FileGone, ext4SetSize } from './file';
import { ext4InodeDrop, ext4InodeStore } from './inode';
import { ext4Delete, ext4OrphanForget, ext4OrphanKeep } from './orphan';
import { CREDITS_INODE, ext4Begin, ext4End } from './txn';
import { EI_DELETED, emOf, Ext4Inode, Ext4Mount, eiOf, EM_RDONLY } from './types';

/** Store the attributes as they are: 0 or an errno. */
function storeAttr(em: Ext4Mount, vp: Vnode): i32 {
  let e = ext4Begin(em, CREDITS_INODE);
  if (e != 0) return e;
  e = ext4InodeStore(em, vp);
  ext4End(em);
  return e;
}

export function ext4Setattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  const em = emOf(fm.fm_mount);
  const mask = vap.va_mask;
  if (eiOf(vp).ei_flags & (EXT4_IMMUTABLE_FL | EXT4_APPEND_FL)) return -EPERM;
  if (mask & VA_SIZE) {
    if (vp.v_type == S_IFDIR) return -EISDIR;
    if (vp.v_type != S_IFREG) return -EINVAL;
    const e = ext4SetSize(em, vp, vap.va_size);
    if (e != 0) return e;
  }
  let e = ext4Begin(em, CREDITS_INODE);
  if (e != 0) return e;
  attrBegin(vp.v_fc);
  vattrChange(vp.v_fc.fc_attr, vap);
  attrEnd(vp.v_fc);
  if (mask & VA_CTIME) fscacheTouchCtime(vp.v_fc);
  e = ext4InodeStore(em, vp);
  ext4End(em);
  return e;
}

/** What only reading or a write's time changed is stored. */
export function ext4Writeattr(fm: Fsmanage, vp: Vnode): i32 {
  if (vp.v_data == 0 || eiOf(vp).ei_state & EI_DELETED) return 0;
  const em = emOf(fm.fm_mount);
  return em.em_flags & EM_RDONLY ? 0 : storeAttr(em, vp);
}

export function ext4Open(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  add32(changetype<usize>(eiOf(vp)) + offsetof<Ext4Inode>('ei_opens'), 1);
  return 0;
}

export function ext4Close(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  add32(changetype<usize>(eiOf(vp)) + offsetof<Ext4Inode>('ei_opens'), -1);
  ext4FileClosed(emOf(fm.fm_mount), vp);
  return 0;
}

/** Nobody has the file any more, and it has no name: it ends. What fails leaves an orphan for the next mount. */
export function ext4Inactive(fm: Fsmanage, vp: Vnode): i32 {
  const em = emOf(fm.fm_mount);
  if (vp.v_fc.fc_attr.va_nlink != 0 || em.em_flags & EM_RDONLY || eiOf(vp).ei_state & EI_DELETED) return 0;
  ext4FileGone(em, vp);
  const e = ext4Delete(em, vp);
  if (e != 0) ext4OrphanKeep(em, vp);
  return e;
}

export function ext4Reclaim(fm: Fsmanage, vp: Vnode): i32 {
  const em = emOf(fm.fm_mount);
  ext4FileGone(em, vp);
  ext4OrphanForget(em, eiOf(vp));
  ext4InodeDrop(em, vp);
  return 0;
}
