/**
 * procfs: the tree that follows from the sysctls' names. A directory is known by the first sysctl
 * in it and by how many characters of that one's name, its last dot included, lead to it.
 */
import { litChar, litLen, Text, textByte } from '../../kern/text';
import { Sysctl, sysctlAt, sysctlName, sysctlPartEnd, sysctlSamePrefix } from '../../proc/sysctl';
import { scratchWord } from '../../vfs/scratch';

/** Is sysctl i the first to bring its next part into the directory? */
function isFirst(sc: Sysctl, i: u32, end: u32): bool {
  for (let j: u32 = 0; j < i; j++) {
    const other = sysctlAt(j);
    if (sysctlSamePrefix(other, sc, end) && sysctlPartEnd(other, end) == end) return false;
  }
  return true;
}

/**
 * What sysctl `i` adds to directory (first, prefix): its part of the name into t; in scratch word 5
 * the length of the prefix below, or 0 if it is the value itself. False: nothing.
 */
export function sysChild(first: u32, prefix: u32, i: u32, t: Text): bool {
  const sc = sysctlAt(i);
  if (!sysctlSamePrefix(sysctlAt(first), sc, prefix)) return false;
  const end = sysctlPartEnd(sc, prefix);
  if (!isFirst(sc, i, end)) return false;
  const name = sysctlName(sc);
  for (let c = prefix; c < end; c++) textByte(t, litChar(name, c));
  store<u32>(scratchWord(5), end == litLen(name) ? 0 : end + 1);
  return true;
}

/** A name in directory (first, prefix): in scratch words 4 and 5 which sysctl, and as sysChild. */
export function sysFind(first: u32, prefix: u32, name: usize, len: u32): bool {
  for (let i: u32 = 0; changetype<usize>(sysctlAt(i)) != 0; i++) {
    const sc = sysctlAt(i);
    if (!sysctlSamePrefix(sysctlAt(first), sc, prefix)) continue;
    const end = sysctlPartEnd(sc, prefix);
    const s = sysctlName(sc);
    let c: u32 = 0;
    if (end - prefix == len) while (c < len && litChar(s, prefix + c) == <u32>load<u8>(name + c)) c++;
    if (end - prefix != len || c != len) continue;
    store<u32>(scratchWord(4), i);
    store<u32>(scratchWord(5), end == litLen(s) ? 0 : end + 1);
    return true;
  }
  return false;
}
