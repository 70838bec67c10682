/** What a copy did not keep, told to the user. */
import type { CopyResult } from '../hostfiles/entry.ts';
import { warn } from './output.ts';
import { formatCount } from './values.ts';

const PROBLEMS_SHOWN = 10;

/** Say what was not kept. True if everything was. */
export function reportCopy(
  { problems, losses }: CopyResult,
  verb: string,
  nameOf = (path: string) => path,
): boolean {
  for (const [what, count] of losses) warn(`not kept for ${formatCount(count, 'file')}: ${what}`);
  for (const { path: name, attribute, reason } of problems.slice(0, PROBLEMS_SHOWN))
    warn(
      attribute === undefined
        ? `${verb}: ${nameOf(name)}: ${reason}`
        : `not kept: attribute ${attribute} of ${nameOf(name)}: ${reason}`,
    );
  if (problems.length > PROBLEMS_SHOWN)
    warn(`… and ${problems.length - PROBLEMS_SHOWN} more ${verb} or not kept`);
  return problems.length === 0;
}
