/**
 * Where a file of the host has data. Node has no lseek; Perl, which every Debian has, can ask. Worth a process
 * for files with large holes only.
 */
import { spawn } from 'node:child_process';

const ASK = `
my $path = do { local $/; <STDIN> };
open(my $file, '<', $path) or exit 1;
for (my $at = 0; defined(my $from = sysseek($file, $at, 3)); ) {
  $at = sysseek($file, $from, 4);
  defined $at or exit 1;
  printf "%d %d\\n", $from, $at;
}
print "end\\n";
`;

/** @returns the ranges, ascending; undefined: nobody can tell */
export function dataRanges(path: Buffer): Promise<[number, number][] | undefined> {
  return new Promise((resolve) => {
    const child = spawn('perl', ['-e', ASK], { stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    child.once('error', () => resolve(undefined));
    child.once('close', () => {
      const ranges = [...text.matchAll(/^(\d+) (\d+)$/gm)].map(([, from, to]): [number, number] => [
        Number(from),
        Number(to),
      ]);
      resolve(text.endsWith('end\n') ? ranges : undefined);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(path);
  });
}
