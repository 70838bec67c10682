/** awk's printf beside the host's, in each way that a program may have it. */
import { compare } from './oracle.ts';

const NUMBERS = [
  '3.14159',
  '-2.5',
  '0',
  '42',
  '1e10',
  '0.0001',
  '1e-10',
  '123456789',
  '2.25',
  '2.35',
  '99.995',
];
const FORMATS = [
  ...['%05.2f', '%8.3f', '%-8.1f|', '%+.2f', '% f', '%.0f', '%#.0f', '%08.3f', '%+08.1f', '%f', '%.1f'],
  ...['%e', '%E', '%12.3e', '%012.3e', '%.4e', '%g', '%G', '%.3g', '%#g', '%10g', '%-10g|', '%.10g'],
  ...[
    '%d',
    '%+d',
    '%i',
    '%5d',
    '%-5d|',
    '%05d',
    '%.5d',
    '%+.5d',
    '% d',
    '%x',
    '%X',
    '%#x',
    '%o',
    '%#o',
    '%u',
    '%8.3d',
  ],
  ...['%s', '%5s', '%-5s|', '%.2s', '%%'],
];

const q = (program: string, files = '') => `awk '${program}'${files}`;
const perLine = (format: string) => ({
  line: q(`{ printf "${format}\\n", $1 + 0 }`),
  stdin: NUMBERS.filter(
    (n) => !(/[xXou]$/.test(format) && n.startsWith('-')) && !(/[dixXous]\|?$/.test(format) && n === '1e10'),
  ).join('\n'),
});

compare(
  'awk printf',
  (tree) => {
    tree.file('rows', 'a 1 2.5\nb 20 3.75\nc 300 -1\n');
    tree.file(
      'program',
      'function f(x) { return sprintf("%06.2f", x) } # printf "%e"\n{ print f($3) / 1 / 2, f($2); printf("%-4s%e\\n", $1, $2) }\n',
    );
    tree.file('more', 'END { printf "%08.3f\\n", NR }\n');
  },
  [
    ...FORMATS.map(perLine),
    q('BEGIN { printf "%c%c\\n", 65, "hello" }'),
    q('BEGIN { printf "%*d|%-*d|%.*f|%*s\\n", 6, 42, 6, 42, 2, 3.14159, 5, "ab" }'),
    q('{ printf "%-5s%05.1f %s\\n", $1, $3, $2 }', ' rows'),
    q('{ printf("%-5s%05.1f\\n", $1, $3) }', ' rows'),
    q('{ printf("%05.1f", ($2 + 1) * 2); print "" }', ' rows'),
    q('{ printf "%05.1f\\n", ($2 > 1) }', ' rows'),
    q(
      '{ printf "%05.1f\\n", $3 > "out" } END { close("out"); while ((getline line < "out") > 0) print "<" line ">" }',
      ' rows',
    ),
    q('{ printf("%05.1f\\n", $3) >> "out2" }', ' rows'),
    'cat out out2',
    q('{ x = sprintf("%e", $2); y = sprintf("%05.2f%%", $3) ; print x, y }', ' rows'),
    q('$2 > 10 && /b|c/ { printf "%g\\n", $2 / 3 / 2 }', ' rows'),
    q('BEGIN { printf "%s %e\\n", "a # b; printf", 1 # printf "%e", 2\n}'),
    q('BEGIN { printf "%s-%g\\n",\n "x",\n 0.5; print "done" }'),
    q('BEGIN { if (1) printf "%g\\n", 1e6; else printf "%g\\n", 1e7 }'),
    q('function p(a, b) { printf "%05.2f:%s\\n", a, b } BEGIN { p(1.5, "/") ; p(2, "x/y") }'),
    q('BEGIN { f = "%05.2f %s\\n"; printf f, 2, "x"; printf "plain\\n"; printf("%e\\n", 1) }'),
    `awk -v fmt=%07.3f '{ printf fmt, $3; print "" }' rows`,
    'awk -f program rows',
    'awk -f program -f more rows',
    'awk -f ./more rows',
    'awk -fmore -v x=1 rows',
    { line: 'awk -f - rows', stdin: '{ printf "%e\\n", $2 }' },
    { line: 'awk -f nothing rows', stderrDiffers: 'mawk has words of its own' },
    "awk -F 1 -- '{ print $1 }' rows",
  ],
);
