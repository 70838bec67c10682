/** The rows measured through mounts as a section of docs/benchmarks.md. */
import { formatRatio, formatValue } from '../../../host/bench/report.ts';
import { MOUNT_CONTESTANTS, MOUNT_OPS, MOUNT_TITLES, type MountKind, type MountResult } from './types.ts';

const HEADING = '## Mounted on Linux';
/** How many times as fast as the pass-through, at least. */
export const MOUNT_BUDGETS: Readonly<Record<MountKind, number>> = { names: 1, data: 0.6 };

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...lines.map(row)].join('\n');
}

/** The section's text, its heading first. */
export function mountSection(result: MountResult): string {
  const { skipped, machine, node } = result;
  if (skipped !== undefined) return `${HEADING}\n\nNot measured in the last run: ${skipped}.\n`;
  const { rows, rounds, tree, fioBytes, missing, quick } = result;
  const lines = rows.map((measured) => [
    `\`${measured.op}\``,
    measured.unit,
    ...MOUNT_CONTESTANTS.map((name) => {
      const [value, spread, speed] = [measured[name], measured.spread[name], measured.speed[name]];
      if (value === null || spread === null) return '';
      const times = speed === null || name === 'passthrough' ? '' : ` (${formatRatio(speed)})`;
      return `${formatValue(value)}${times}<br><sub>${formatValue(spread[0])} – ${formatValue(spread[1])}</sub>`;
    }),
  ]);
  const verdicts = rows.flatMap(({ op, speed }) =>
    (['ext4', 'tmpfs'] as const).map((name) => {
      const budget = MOUNT_BUDGETS[MOUNT_OPS[op].kind];
      const measured = speed[name];
      return [
        `\`${op}\`: ${MOUNT_TITLES[name]}, over the pass-through`,
        `at least ${budget}×`,
        measured === null ? 'not in this run' : formatRatio(measured),
        measured === null ? '' : measured >= budget ? 'yes' : '**no**',
      ];
    }),
  );
  const absent = Object.entries(missing).map(([name, why]) => `Not there: ${name} (${why}).\n\n`);
  return `${HEADING}

\`make bench ONLY=fuse\` measures these alone and replaces this section; \`QUICK=1\` does it in a minute. Measured on: \
${machine.cpu}, ${machine.cpus} CPUs, ${machine.platform}, Node ${node}; ${quick ? 'a quick run' : 'a full run'} of ${rounds} round${rounds === 1 ? '' : 's'}.

\`damselfly mount\` of an ext4 image (in a file of the host's tmpfs) and of a tmpfs; a pass-through FUSE over a
directory of the host's tmpfs by Node's fs calls (\`test/bench/fuse\`), which speaks the protocol by the same code, in the
same two threads, with the same flags and timeouts; and the host's own ext4 on a loop device over a file of the same tmpfs.
\`tree_*\`: tar unpacks ${tree.files.toLocaleString('en')} files of at most 8 KiB in ${tree.directories.toLocaleString('en')} directories, find looks at every one after Linux's
caches were dropped and again, rm removes them. \`fio_*\`: O_DIRECT in a file of ${formatValue(fioBytes / 2 ** 20)} MiB, one job or four. \`dbench_*\`:
its own load, one client or four. In brackets how many times as fast as the pass-through, the median of the ratios within
each round; beneath, lowest and highest.

${absent.join('')}${table(['row', 'unit', ...MOUNT_CONTESTANTS.map((name) => MOUNT_TITLES[name])], lines)}

${table(['what', 'budget', 'measured', 'met'], verdicts)}
`.replaceAll('\\\n', '');
}

/** The document with this section instead of the one that it has, or at its end. */
export function withSection(document: string, section: string): string {
  const from = document.indexOf(`${HEADING}\n`);
  if (from < 0) return `${document.trimEnd()}\n\n${section}`;
  const next = document.indexOf('\n## ', from + HEADING.length);
  const rest = next < 0 ? '' : document.slice(next);
  return `${document.slice(0, from)}${section}${rest}`;
}
