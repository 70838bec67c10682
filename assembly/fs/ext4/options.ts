/** ext4: mount options, as Linux spells them. One that is not known is -EINVAL: it would promise something. */
import { EINVAL, ENOMEM } from '../../abi/errno';
import { EXT4_ERRORS_CONTINUE, EXT4_ERRORS_PANIC, EXT4_ERRORS_RO } from '../../abi/ext4';
import { litEquals, textBytes, textLit } from '../../kern/text';
import { ALLOC_NOIO } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { Opt, optNext, optNumber } from '../../vfs/opts';
import { ext4LogBegin, ext4LogEnd } from './error';
import { Ext4Mount, MO_BARRIER, MO_DISCARD, MO_GRPID, MO_JOURNAL, MO_NOAUTODA, MO_NODELALLOC, MO_NOLOAD, MO_WRITEBACK } from './types';

const COMMIT_DEFAULT: u32 = 5;
const COMMIT_MAX: i64 = 300;

// @ts-ignore: decorator
@inline
function is(o: Opt, name: string): bool {
  return litEquals(name, o.o_name, o.o_namelen);
}

// @ts-ignore: decorator
@inline
function says(o: Opt, value: string): bool {
  return litEquals(value, o.o_val, o.o_vallen);
}

function set(em: Ext4Mount, bit: u32, on: bool): bool {
  em.em_opts = on ? em.em_opts | bit : em.em_opts & ~bit;
  return true;
}

/** Options without a value: true if this is one. */
function parseFlag(em: Ext4Mount, o: Opt): bool {
  if (is(o, 'noload') || is(o, 'norecovery')) return set(em, MO_NOLOAD, true);
  if (is(o, 'barrier')) return set(em, MO_BARRIER, true);
  if (is(o, 'nobarrier')) return set(em, MO_BARRIER, false);
  if (is(o, 'discard') || is(o, 'nodiscard')) return set(em, MO_DISCARD, is(o, 'discard'));
  if (is(o, 'delalloc') || is(o, 'nodelalloc')) return set(em, MO_NODELALLOC, is(o, 'nodelalloc'));
  if (is(o, 'auto_da_alloc') || is(o, 'noauto_da_alloc')) return set(em, MO_NOAUTODA, is(o, 'noauto_da_alloc'));
  if (is(o, 'grpid') || is(o, 'bsdgroups')) return set(em, MO_GRPID, true);
  if (is(o, 'nogrpid') || is(o, 'sysvgroups')) return set(em, MO_GRPID, false);
  return is(o, 'user_xattr') || is(o, 'defaults');
}

/** Options with one: true if this is one. */
function parseValue(em: Ext4Mount, o: Opt): bool {
  if (is(o, 'errors')) {
    if (says(o, 'continue')) em.em_errors = EXT4_ERRORS_CONTINUE;
    else if (says(o, 'remount-ro')) em.em_errors = EXT4_ERRORS_RO;
    else if (says(o, 'panic')) em.em_errors = EXT4_ERRORS_PANIC;
    else return false;
    return true;
  }
  if (is(o, 'data')) {
    em.em_opts &= ~(MO_WRITEBACK | MO_JOURNAL);
    if (says(o, 'writeback')) em.em_opts |= MO_WRITEBACK;
    else if (says(o, 'journal')) em.em_opts |= MO_JOURNAL;
    else return says(o, 'ordered');
    return true;
  }
  const v = optNumber(o, 10);
  if (v < 0) return false;
  if (is(o, 'commit')) {
    if (v > COMMIT_MAX) return false;
    em.em_commit = v == 0 ? COMMIT_DEFAULT : <u32>v;
    return true;
  }
  if (is(o, 'barrier')) return set(em, MO_BARRIER, v != 0);
  if (v > <i64>u32.MAX_VALUE) return false;
  if (is(o, 'resuid')) em.em_resuid = <u32>v;
  else if (is(o, 'resgid')) em.em_resgid = <u32>v;
  else return false;
  return true;
}

export function ext4OptionsDefault(em: Ext4Mount): void {
  em.em_opts = MO_BARRIER;
  em.em_commit = COMMIT_DEFAULT;
}

/** Parse options over what is set already: 0, -EINVAL (its name is in the log), -ENOMEM. */
export function ext4Options(em: Ext4Mount, opts: usize, len: u32): i32 {
  const o = changetype<Opt>(kmalloc(offsetof<Opt>(), ALLOC_NOIO));
  if (changetype<usize>(o) == 0) return -ENOMEM;
  o.o_rest = <u32>opts;
  o.o_restlen = len;
  let e: i32 = 0;
  while (e == 0 && optNext(o)) {
    if (o.o_val == 0 ? parseFlag(em, o) : parseValue(em, o)) continue;
    const t = ext4LogBegin(em);
    textLit(t, 'option not known: ');
    textBytes(t, <usize>o.o_name, o.o_namelen);
    ext4LogEnd(t);
    e = -EINVAL;
  }
  kfree(changetype<usize>(o));
  return e;
}
