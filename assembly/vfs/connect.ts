/**
 * Directories that are known by a handle, and have no name in the namecache: reclaim takes names that
 * nobody holds, and a handle holds none. A walk starts at an entry, so such a directory is given the
 * one that it would have had if it had been walked to, and its ancestors as far as they lack theirs.
 *
 * D1. A directory has one entry at most: what is made here is found by every later walk, and the
 *     other way round.
 */
import { EIO, ELOOP, ENOENT, ENOMEM } from '../abi/errno';
import {
  GD_HEADER,
  GD_REC_INO,
  GD_REC_NAMELEN,
  GD_REC_SIZE,
  SA_DATA,
} from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { Ucred } from '../proc/cred';
import {
  cacheDrop,
  cacheGet,
  cacheLock,
  cacheResolve,
  cacheUnlock,
  Namecache,
  nameHash,
} from './namecache';
import { cacheNameOf } from './namefind';
import { readdirInit } from './readdir';
import { scratchReaddir, scratchWord } from './scratch';
import { Vnode, vnodePut, vnodeRef } from './vnode';
import { vop_nlookupdotdot, vop_readdir } from './vop';

/** Steps up, and names made: a tree that is deeper, or a disk whose ".." go round, is given up. */
const DEPTH_MAX: u32 = 4096;

// @ts-ignore: decorator
@inline
function nothing(): Namecache {
  return changetype<Namecache>(<usize>0);
}

/**
 * The entry of directory vp, referenced, at `out`: 0; -ENOENT for one that was removed; -ENOMEM, or what
 * reading a directory fails with. The caller holds vp. Overwrites the syscall area.
 */
export function dirConnect(vp: Vnode, cred: Ucred, out: usize): i32 {
  // the name made last, held so that the next one has a directory to be in
  let held = nothing();
  for (let turns: u32 = 0; vp.v_names == 0; turns++) {
    let e: i32 = turns == DEPTH_MAX ? -ENOMEM : connectTop(vp, cred, scratchWord(0));
    if (changetype<usize>(held) != 0) cacheDrop(held);
    if (e != 0) return e;
    held = changetype<Namecache>(<usize>load<u32>(scratchWord(0)));
  }
  const ncp = cacheNameOf(vp);
  if (changetype<usize>(held) != 0) cacheDrop(held);
  // another CPU took it away again
  if (changetype<usize>(ncp) == 0) return -ENOENT;
  store<u32>(out, <u32>changetype<usize>(ncp));
  return 0;
}

/** Name the highest of vp and its ancestors that has no name while its parent has one. */
function connectTop(vp: Vnode, cred: Ucred, out: usize): i32 {
  let child = vp;
  vnodeRef(child);
  for (let up: u32 = 0; up < DEPTH_MAX; up++) {
    const e = vop_nlookupdotdot(child.v_fm, child, scratchWord(0), cred);
    if (e != 0) {
      vnodePut(child);
      return e;
    }
    const parent = changetype<Vnode>(<usize>load<u32>(scratchWord(0)));
    if (parent.v_names != 0) {
      const r = connectIn(parent, child, cred, out);
      vnodePut(parent);
      vnodePut(child);
      return r;
    }
    vnodePut(child);
    child = parent;
  }
  vnodePut(child);
  return -ELOOP;
}

/** Find out by which name vp is in dvp, and resolve it. */
function connectIn(dvp: Vnode, vp: Vnode, cred: Ucred, out: usize): i32 {
  const dncp = changetype<Namecache>(<usize>dvp.v_names);
  const ino = <f64>vp.v_fc.fc_attr.va_ino;
  const rd = scratchReaddir();
  let cookie: u64 = 0;
  while (true) {
    readdirInit(rd, cookie, 0);
    const e = vop_readdir(dvp.v_fm, dvp, rd);
    if (e != 0) return e;
    if (rd.rd_count == 0) return -ENOENT;
    let name = <usize>curcpu.c_area;
    let rec = name + SA_DATA + GD_HEADER;
    for (let i: u32 = 0; i < rd.rd_count; i++) {
      const len = load<u32>(rec + GD_REC_NAMELEN);
      if (load<f64>(rec + GD_REC_INO) == ino && !isDots(name, len)) return resolveAs(dncp, name, len, vp, cred, out);
      name += len + 1;
      rec += GD_REC_SIZE;
    }
    cookie = rd.rd_cookie;
  }
}

function isDots(name: usize, len: u32): bool {
  return len <= 2 && load<u8>(name) == 46 && (len == 1 || load<u8>(name + 1) == 46);
}

function resolveAs(dncp: Namecache, name: usize, len: u32, vp: Vnode, cred: Ucred, out: usize): i32 {
  const ncp = cacheGet(dncp, name, len, nameHash(name, len));
  if (changetype<usize>(ncp) == 0) return -ENOMEM;
  cacheLock(ncp);
  let e = cacheResolve(ncp, cred);
  // the inode's number in the directory, and another inode behind its name
  if (e == 0 && ncp.nc_vp != <u32>changetype<usize>(vp)) e = -EIO;
  cacheUnlock(ncp);
  if (e != 0) cacheDrop(ncp);
  else store<u32>(out, <u32>changetype<usize>(ncp));
  return e;
}
