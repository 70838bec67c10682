/** --help, from a command's declarations. */
import type { OptionSpec, OptionTable } from './options.ts';

const WIDTH = 79;
const COLUMN = 29;

export interface Description {
  /** One line, in the imperative mood, without a full stop. */
  summary: string;
  /** What may follow the name, one line for each way. */
  usage: readonly string[];
  options: OptionTable;
  /** More paragraphs. */
  details?: readonly string[];
  /** Exit statuses and what they mean. */
  exits?: Readonly<Record<string, string>>;
}

const HELP: OptionSpec = { about: 'display this help and exit' };

function label(key: string, { short, also = [], shortOnly, value, optional }: OptionSpec): string {
  const letters = [short, ...also.filter((name) => name.length === 1)].filter((name) => name !== undefined);
  const words = [...(shortOnly ? [] : [key]), ...also.filter((name) => name.length > 1)];
  const short_ = letters.map((name) => `-${name}`);
  const long = words.map((name) => `--${name}`);
  const text = [...short_, ...long].join(', ');
  const lead = letters.length === 0 ? '      ' : '  ';
  if (value === undefined) return lead + text;
  return lead + text + (optional ? `[=${value}]` : long.length > 0 ? `=${value}` : ` ${value}`);
}

/** Words in lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function optionLines(key: string, spec: OptionSpec): string[] {
  const head = label(key, spec);
  const lines = wrap(spec.about, WIDTH - COLUMN);
  const rest = lines.map((line) => ' '.repeat(COLUMN) + line);
  if (head.length > COLUMN - 2) return [head, ...rest];
  return [head.padEnd(COLUMN) + lines[0], ...rest.slice(1)];
}

/** The whole text of --help. */
export function helpText(
  name: string,
  { summary, usage, options, details = [], exits }: Description,
): string {
  const lines = usage.map((line, i) => `${i === 0 ? 'Usage:' : '  or: '} ${`${name} ${line}`.trimEnd()}`);
  lines.push(...wrap(`${summary[0].toUpperCase()}${summary.slice(1)}.`, WIDTH), '');
  for (const [key, spec] of Object.entries({ ...options, help: HELP })) lines.push(...optionLines(key, spec));
  for (const paragraph of details)
    lines.push('', ...paragraph.split('\n').flatMap((line) => wrap(line, WIDTH)));
  if (exits !== undefined) {
    lines.push('', 'Exit status:');
    for (const [status, meaning] of Object.entries(exits)) lines.push(`  ${status.padEnd(4)} ${meaning}`);
  }
  return `${lines.join('\n')}\n`;
}
