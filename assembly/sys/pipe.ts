/** pipe2(2), and the commands of fcntl(2) on the capacity of a pipe. */
import { EBADF, EINVAL, ENFILE } from '../abi/errno';
import { F_GETPIPE_SZ, FD_CLOEXEC, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFIFO } from '../abi/flags';
import { SA_DATA } from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { curcred } from '../proc/cred';
import { fdFree, fdInstall, fdTake, File } from '../proc/file';
import { curproc } from '../proc/proc';
import { Namecache } from '../vfs/namecache';
import { scratchWord } from '../vfs/scratch';
import { fileDrop, fileVnode, vnodeOpen } from '../vfs/vfile';
import { Vnode, vnodeLock, vnodePut, vnodeUnlock } from '../vfs/vnode';
import { pipeOf, pipeResize } from '../fs/fifofs/pipe';
import { pipeVnode } from '../fs/pipefs/vfsops';
import { sysEnter, sysLeave } from './enter';

/** One end of an anonymous file in a new descriptor: its number, or an errno. */
export function anonOpen(vp: Vnode, flags: u32, cloexec: bool): i32 {
  const fd = fdFree(0);
  if (fd < 0) return fd;
  const fp = vnodeOpen(vp, vp.v_mount, changetype<Namecache>(<usize>0), flags, curcred(), scratchWord(2));
  if (changetype<usize>(fp) == 0) return load<i32>(scratchWord(2));
  fdInstall(fd, fp, cloexec ? FD_CLOEXEC : 0);
  return fd;
}

function pipe(flags: u32): i32 {
  if (flags & ~(O_NONBLOCK | O_CLOEXEC | O_DIRECT)) return -EINVAL;
  const vp = pipeVnode();
  if (changetype<usize>(vp) == 0) return -ENFILE;
  const cloexec = (flags & O_CLOEXEC) != 0;
  const reading = anonOpen(vp, O_RDONLY | (flags & O_NONBLOCK), cloexec);
  let writing = reading;
  if (reading >= 0) {
    // it is the writer's flag that makes packets; F_GETFL of the reading end does not have it
    writing = anonOpen(vp, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), cloexec);
    if (writing < 0) fileDrop(fdTake(curproc(), <u32>reading));
  }
  vnodePut(vp);
  if (writing < 0) return writing;
  const out = <usize>curcpu.c_area + SA_DATA;
  store<i32>(out, reading);
  store<i32>(out, writing, 4);
  return 0;
}

export function sys_pipe2(flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(pipe(flags));
}

/** F_SETPIPE_SZ and F_GETPIPE_SZ: the capacity in bytes, or an errno. */
export function pipeFcntl(fp: File, cmd: u32, arg: f64): i32 {
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFIFO || vp.v_un == 0) return -EBADF;
  if (cmd == F_GETPIPE_SZ) return <i32>pipeOf(vp).pi_size;
  vnodeLock(vp);
  const r = pipeResize(pipeOf(vp), arg, curcred());
  vnodeUnlock(vp);
  return r;
}
