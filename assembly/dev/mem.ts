/** The memory devices: null, zero, full, random, urandom. Numbers and manners are Linux's mem(4). */
import { ENOSPC } from '../abi/errno';
import { S_IFCHR } from '../abi/flags';
import { PAGE_SIZE } from '../abi/layout';
import { roots } from '../kern/boot';
import { randomFill } from '../kern/clock';
import { scratchPath } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { Uio, uiomove } from '../vm/uio';
import { devRegister, setDevRead, setDevWrite } from './dev';

const MEM_MAJOR: u32 = 1;

/** Bytes vanish unread: the caller's buffer need not even be there. */
function sinkWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  uio.uio_off += uio.uio_resid;
  uio.uio_resid = 0;
  return 0;
}

function zeroRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  let e: i32 = 0;
  while (e == 0 && uio.uio_resid != 0) e = uiomove(roots().r_zeropage, PAGE_SIZE, uio);
  return e;
}

function fullWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  return -ENOSPC;
}

function randomRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const buf = scratchPath(1);
  let e: i32 = 0;
  while (e == 0 && uio.uio_resid != 0) {
    const n = uio.uio_resid < PAGE_SIZE ? uio.uio_resid : PAGE_SIZE;
    randomFill(buf, n);
    e = uiomove(buf, n, uio);
  }
  return e;
}

/** The generator needs no more entropy than it has; the bytes are fetched, so that a bad address
 *  is an error as it is on Linux. */
function randomWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  let e: i32 = 0;
  while (e == 0 && uio.uio_resid != 0) e = uiomove(scratchPath(1), PAGE_SIZE, uio);
  return e;
}

export function memInit(): void {
  // newest first in the table, so that a listing of /dev begins with null
  for (let minor: u32 = 9; minor >= 8; minor--) {
    const d = devRegister(minor == 9 ? 'urandom' : 'random', S_IFCHR, MEM_MAJOR, minor, 1, 0o666, 0);
    setDevRead(d, randomRead);
    setDevWrite(d, randomWrite);
  }
  const full = devRegister('full', S_IFCHR, MEM_MAJOR, 7, 1, 0o666, 0);
  setDevRead(full, zeroRead);
  setDevWrite(full, fullWrite);
  const zero = devRegister('zero', S_IFCHR, MEM_MAJOR, 5, 1, 0o666, 0);
  setDevRead(zero, zeroRead);
  setDevWrite(zero, sinkWrite);
  const none = devRegister('null', S_IFCHR, MEM_MAJOR, 3, 1, 0o666, 0);
  setDevWrite(none, sinkWrite);
}
