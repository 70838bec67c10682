import type { ErrnoName } from '../oracle/errno.ts';
import { attributeCells } from './cells/attributes.ts';
import { dataCells } from './cells/data.ts';
import { descriptorCells } from './cells/descriptors.ts';
import { nameCells } from './cells/names.ts';
import { openCells } from './cells/open.ts';
import { pathCells } from './cells/paths.ts';
import { renameCells } from './cells/rename.ts';
import { systemCells } from './cells/system.ts';
import { xattrCells } from './cells/xattr.ts';
import { callNames, documentedErrors } from './documented.ts';
import { inapplicable } from './inapplicable.ts';
import { BOTH, type Cell, type Who } from './types.ts';

/** Every cell of the contract. */
export const cells: readonly Cell[] = [
  ...pathCells,
  ...descriptorCells,
  ...openCells,
  ...dataCells,
  ...attributeCells,
  ...nameCells,
  ...renameCells,
  ...xattrCells,
  ...systemCells,
];

/** 'call ERRNO who: title', by which a target names a known difference. */
export function cellId(cell: Cell, who: Who): string {
  return `${cell.call} ${cell.errno} ${who}: ${cell.title}`;
}

/** For whom a cell makes a test: those who are refused, and root when it must pass. */
export function casesOf(cell: Cell): { who: Who; passes: boolean }[] {
  const cases = cell.who.map((who) => ({ who, passes: false }));
  return cell.rootPasses ? [...cases, { who: 'root', passes: true }] : cases;
}

interface Slots {
  /** 'call ERRNO who' that neither a cell nor a reason fills. */
  missing: string[];
  /** Filled though the frame does not know them, or declared inapplicable though a cell fills them. */
  odd: string[];
}

/** Hold the cells against the frame of documented errors. */
export function checkCompleteness(): Slots {
  const filled = new Set<string>();
  const slot = (call: string, errno: ErrnoName, who: Who): string => `${call} ${errno} ${who}`;
  for (const cell of cells) for (const { who } of casesOf(cell)) filled.add(slot(cell.call, cell.errno, who));
  const excused = new Set<string>();
  for (const rule of inapplicable)
    for (const call of rule.calls) for (const who of rule.who) excused.add(slot(call, rule.errno, who));

  const frame = new Set<string>();
  for (const call of callNames)
    for (const errno of documentedErrors(call)) for (const who of BOTH) frame.add(slot(call, errno, who));
  return {
    missing: [...frame].filter((s) => !filled.has(s) && !excused.has(s)),
    odd: [
      ...[...filled].filter((s) => !frame.has(s) || excused.has(s)),
      ...[...excused].filter((s) => !frame.has(s)),
    ],
  };
}
