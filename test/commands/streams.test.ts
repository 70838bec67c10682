import { compare } from './oracle.ts';

const LINES = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join('');
/** dd's and others' speeds. */
const noSpeed = (text: string) => text.replace(/copied, .*/g, 'copied');

compare(
  'head, tail',
  (tree) => {
    tree.file('lines', LINES);
    tree.file('short', 'one\ntwo');
    tree.file('empty', '');
    tree.file('zeros', 'a\0b\0c\0d');
    tree.file('big', 'x'.repeat(200_000) + LINES);
    tree.dir('d');
  },
  [
    'head lines',
    'head -n 3 lines',
    'head -3 lines',
    'head -n3 lines short',
    'head -q -n 1 lines short',
    'head -v -n 1 lines',
    'head -c 10 lines',
    'head -c 1K lines',
    'head -c -10 short lines',
    'head -n -25 lines',
    'head -n -1 short',
    'head -n -0 short',
    'head -n 0 lines',
    'head -z -n 2 zeros',
    'head empty short',
    'head nothing lines',
    'head d',
    'head -n x lines',
    'head -c x lines',
    'head -5c lines',
    'head -n 1k lines',
    { line: 'head -n 2', stdin: LINES },
    { line: 'head -n 2 - short', stdin: LINES },
    'head -n -5 big',
    'head --nosuch',
    'tail lines',
    'tail -n 3 lines',
    'tail -3 lines',
    'tail -n +28 lines',
    'tail +29 lines',
    'tail -n 0 lines',
    'tail -n +0 short',
    'tail -c 5 lines',
    'tail -c +190 lines',
    'tail -c 1K lines',
    'tail -n 1 short',
    'tail -n 2 short lines',
    'tail -q -n 1 short lines',
    'tail -v -n 1 short',
    'tail -z -n 2 zeros',
    'tail -n 40 big',
    'tail -n 29 big',
    'tail empty short',
    'tail nothing lines',
    'tail -n x lines',
    'tail d',
    { line: 'tail -n 2', stdin: LINES },
    { line: 'tail -c 3', stdin: LINES },
    { line: 'tail -n +29', stdin: LINES },
    { line: 'tail -n 2 - short', stdin: LINES },
  ],
);

compare(
  'tee, wc, cmp',
  (tree) => {
    tree.file('lines', LINES);
    tree.file('words', 'one two  three\n\tfour\nfive');
    tree.file('utf8', 'héllo wörld\n');
    tree.file('empty', '');
    tree.file('a', 'same\nline two\nx\n');
    tree.file('b', 'same\nline twO\nx\n');
    tree.file('prefix', 'same\nline');
    tree.file('prefix2', 'same\n');
    tree.dir('d');
  },
  [
    { line: 'tee out', stdin: 'text\n' },
    { line: 'tee -a out out2', stdin: 'more\n' },
    { line: 'tee', stdin: 'x' },
    { line: 'tee d no/such out3', stdin: 'x\n' },
    'wc lines',
    'wc words lines empty',
    'wc -l words',
    'wc -w words',
    'wc -c words',
    'wc -lw words',
    'wc -L words lines',
    'wc -m words',
    'wc nothing lines',
    'wc d',
    { line: 'wc', stdin: LINES },
    { line: 'wc -l', stdin: LINES },
    { line: 'wc - words', stdin: LINES },
    { line: 'wc -c', stdin: '' },
    'wc --nosuch',
    'cmp a a',
    'cmp a b',
    'cmp -l a b',
    'cmp -s a b',
    'cmp -b a b',
    'cmp -lb a b',
    'cmp a prefix',
    'cmp a prefix2',
    'cmp prefix a',
    'cmp a empty',
    'cmp empty empty',
    'cmp -n 5 a b',
    'cmp -i 13 a b',
    'cmp a nothing',
    'cmp -s a nothing',
    { line: 'cmp a', stdin: 'same\nline two\nx\n' },
    { line: 'cmp a -', stdin: 'same\nline' },
    { line: 'cmp', stderrDiffers: "diffutils puts its name before 'Try'" },
  ],
);

