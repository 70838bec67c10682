/** Numbers in arguments (512, 4K, 1MB, 3b) and in output (4.0K). */
import { Failure } from './errors.ts';

const POWERS = 'KMGTPEZY';

function suffixFactor(suffix: string): number | undefined {
  if (suffix === '') return 1;
  if (suffix === 'b') return 512;
  if (suffix === 'c') return 1;
  if (suffix === 'w') return 2;
  if (suffix === 'kB') return 1000;
  const match = /^([kKMGTPEZY])(B|iB)?$/.exec(suffix);
  if (!match) return undefined;
  const power = POWERS.indexOf(match[1].toUpperCase()) + 1;
  return (match[2] === 'B' ? 1000 : 1024) ** power;
}

/** A count with GNU's suffixes; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([a-zA-Z]*)$/.exec(text);
  if (!match) return undefined;
  const factor = suffixFactor(match[2]);
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

/** A decimal integer ≥ 0. @throws Failure "invalid …" */
export function wholeNumber(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new Failure(`invalid ${what}: '${text}'`);
  return Number(text);
}

/** A size as -h shows it: at most three digits and a letter, rounded up as GNU rounds. */
export function humanSize(bytes: number, factor: 1000 | 1024 = 1024): string {
  if (bytes < factor) return String(bytes);
  let value = bytes;
  let power = -1;
  while (value >= factor && power < POWERS.length - 1) {
    value /= factor;
    power++;
  }
  // Rounding up may reach the next unit.
  let shown = value < 10 ? Math.ceil(value * 10 - 1e-9) / 10 : Math.ceil(value - 1e-9);
  if (shown >= factor && power < POWERS.length - 1) {
    shown = 1;
    power++;
  }
  const letter = factor === 1000 && power === 0 ? 'k' : POWERS[power];
  return `${shown < 10 ? shown.toFixed(1) : shown.toFixed(0)}${letter}`;
}

/** Seconds of a duration: 1.5, 2m, 1h, 1d. @throws Failure */
export function parseDuration(text: string): number {
  const match = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  if (!match && text !== 'infinity') throw new Failure(`invalid time interval '${text}'`, 1, true);
  if (!match) return Number.POSITIVE_INFINITY;
  return Number(match[1]) * { '': 1, s: 1, m: 60, h: 3600, d: 86400 }[match[2] as '' | 's' | 'm' | 'h' | 'd'];
}
