/**
 * What a reader of procfs reads: a text made at once, at the first read and again at each read from
 * offset 0, and kept with the open file, so that reads in pieces fit together. It lies in frames of
 * its own, as many as it needs.
 */
import { ENOMEM } from '../../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { Text, textInit, textSetMore } from '../../kern/text';
import { scratchText, scratchWord } from '../../vfs/scratch';
import { FrameArray, frameArrayAt, frameArrayFree, frameArrayGrow } from '../../vm/array';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from '../../vm/page';
import { Uio, uiomove } from '../../vm/uio';
import { kfree, kmalloc } from '../../vm/zone';

@unmanaged
export class ProcBuf {
  pb_len: u32; // bytes
  pb_used: u32; // frames with text in them
  // then a FrameArray: addresses of frames, in order

  // @ts-ignore: decorator
  @inline
  get pb_frames(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<ProcBuf>());
  }
}

function grow(fa: FrameArray): bool {
  if (fa.fa_len == fa.fa_cap && frameArrayGrow(fa) != 0) return false;
  const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
  if (changetype<usize>(pg) == 0) return false;
  store<u32>(frameArrayAt(fa, fa.fa_len), <u32>pageAddr(pg));
  fa.fa_len++;
  return true;
}

/** Have frames for a text of this length, for who writes it with a spin lock held: 0 or -ENOMEM. */
export function bufReserve(bytes: u32): i32 {
  const pb = changetype<ProcBuf>(<usize>load<u32>(scratchWord(6)));
  const want = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
  while (pb.pb_frames.fa_len < want) if (!grow(pb.pb_frames)) return -ENOMEM;
  return 0;
}

/** Another frame for the text being made (its ProcBuf is in scratchWord(6)). */
function more(t: Text): bool {
  const pb = changetype<ProcBuf>(<usize>load<u32>(scratchWord(6)));
  if (pb.pb_used == pb.pb_frames.fa_len && !grow(pb.pb_frames)) return false;
  t.t_buf = <usize>load<u32>(frameArrayAt(pb.pb_frames, pb.pb_used));
  pb.pb_used++;
  t.t_len = 0;
  t.t_cap = PAGE_SIZE;
  return true;
}

/** Begin a text in a new buffer: write to scratchText(), then bufEnd. Null: no memory. */
export function bufBegin(): ProcBuf {
  const pb = changetype<ProcBuf>(kmalloc(<u32>(offsetof<ProcBuf>() + offsetof<FrameArray>()), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(pb) == 0) return pb;
  store<u32>(scratchWord(6), <u32>changetype<usize>(pb));
  const t = scratchText();
  textInit(t, 0, 0);
  textSetMore(t, more);
  return pb;
}

/** The text is written: 0 or -ENOMEM. */
export function bufEnd(pb: ProcBuf): i32 {
  const t = scratchText();
  const n = pb.pb_used;
  pb.pb_len = n == 0 ? 0 : ((n - 1) << PAGE_SHIFT) + t.t_len;
  return t.t_over != 0 ? -ENOMEM : 0;
}

export function bufFree(pb: ProcBuf): void {
  const fa = pb.pb_frames;
  for (let i: u32 = 0; i < fa.fa_len; i++) pageFree(pageOf(load<u32>(frameArrayAt(fa, i))));
  frameArrayFree(fa);
  kfree(changetype<usize>(pb));
}

/** Move what there is from uio_off on. 0 or -EFAULT. */
export function bufRead(pb: ProcBuf, uio: Uio): i32 {
  while (uio.uio_resid != 0 && <u64>uio.uio_off < pb.pb_len) {
    const off = <u32>uio.uio_off;
    const at = off & (PAGE_SIZE - 1);
    const left = pb.pb_len - off;
    const n = left < PAGE_SIZE - at ? left : PAGE_SIZE - at;
    const e = uiomove(<usize>load<u32>(frameArrayAt(pb.pb_frames, off >> PAGE_SHIFT)) + at, n, uio);
    if (e != 0) return e;
  }
  return 0;
}