compare(
  'dd',
  (tree) => {
    tree.file('in', LINES);
    tree.file('out', 'o'.repeat(1000));
  },
  [
    { line: 'dd if=in of=o1', normal: noSpeed },
    { line: 'dd if=in of=o2 bs=10 count=3', normal: noSpeed },
    { line: 'dd if=in bs=7 count=2 skip=1 status=none', normal: noSpeed },
    { line: 'dd if=in of=out bs=4 count=2 seek=3 conv=notrunc', normal: noSpeed },
    { line: 'dd if=in of=out bs=4 count=2 seek=3', normal: noSpeed },
    { line: 'dd if=in of=o3 bs=1K conv=sync', normal: noSpeed },
    { line: 'dd if=in of=o4 ibs=10 obs=25', normal: noSpeed },
    { line: 'dd if=/dev/zero of=o5 bs=1M count=2', normal: noSpeed },
    { line: 'dd if=/dev/zero of=o6 bs=100 count=1 seek=1000 conv=fsync', normal: noSpeed },
    { line: 'dd if=in of=o7 conv=ucase,swab', normal: noSpeed },
    { line: 'dd if=in of=o8 oflag=append conv=notrunc', normal: noSpeed },
    { line: 'dd if=in of=o8 oflag=append conv=notrunc status=noxfer', normal: noSpeed },
    { line: 'dd if=in of=o9 iflag=count_bytes count=33 bs=10', normal: noSpeed },
    { line: 'dd if=in of=o1 conv=excl', normal: noSpeed },
    { line: 'dd if=in of=new conv=nocreat', normal: noSpeed },
    { line: 'dd bs=5 count=1', stdin: LINES, normal: noSpeed },
    { line: 'dd bs=5 skip=2 count=1', stdin: LINES, normal: noSpeed },
    'dd if=nothing',
    'dd of=no/such if=in',
    'dd foo=1',
    'dd bs=0',
    'dd conv=foo',
    'dd status=foo',
    'dd bs=x',
  ],
);

const HELLO = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
compare(
  'sums',
  (tree) => {
    tree.file('hello', 'hello\n');
    tree.file('big', 'x'.repeat(300_000));
    tree.file('back\\slash', 'x');
    tree.file('list', `${HELLO}  hello\n${HELLO}  big\n${HELLO}  nothing\nnonsense\n`);
    tree.file('good', `${HELLO}  hello\n`);
    tree.file('bsd', `SHA256 (hello) = ${HELLO}\n`);
    tree.file('none', 'nonsense\n');
    tree.dir('d');
  },
  [
    'sha256sum hello big',
    'sha256sum --tag hello',
    'sha256sum -b hello',
    "sha256sum 'back\\slash'",
    'sha256sum -z hello',
    { line: 'sha256sum', stdin: 'hello\n' },
    { line: 'sha256sum - hello', stdin: 'hello\n' },
    'sha256sum nothing d hello',
    'sha256sum -c good',
    'sha256sum -c list',
    'sha256sum -c --quiet list',
    'sha256sum -c --status list',
    'sha256sum -c --ignore-missing list',
    'sha256sum -c --strict -w list',
    'sha256sum -c bsd',
    'sha256sum -c none',
    'sha256sum -c nothing',
    'md5sum hello',
    'sha1sum hello',
    'sha224sum hello',
    'sha384sum hello',
    'sha512sum hello big',
    'md5sum -c good',
    'sha256sum --nosuch',
  ],
);

compare('printf', () => {}, [
  "printf '%s\\n' a b c",
  "printf '%s %d\\n' a 1 b 2",
  "printf '%5s|%-5s|%05d|%x|%o|%X\\n' a b 42 255 8 255",
  "printf '%.2f %e %g %G\\n' 3.14159 31415.9 0.0001 1e20",
  "printf '%c%c\\n' abc def",
  "printf '%b\\n' 'a\\tb\\n'",
  "printf '\\101\\x41\\n'",
  "printf '%d %i %u\\n' -5 +7 9",
  "printf '%+d % d %05d\\n' 5 5 -5",
  "printf '%#x %#o\\n' 255 8",
  "printf '%.3d|%8.3d|%-8d|\\n' 5 5 5",
  "printf '%*d|%.*f\\n' 5 42 2 3.14159",
  "printf '%d\\n' 0x10 010 \"'A\"",
  "printf '%d\\n' abc",
  "printf '%d\\n' 12abc",
  "printf 'no args\\n' extra",
  "printf '%%\\n'",
  "printf 'a\\cb'",
  "printf '%s'",
  'printf',
  "printf '%d\\n' ''",
  "printf '%s\\n'",
  "printf '%q\\n' 'a b' plain",
  "printf '%10.3s|\\n' abcdef",
  "printf '%z\\n' a",
]);

