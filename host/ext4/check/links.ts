/** Passes 3 and 4: every directory hangs on the root, and every inode has the links it counts. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { putBit, testBit } from '../bits.ts';
import { type Context, KIND_BAD, KIND_FREE } from './context.ts';

/** Walk up from each directory; who is known to reach the root ends the walk. */
export function checkConnections(context: Context): void {
  const { kind, parent, dotdot } = context;
  const reaches = new Uint8Array(Math.ceil((context.inodesCount + 1) / 8));
  const seen = new Uint8Array(reaches.length);
  putBit(reaches, abi.EXT4_ROOT_INO);
  for (let ino = abi.EXT4_ROOT_INO; ino <= context.inodesCount; ino++) {
    if (kind[ino] !== abi.FT_DIR) continue;
    const path: number[] = [];
    let at = ino;
    while (at !== 0 && !testBit(reaches, at) && !testBit(seen, at)) {
      putBit(seen, at);
      path.push(at);
      at = parent[at];
    }
    if (at !== 0 && testBit(reaches, at)) for (const one of path) putBit(reaches, one);
    else if (path.length > 0)
      context.find('dir.unconnected', `Unconnected directory inode ${path.at(-1)}`, { inode: path.at(-1) });
    if (parent[ino] !== 0 && dotdot[ino] !== 0 && dotdot[ino] !== parent[ino])
      context.find(
        'dir.dotdot',
        `".." of directory inode ${ino} is ${dotdot[ino]}, should be ${parent[ino]}`,
        { inode: ino, fixable: true },
      );
  }
}

export function checkLinks(context: Context): void {
  const { sb, kind, links, counted } = context;
  for (let ino = abi.EXT4_ROOT_INO; ino <= context.inodesCount; ino++) {
    if (kind[ino] === KIND_FREE || (ino < sb.firstInode && ino !== abi.EXT4_ROOT_INO)) continue;
    if (context.orphans.has(ino) && counted[ino] === 0) continue;
    const isDirectory = kind[ino] === abi.FT_DIR;
    const users = context.valueInodes.get(ino);
    if (counted[ino] === 0) {
      if (kind[ino] === KIND_BAD && links[ino] === 0) continue;
      if (users !== undefined) continue;
      context.find('inode.unattached', `Unattached inode ${ino}`, { inode: ino });
      continue;
    }
    let right = counted[ino];
    if (isDirectory && right > abi.EXT4_LINK_MAX && sb.roCompat(abi.RO_COMPAT_DIR_NLINK)) right = 1;
    // A directory that had too many links once keeps saying so.
    if (isDirectory && links[ino] === 1 && sb.roCompat(abi.RO_COMPAT_DIR_NLINK) && right > 2) continue;
    if (links[ino] !== right)
      context.find('inode.links', `Inode ${ino} has link count ${links[ino]}, should be ${right}`, {
        inode: ino,
        fixable: true,
      });
  }
}
