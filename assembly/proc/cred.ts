/**
 * Credentials: user, group and supplementary groups, shared by reference and never changed once
 * shared. A process holds one; a call acts with its process's.
 *
 * cr_uid and cr_gid are the effective ids, by which permission is given; the real ones say who
 * started the process (and what access(2) asks about), the saved ones what it may become again.
 */
import { curcredp } from '../kern/cpu';
import { roots } from '../kern/boot';
import { add32 } from '../kern/lock';
import { ALLOC_NOIO } from '../vm/page';
import { kfree, kmalloc, KMALLOC_MAX, Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';

@unmanaged
export class Ucred {
  cr_refcnt: u32;
  cr_uid: u32;
  cr_gid: u32;
  cr_ngroups: u32;
  cr_groups: u32; // kmalloc'ed u32 array, or 0
  cr_ruid: u32;
  cr_suid: u32;
  cr_rgid: u32;
  cr_sgid: u32;
  cr_pad: u32;
}

if (offsetof<Ucred>() % 8 != 0) ERROR('Ucred');

export const NGROUPS_MAX: u32 = KMALLOC_MAX / 4;

export function credInit(): void {
  roots().r_zcred = <u32>changetype<usize>(zoneCreate('ucred', offsetof<Ucred>(), 0));
}

/** The credentials of the call in progress. */
// @ts-ignore: decorator
@inline
export function curcred(): Ucred {
  return changetype<Ucred>(curcredp);
}

/** New credentials with one reference, or null; `groups` are copied from RAM. All three uids are one,
 *  and all three gids. */
export function credCreate(uid: u32, gid: u32, groups: usize, ngroups: u32): Ucred {
  const cr = changetype<Ucred>(zoneAlloc(changetype<Zone>(<usize>roots().r_zcred), ALLOC_NOIO));
  if (changetype<usize>(cr) == 0) return cr;
  cr.cr_refcnt = 1;
  cr.cr_uid = uid;
  cr.cr_ruid = uid;
  cr.cr_suid = uid;
  cr.cr_gid = gid;
  cr.cr_rgid = gid;
  cr.cr_sgid = gid;
  cr.cr_ngroups = ngroups;
  cr.cr_groups = 0;
  if (ngroups != 0) {
    const g = kmalloc(ngroups * 4, ALLOC_NOIO);
    if (g == 0) {
      zoneFree(changetype<Zone>(<usize>roots().r_zcred), changetype<usize>(cr));
      return changetype<Ucred>(<usize>0);
    }
    memory.copy(g, groups, ngroups * 4);
    cr.cr_groups = <u32>g;
  }
  return cr;
}

/** A copy to be changed before it is shared; null: no memory. */
export function credCopy(from: Ucred): Ucred {
  const cr = credCreate(from.cr_uid, from.cr_gid, from.cr_groups, from.cr_ngroups);
  if (changetype<usize>(cr) == 0) return cr;
  cr.cr_ruid = from.cr_ruid;
  cr.cr_suid = from.cr_suid;
  cr.cr_rgid = from.cr_rgid;
  cr.cr_sgid = from.cr_sgid;
  return cr;
}

export function credRef(cr: Ucred): Ucred {
  add32(changetype<usize>(cr), 1);
  return cr;
}

export function credDrop(cr: Ucred): void {
  if (add32(changetype<usize>(cr), -1) != 1) return;
  if (cr.cr_groups != 0) kfree(cr.cr_groups);
  zoneFree(changetype<Zone>(<usize>roots().r_zcred), changetype<usize>(cr));
}

/** Is gid the group of these credentials, or one of their supplementary groups? */
export function credInGroup(cr: Ucred, gid: u32): bool {
  if (cr.cr_gid == gid) return true;
  for (let i: u32 = 0; i < cr.cr_ngroups; i++) {
    if (load<u32>(<usize>cr.cr_groups + (i << 2)) == gid) return true;
  }
  return false;
}

/** Root, who may do what permissions forbid others. */
// @ts-ignore: decorator
@inline
export function credIsRoot(cr: Ucred): bool {
  return cr.cr_uid == 0;
}