compare('seq, date and other small ones', (tree) => tree.file('f', 'x'), [
  'seq 5',
  'seq 2 4',
  'seq 1 2 9',
  'seq 5 -1 1',
  'seq -2 2',
  'seq 0 0.5 2',
  'seq -w 8 11',
  'seq -w -1 10',
  'seq -s , 5',
  'seq -f %03g 3',
  'seq 1.0 3',
  'seq 3 1',
  'seq 1 0 3',
  'seq x',
  'seq',
  'seq 1 2 3 4',
  'true',
  'false',
  'sleep 0',
  'sleep 0.01 0s',
  'sleep x',
  'sleep',
  'sync',
  'sync f',
  'sync nothing',
  'sync -d',
  "date -u -d '2020-02-29 12:34:56' +%Y-%m-%dT%H:%M:%S",
  'date -d @0',
  "date -d @86400.5 '+%s %N %a %A %b %B %d %e %j %U %V %W %u %w %G %g %C %y %I %l %k %p %P %D %F %T %R %r %c %x %X %n%t%%'",
  "date -d '2020-01-31 1 month' +%F",
  "date -d '2020-01-31 +2 days' +%F",
  "date -d '2020-01-31 3 weeks ago' +%F",
  "date -d '2020-03-01 yesterday' +%F",
  'date -r f',
  'date -R -d @1000000000',
  'date -Iseconds -d @1000000000',
  'date -I -d @1000000000',
  'date --iso-8601=ns -d @1000000000.5',
  "date -d @1000000000 '+%-d %_d %^a %5Y %3N %:z'",
  { line: 'date -d @1700000000', env: { TZ: 'Europe/Berlin' } },
  { line: 'date -d @1690000000', env: { TZ: 'America/New_York' } },
  { line: "date -d '2023-07-01 12:00' +%s", env: { TZ: 'Europe/Berlin' } },
  'date -d garbage',
  'date nonsense',
  'date -r nothing',
  'whoami',
  { line: 'whoami', uid: 65534 },
  { line: 'whoami', uid: 12345 },
  'tty',
  'tty -s',
  'uname -z',
  { line: 'nproc --nosuch' },
]);

compare(
  'test',
  (tree) => {
    tree.file('f', 'x', 0o644);
    tree.file('empty');
    tree.file('exe', '', 0o755);
    tree.file('suid', '', 0o4755);
    tree.file('new');
    tree.times('new', 1_700_000_000);
    tree.dir('d');
    tree.dir('sticky', 0o1777);
    tree.link('f', 'l');
    tree.link('nowhere', 'dang');
    tree.hard('f', 'f2');
    tree.fifo('p');
    tree.device('c', 'c', 1, 3);
    tree.device('b', 'b', 8, 1);
  },
  [
    ...[
      '-b b',
      '-c c',
      '-d d',
      '-e f',
      '-e dang',
      '-f f',
      '-f d',
      '-g suid',
      '-h l',
      '-L dang',
      '-k sticky',
      '-p p',
      '-r f',
      '-s f',
    ].map((e) => `test ${e}`),
    ...[
      '-s empty',
      '-S f',
      '-u suid',
      '-w f',
      '-x f',
      '-x exe',
      '-n x',
      '-z x',
      '-O f',
      '-G f',
      '-t 0',
      '-N f',
    ].map((e) => `test ${e}`),
    ...[
      'a = a',
      'a = b',
      'a != b',
      '1 -eq 01',
      '1 -lt 2',
      '2 -gt 10',
      '-1 -le 1',
      '1 -ge 1',
      '1 -ne 1',
      'f -nt new',
      'new -nt f',
      'f -ot new',
      'f -ef f2',
      'f -ef d',
      'nothing -ot f',
      'f -nt nothing',
    ].map((e) => `test ${e}`),
    ...[
      'x',
      '',
      "''",
      '-n',
      '-z',
      '!',
      '! x',
      "! ''",
      '! -e f',
      '! a = b',
      '( x )',
      "( '' )",
      '( a = a )',
      'a -a b',
      "a -a ''",
      "a -o ''",
      "'' -o ''",
    ].map((e) => `test ${e}`),
    ...[
      '-e f -a -d d',
      '-e f -a -d f -o x',
      '! -e f -o -d d',
      '( -e f -o -d f ) -a -d d',
      '! ( -e f -a -e nothing )',
      'a = a -a b = b',
      'a = b -o b = b',
      '-n = -n',
      '= = =',
      '! = !',
      '( = (',
    ].map((e) => `test ${e}`),
    ...['a -eq 1', '1 -eq x', 'a b', 'a b c', '-q f', 'a = a b', '( a', 'a = a )'].map((e) => `test ${e}`),
    { line: 'test -r f', uid: 1000 },
    { line: 'test -w f', uid: 1000 },
    { line: 'test -O f', uid: 1000 },
    '[ a = a ]',
    '[ a = b ]',
    '[ a = a',
    '[ ]',
    '[ -e f -a -e d ]',
  ],
);
