/** Modes in octal and in symbols, as chmod takes them. */
import { S_ISGID, S_ISUID, S_ISVTX } from '../../../assembly/abi/flags.ts';

interface Change {
  /** Whose bits, as a mask over all twelve; 0: everybody's that the mask leaves. */
  readonly who: number;
  readonly operator: '+' | '-' | '=';
  readonly bits: number;
  /** X: execute, if it is a directory or somebody may execute it already. */
  readonly conditional: boolean;
  /** u, g or o: copy that class's bits. */
  readonly from?: 'u' | 'g' | 'o';
}

/** Octal: the mode itself, and how many digits it had; or a list of changes. */
export type ModeChanges = { readonly octal: number; readonly digits: number } | readonly Change[];

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const SHIFTS = { u: 6, g: 3, o: 0 } as const;
const PERMISSIONS: Readonly<Record<string, number>> = {
  r: 0o444,
  w: 0o222,
  x: 0o111,
  s: S_ISUID | S_ISGID,
  t: S_ISVTX,
};

function parseClause(clause: string): Change[] | undefined {
  const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
  if (!match) return undefined;
  const who = [...match[1]].reduce((mask, letter) => mask | WHO[letter], 0);
  return (match[2].match(/[-+=][^-+=]*/g) ?? []).map((action) => {
    const operator = action[0] as Change['operator'];
    const letters = action.slice(1);
    if (/^[ugo]$/.test(letters)) {
      return { who, operator, bits: 0, conditional: false, from: letters as 'u' | 'g' | 'o' };
    }
    const bits = [...letters].reduce((mask, letter) => mask | (PERMISSIONS[letter] ?? 0), 0);
    return { who, operator, bits, conditional: letters.includes('X') };
  });
}

/** A mode in either form; undefined if it is neither. */
export function parseMode(text: string): ModeChanges | undefined {
  if (/^[0-7]+$/.test(text)) {
    const octal = Number.parseInt(text, 8);
    return octal > 0o7777 ? undefined : { octal, digits: text.length };
  }
  const changes: Change[] = [];
  for (const clause of text.split(',')) {
    const parsed = parseClause(clause);
    if (parsed === undefined) return undefined;
    changes.push(...parsed);
  }
  return changes;
}

function copied(mode: number, from: 'u' | 'g' | 'o'): number {
  const bits = (mode >> SHIFTS[from]) & 7;
  return bits | (bits << 3) | (bits << 6);
}

function applyChange(change: Change, mode: number, isDirectory: boolean, umask: number): number {
  let bits = change.from === undefined ? change.bits : copied(mode, change.from);
  if (change.conditional && (isDirectory || mode & 0o111)) bits |= 0o111;
  const mask = change.who === 0 ? 0o7777 & ~umask : change.who;
  bits &= mask;
  if (change.operator === '+') return mode | bits;
  if (change.operator === '-') return mode & ~bits;
  // A directory keeps its set-id bits unless they are named.
  const kept = isDirectory && !(change.bits & (S_ISUID | S_ISGID)) ? S_ISUID | S_ISGID : 0;
  const cleared = change.who === 0 ? 0o7777 : change.who;
  return (mode & ~(cleared & ~kept)) | bits;
}

/** A mode as it is after the changes. */
export function applyMode(changes: ModeChanges, mode: number, isDirectory: boolean, umask: number): number {
  if ('octal' in changes) {
    // A directory's set-id bits go only by five digits.
    const kept = isDirectory && changes.digits < 5 ? mode & (S_ISUID | S_ISGID) : 0;
    return changes.octal | kept;
  }
  return changes.reduce((result, change) => applyChange(change, result, isDirectory, umask), mode & 0o7777);
}
