/**
 * How often each operation of the kernel was called, as bars, and whether the counts are those of
 * the work that the tour has done.
 */
import type { Machine } from '../../index.ts';
import { formatCount } from '../values.ts';
import { bar } from './bars.ts';
import { check, type Scene } from './scene.ts';

/** Calls of each operation (/proc/vops) by name. */
export type Statistics = ReadonlyMap<string, number>;

export function readStatistics(machine: Machine): Statistics {
  const lines = machine.fs.readFileSync('/proc/vops', 'utf8').trim().split('\n');
  return new Map(lines.map((line) => line.split(/\s+/)).map(([name, count]) => [name, Number(count)]));
}

export function operationCosts({ machine, imported, say }: Scene): void {
  const statistics = readStatistics(machine);
  const called = [...statistics].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const most = called[0]?.[1] ?? 0;
  const width = Math.max(...called.map(([name]) => name.length));
  for (const [name, count] of called) {
    say(`${name.padEnd(width)}  ${count.toLocaleString('en').padStart(11)}  ${bar(count / most)}`);
  }
  const least = { ncreate: 0, nsymlink: 0, nmknod: 0, nlink: 0 };
  for (const { tree } of imported) {
    const { files, symlinks, specials, links } = tree.totals;
    least.ncreate += files - links;
    least.nsymlink += symlinks;
    least.nmknod += specials;
    least.nlink += links;
  }
  for (const [name, wanted] of Object.entries(least)) {
    const count = statistics.get(name) ?? 0;
    check(
      count >= wanted,
      `${name} was counted ${formatCount(count, 'time')}, and must have been called ${wanted} times`,
    );
  }
  const sum = called.reduce((total, [, count]) => total + count, 0);
  say(`${formatCount(sum, 'call')} of ${called.length} operations since boot`);
}
