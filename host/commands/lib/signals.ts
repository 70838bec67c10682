/** Signals by name and number. */
import * as numbers from '../../../assembly/abi/signals.ts';

const NAMES = new Map<number, string>(
  Object.entries(numbers).flatMap(([name, number]) =>
    /^SIG[A-Z0-9]+$/.test(name) && !name.startsWith('SIG_') ? [[number, name.slice(3)]] : [],
  ),
);

/** Without SIG; undefined for a number that has none. */
export function signalName(number: number): string | undefined {
  return NAMES.get(number);
}

export function signalNumbers(): number[] {
  return [...NAMES.keys()].sort((a, b) => a - b);
}

/** A number, or a name with or without SIG; 0 is EXIT, which only asks. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= numbers.NSIG ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name === 'EXIT') return 0;
  return [...NAMES].find(([, known]) => known === name)?.[0];
}
