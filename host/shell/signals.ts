/** Signals by the names that `trap` and `kill` use. */
import * as numbers from '../../assembly/abi/signals.ts';

const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(numbers)) {
  if (/^SIG[A-Z0-9]+$/.test(name)) NAMES.set(number, name.slice(3));
}

export const SIGNAL_MAX = numbers.NSIG;

/** Without SIG; the number where there is no name. 0 is EXIT. */
export function signalName(number: number): string {
  return number === 0 ? 'EXIT' : (NAMES.get(number) ?? String(number));
}

/** A signal by number or name, with or without SIG; undefined if there is none such. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= SIGNAL_MAX ? Number(text) : undefined;
  const wanted = text.toUpperCase().replace(/^SIG/, '');
  if (wanted === 'EXIT') return 0;
  for (const [number, name] of NAMES) if (name === wanted) return number;
  return undefined;
}

/** What is said of a process that a signal ended. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  HUP: 'Hangup',
  INT: 'Interrupt',
  QUIT: 'Quit',
  ILL: 'Illegal instruction',
  TRAP: 'Trace/breakpoint trap',
  ABRT: 'Aborted',
  BUS: 'Bus error',
  FPE: 'Floating point exception',
  KILL: 'Killed',
  USR1: 'User defined signal 1',
  SEGV: 'Segmentation fault',
  USR2: 'User defined signal 2',
  PIPE: 'Broken pipe',
  ALRM: 'Alarm clock',
  TERM: 'Terminated',
  XCPU: 'CPU time limit exceeded',
  XFSZ: 'File size limit exceeded',
};

export function signalDescription(number: number): string {
  return DESCRIPTIONS[signalName(number)] ?? `Signal ${number}`;
}

/** Numbers and names, for `kill -l`. */
export function signalList(): [number, string][] {
  return [...NAMES].sort(([a], [b]) => a - b);
}
