/** Where bitmaps and inode tables go: each group's in it, or with flex_bg those of many together. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { type Geometry, GroupTable } from '../volume.ts';
import type { Space } from './space.ts';

/** blockgroup.rst, "flexible block groups": the groups whose tables lie together, in their first. */
function placeFlex(geometry: Geometry, space: Space, groups: GroupTable, first: number, count: number): void {
  const start = geometry.groupFirst(first);
  const end = Math.min(geometry.groupFirst(first + count), geometry.blocksCount);
  const firstEnd = start + geometry.groupBlocks(first);
  // A group alone in the last flexible group leaves room for the bitmaps of those to come.
  const gap = count === 1 ? (1 << geometry.sb.u8(abi.SB_LOG_GROUPS_PER_FLEX)) - 1 : 0;
  const place = (blocks: number, goal: number, set: (group: number, at: number) => void) => {
    const together = space.find(blocks * count, goal, firstEnd);
    let next = together < 0 ? goal : together;
    for (let group = first; group < first + count; group++) {
      const at = space.takeRun(blocks, next, end);
      next = at + blocks;
      set(group, at);
    }
    return next + gap;
  };
  const bitmaps = place(1, start, (group, at) => {
    groups.at(group).blockBitmap = at;
  });
  const tables = place(1, bitmaps, (group, at) => {
    groups.at(group).inodeBitmap = at;
  });
  place(geometry.inodeTableBlocks, tables, (group, at) => {
    groups.at(group).inodeTable = at;
  });
}

function placeOwn(geometry: Geometry, space: Space, groups: GroupTable, group: number): void {
  const start = geometry.groupFirst(group);
  const end = start + geometry.groupBlocks(group);
  const descriptor = groups.at(group);
  descriptor.blockBitmap = space.takeRun(1, start, end);
  descriptor.inodeBitmap = space.takeRun(1, start, end);
  descriptor.inodeTable = space.takeRun(geometry.inodeTableBlocks, start, end);
  space.settle(group);
}

export function placeTables(geometry: Geometry, space: Space): GroupTable {
  const groups = new GroupTable(geometry);
  const log = geometry.sb.u8(abi.SB_LOG_GROUPS_PER_FLEX);
  const flex = 1 << log;
  for (let group = 0; group < geometry.groups; group += flex) {
    const count = Math.min(flex, geometry.groups - group);
    if (flex > 1) placeFlex(geometry, space, groups, group, count);
    else placeOwn(geometry, space, groups, group);
  }
  return groups;
}
