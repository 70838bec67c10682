/** WASI guests: made and freed by the host; their arguments, environment and preopened directories; sockets. */
import { EBADF, EEXIST, EINVAL, ENOMEM, ENOTSOCK, EOPNOTSUPP, ESRCH } from '../../abi/errno';
import { PATH_MAX, S_IFSOCK } from '../../abi/flags';
import { SA_DATA, SA_PATH1 } from '../../abi/layout';
import { GUEST_SPACE, WASI_ARGS, WASI_ENVIRON, WC_GUEST, WC_SLOT } from '../../abi/wasi';
import { cpuEnter, cpuLeave, curcpu } from '../../kern/cpu';
import { procFind, PS_LIVE } from '../../proc/proc';
import { lwpSetCurrent } from '../../proc/sleep';
import { fileVnode } from '../../vfs/vfile';
import { curguest, guestOut, guestOut32, wasiEnter, wasiFd, wasiLeave } from './enter';
import {
  guestFind,
  guestFree,
  guestGrantAll,
  guestMake,
  guestPreopen,
  guestStrings,
  Piece,
  WasiGuest,
} from './guest';

function create(pid: i32, table: u32): i32 {
  const p = procFind(pid);
  if (changetype<usize>(p) == 0 || p.p_state != PS_LIVE) return -ESRCH;
  if (p.p_wasi != 0) return -EEXIST;
  const g = guestMake(p, table);
  if (changetype<usize>(g) == 0) return -ENOMEM;
  const e = guestGrantAll(g);
  if (e != 0) {
    guestFree(g);
    return e;
  }
  const at = <usize>curcpu.c_area + SA_DATA;
  store<u32>(at, <u32>changetype<usize>(g), WC_GUEST);
  store<u32>(at, g.wg_space & ~GUEST_SPACE, WC_SLOT);
  return 0;
}

export function guest_create(pid: i32, table: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(create(pid, table));
}

export function guest_free(wg: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const g = guestFind(wg);
  if (changetype<usize>(g) == 0) return cpuLeave(-ESRCH);
  guestFree(g);
  curcpu.c_wasi = 0;
  return cpuLeave(0);
}

function strings(wg: u32, which: u32, space: u32, len: u32): i32 {
  const g = guestFind(wg);
  if (changetype<usize>(g) == 0) return -ESRCH;
  if (which == WASI_ARGS) return guestStrings(changetype<usize>(g) + offsetof<WasiGuest>('wg_args'), space, len);
  if (which != WASI_ENVIRON) return -EINVAL;
  return guestStrings(changetype<usize>(g) + offsetof<WasiGuest>('wg_env'), space, len);
}

export function guest_strings(wg: u32, which: u32, space: u32, len: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(strings(wg, which, space, len));
}

function preopen(wg: u32, fd: u32, len: u32): i32 {
  const g = guestFind(wg);
  if (changetype<usize>(g) == 0 || changetype<usize>(g.wg_proc) == 0) return -ESRCH;
  if (len >= PATH_MAX) return -EINVAL;
  return guestPreopen(g, fd, <usize>curcpu.c_area + SA_PATH1, len);
}

export function guest_preopen(wg: u32, fd: u32, len: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(preopen(wg, fd, len));
}

/** The gate's sys_resume: a call that waited goes on, and whom the CPU acts for meanwhile is left alone. */
export function wasi_resume(wg: u32, id: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(changetype<usize>(guestFind(wg)) == 0 ? -ESRCH : lwpSetCurrent(id));
}

// ── arguments, environment ───────────────────────────────────────────────────────────────────

function sizesGet(n: u32, bytes: u32, count: u32, size: u32): i32 {
  const e = guestOut32(count, n);
  return e != 0 ? e : guestOut32(size, bytes);
}

/** The strings to `buf`, and the address of each to the array at `list`. */
function stringsGet(first: u32, list: u32, buf: u32): i32 {
  let begins = true;
  for (let q = first; q != 0; q = changetype<Piece>(<usize>q).pc_next) {
    const len = changetype<Piece>(<usize>q).pc_len;
    const bytes = <usize>q + offsetof<Piece>();
    for (let i: u32 = 0; i < len; i++) {
      if (begins) {
        const e = guestOut32(list, buf + i);
        if (e != 0) return e;
        list += 4;
      }
      begins = load<u8>(bytes + i) == 0;
    }
    const e = guestOut(buf, bytes, len);
    if (e != 0) return e;
    buf += len;
  }
  return 0;
}

export function wasi_args_sizes_get(wg: u32, count: u32, size: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  const g = curguest();
  return wasiLeave(sizesGet(g.wg_nargs, g.wg_argsbytes, count, size));
}

export function wasi_args_get(wg: u32, argv: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(stringsGet(curguest().wg_args, argv, buf));
}

export function wasi_environ_sizes_get(wg: u32, count: u32, size: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  const g = curguest();
  return wasiLeave(sizesGet(g.wg_nenv, g.wg_envbytes, count, size));
}

export function wasi_environ_get(wg: u32, environ: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(stringsGet(curguest().wg_env, environ, buf));
}

// ── sockets: no descriptor is one yet ────────────────────────────────────────────────────────

function socket(fd: u32): i32 {
  const fp = wasiFd(fd, 0);
  if (changetype<usize>(fp) == 0) return -EBADF;
  return fileVnode(fp).v_type == S_IFSOCK ? -EOPNOTSUPP : -ENOTSOCK;
}

export function wasi_sock_accept(wg: u32, fd: u32, flags: u32, accepted: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(socket(fd));
}

export function wasi_sock_recv(wg: u32, fd: u32, iovs: u32, n: u32, flags: u32, len: u32, roflags: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(socket(fd));
}

export function wasi_sock_send(wg: u32, fd: u32, iovs: u32, n: u32, flags: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(socket(fd));
}

export function wasi_sock_shutdown(wg: u32, fd: u32, how: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(socket(fd));
}
