/** Mount options: "name=value,name,…", as bytes. */
@unmanaged
export class Opt {
  o_rest: u32; //    bytes not parsed yet
  o_restlen: u32;
  o_name: u32;
  o_namelen: u32;
  o_val: u32; //     0: the option has no value
  o_vallen: u32;
}

/** The next option; false at the end. Empty ones ("a,,b") are skipped. */
export function optNext(o: Opt): bool {
  while (o.o_restlen != 0 && load<u8>(o.o_rest) == 44) {
    o.o_rest++;
    o.o_restlen--;
  }
  if (o.o_restlen == 0) return false;
  let n: u32 = 0;
  while (n < o.o_restlen && load<u8>(<usize>o.o_rest + n) != 44) n++;
  let eq: u32 = 0;
  while (eq < n && load<u8>(<usize>o.o_rest + eq) != 61) eq++;
  o.o_name = o.o_rest;
  o.o_namelen = eq;
  o.o_val = eq < n ? o.o_rest + eq + 1 : 0;
  o.o_vallen = eq < n ? n - eq - 1 : 0;
  o.o_rest += n;
  o.o_restlen -= n;
  return true;
}

/** The value as a number in the base, or -1. */
export function optNumber(o: Opt, base: u32): i64 {
  if (o.o_vallen == 0 || o.o_vallen > 18) return -1;
  let v: i64 = 0;
  for (let i: u32 = 0; i < o.o_vallen; i++) {
    const d = <u32>load<u8>(<usize>o.o_val + i) - 48;
    if (d >= base) return -1;
    v = v * base + d;
  }
  return v;
}

/** The value as a size: digits, then k, m, g (powers of 1024) or % of `whole`; -1 if malformed. */
export function optSize(o: Opt, whole: u64): i64 {
  if (o.o_vallen == 0) return -1;
  const c = <u32>load<u8>(<usize>o.o_val + o.o_vallen - 1) | 32;
  const shift: u32 = c == 107 ? 10 : c == 109 ? 20 : c == 103 ? 30 : 0;
  const percent = load<u8>(<usize>o.o_val + o.o_vallen - 1) == 37;
  if (shift != 0 || percent) o.o_vallen--;
  const v = optNumber(o, 10);
  if (v < 0 || v > (<i64>1) << 33) return -1;
  return percent ? <i64>((<u64>v * whole) / 100) : v << shift;
}
