/**
 * What the operations of the tour cost: how often the kernel called each, and how long it took, by
 * mount, as the tracer summed them up, drawn as bars.
 */
import type { Machine } from '../../index.ts';
import { formatCount, formatNs } from '../values.ts';
import { bar } from './bars.ts';
import { check, type Scene } from './scene.ts';

/** One operation of one mount. */
interface Cost {
  count: number;
  /** ns, and the longest of them. */
  total: number;
  most: number;
}

/** Calls of each operation since boot (/proc/vops) by name, on whichever mount. */
type Counts = ReadonlyMap<string, number>;

/** Operations shown for each mount. */
const SHOWN = 8;

/** Traces the mounts there are, and those that are told of. */
export class Costs {
  readonly #machine: Machine;
  readonly #before: Counts;
  /** What each mount is called, by its number. */
  readonly #names = new Map<number, string>();
  /** Sums of each mount by operation. */
  readonly #sums = new Map<string, Map<string, Cost>>();

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#before = readCounts(machine);
    for (const { number, path, type } of this.#mounts()) this.#names.set(number, `${path} (${type})`);
    this.#switch('on all');
  }

  /** A mount was made: trace it too. */
  mounted(path: string, name: string): void {
    this.#names.set(this.#number(path) ?? 0, name);
    this.#switch(`on ${path}`);
  }

  /** A mount is about to go, and its sums with it: keep them. */
  unmounting(path: string): void {
    this.#switch(`off ${path}`);
    this.#collect(this.#number(path));
  }

  /** Switch the tracer off. */
  end(): { sums: ReadonlyMap<string, ReadonlyMap<string, Cost>>; counts: Counts } {
    this.#switch('off all');
    this.#collect();
    this.#switch('clear');
    const after = readCounts(this.#machine);
    const counts = new Map([...after].map(([name, count]) => [name, count - (this.#before.get(name) ?? 0)]));
    return { sums: this.#sums, counts };
  }

  #switch(command: string): void {
    this.#machine.fs.writeFileSync('/proc/trace', command);
  }

  #number(path: string): number | undefined {
    return this.#mounts().findLast((mount) => mount.path === path)?.number;
  }

  #mounts(): { number: number; path: string; type: string }[] {
    const lines = this.#machine.fs.readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
    return lines.map((line) => {
      const [number, , , , path, ...rest] = line.split(' ');
      return { number: Number(number), path, type: rest[rest.indexOf('-') + 1] };
    });
  }

  #collect(only?: number): void {
    const lines = this.#machine.fs.readFileSync('/proc/trace_stats', 'utf8').split('\n');
    for (const line of lines.filter((text) => text !== '')) {
      const [mount, operation, ...numbers] = line.split(' ');
      if (only !== undefined && Number(mount) !== only) continue;
      const name = this.#names.get(Number(mount)) ?? 'pipes and queues without a name';
      const [count, total, most] = numbers.map(Number);
      const sums = this.#sums.get(name) ?? new Map<string, Cost>();
      this.#sums.set(name, sums.set(operation, { count, total, most }));
    }
  }
}

function readCounts({ fs }: Machine): Counts {
  const lines = fs.readFileSync('/proc/vops', 'utf8').trim().split('\n');
  return new Map(lines.map((line) => line.split(/\s+/)).map(([name, count]) => [name, Number(count)]));
}

function sum<T>(items: Iterable<T>, value: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}

export function operationCosts({ machine, imported, costs, say }: Scene): void {
  const { sums, counts } = costs.end();
  const mounts = [...sums].map(([name, operations]) => ({
    name,
    operations: [...operations].sort(([, a], [, b]) => b.total - a.total || b.count - a.count),
    count: sum(operations.values(), ({ count }) => count),
    total: sum(operations.values(), ({ total }) => total),
  }));
  mounts.sort((a, b) => b.total - a.total || b.count - a.count);
  for (const { name, operations, count, total } of mounts) {
    say(`${name}: ${formatCount(count, 'call')}, ${formatNs(total)}`);
    draw(operations, say);
  }
  const counted = checkTraced(sums, counts);
  checkImport(readCounts(machine), imported);
  const all = sum(mounts, ({ count }) => count);
  say(
    `${formatCount(all, 'call')} on ${formatCount(mounts.length, 'mount')} traced, ${counted.toLocaleString('en')} counted by the kernel`,
  );
}

/** A line for each operation; the bar is its share of the mount's time. */
function draw(operations: readonly (readonly [string, Cost])[], say: Scene['say']): void {
  const longest = operations[0]?.[1].total ?? 0;
  const most = Math.max(...operations.map(([, { count }]) => count));
  const width = Math.max(...operations.map(([name]) => name.length));
  for (const [name, { count, total }] of operations.slice(0, SHOWN)) {
    // a virtual clock stands still in most operations
    const share = longest > 0 ? total / longest : count / most;
    const columns = [
      name.padEnd(width),
      count.toLocaleString('en').padStart(10),
      formatNs(total).padStart(7),
      `${formatNs(total / count)} each`.padStart(12),
    ];
    say(`  ${columns.join('  ')}  ${bar(share)}`);
  }
  const rest = operations.slice(SHOWN);
  if (rest.length === 0) return;
  const calls = formatCount(
    sum(rest, ([, { count }]) => count),
    'call',
  );
  say(
    `  and ${formatCount(rest.length, 'other operation')}: ${calls}, ${formatNs(sum(rest, ([, cost]) => cost.total))}`,
  );
}

/** Mounts come and go a little before and after they are traced: those calls alone may be missing. */
const UNTRACED = { share: 0.02, calls: 50 };

function checkTraced(sums: ReadonlyMap<string, ReadonlyMap<string, Cost>>, counts: Counts): number {
  let traced = 0;
  for (const [operation, counted] of counts) {
    const calls = sum(sums.values(), (operations) => operations.get(operation)?.count ?? 0);
    check(calls <= counted, `${operation} was traced ${calls} times, and counted ${counted} times`);
    traced += calls;
  }
  const counted = sum(counts.values(), (count) => count);
  check(
    traced >= counted * (1 - UNTRACED.share) - UNTRACED.calls,
    `${formatCount(counted, 'call')} were counted, and only ${traced} of them traced`,
  );
  return counted;
}

/** The counts since boot are at least those that the import must have made. */
function checkImport(statistics: Counts, imported: Scene['imported']): void {
  const least = { ncreate: 0, nsymlink: 0, nmknod: 0, nlink: 0 };
  for (const { tree } of imported.filter(({ update }) => !update)) {
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
}
