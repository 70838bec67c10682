import { compare } from './oracle.ts';

compare(
  'cat',
  (tree) => {
    tree.file('a', 'one\ntwo\n\n\n\nthree');
    tree.file('b', '\n\nfour\tfive\n');
    tree.file(
      'bytes',
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    tree.dir('d');
  },
  [
    'cat a b',
    'cat -n a b',
    'cat -b a b',
    'cat -s a b',
    'cat -sn a b',
    'cat -E a b',
    'cat -T b',
    'cat -A b bytes',
    'cat -v bytes',
    'cat -e bytes',
    'cat -t bytes',
    'cat bytes',
    'cat -bn a',
    'cat nothing a',
    'cat d',
    { line: 'cat', stdin: 'from stdin\n' },
    { line: 'cat a - b', stdin: 'from stdin\n' },
    { line: 'cat -n -', stdin: 'x' },
    'cat -z',
    'cat --number a',
    'cat --show-all a',
  ],
);

compare('mkdir, rmdir', (tree) => tree.file('f', ''), [
  'mkdir a',
  'mkdir a',
  'mkdir -v b c',
  'mkdir -p x/y/z',
  'mkdir -pv x/y/z p/q/r',
  'mkdir -m 700 m7',
  'mkdir -m u=rwx,go=rx msym',
  'mkdir -m a-w maw',
  'mkdir -m 1777 t',
  'mkdir -m +s ms',
  'mkdir -pm 711 n1/n2',
  'mkdir no/such',
  'mkdir f/x',
  'mkdir -p f/x',
  'mkdir -p f',
  'mkdir',
  'mkdir -m 9 bad',
  'mkdir -y9',
  'mkdir a/',
  'mkdir e/',
  'rmdir e/',
  'rmdir b c',
  'rmdir -v a',
  'rmdir nothing',
  'rmdir f',
  'rmdir x',
  'rmdir --ignore-fail-on-non-empty x',
  'rmdir -p x/y/z',
  'rmdir -pv p/q/r',
  'rmdir -p n1/n2 m7',
  'rmdir',
]);

compare(
  'rm',
  (tree) => {
    for (const name of ['a', 'b', 'c', "it's", '-x', 'i1', 'i2', 'i3', 'i4']) tree.file(name, name);
    tree.dir('d');
    tree.file('d/f', 'x');
    tree.dir('d/e');
    tree.dir('e');
    tree.dir('v');
    tree.dir('v/w');
    tree.file('v/w/f');
    tree.file('v/g');
    tree.link('d', 'ld');
    tree.link('nowhere', 'dang');
    tree.fifo('p');
    tree.dir('i');
    tree.file('i/x');
  },
  [
    'rm a',
    'rm a',
    'rm -f a',
    'rm -v b',
    'rm d',
    'rm -d d',
    'rm -d e',
    'rm -r d/e',
    'rm ld/',
    'rm ld dang p',
    'rm "it\'s"',
    'rm -- -x',
    'rm -x',
    'rm -rv v/w',
    'rm -rf v nothing',
    { line: 'rm -i i1', stdin: 'n\n' },
    { line: 'rm -i i1', stdin: 'y\n' },
    { line: 'rm -I i2 i3 i4 c', stdin: 'n\n' },
    { line: 'rm -ri i', stdin: 'y\ny\nn\n' },
    { line: 'rm -rI i', stdin: 'y\n' },
    'rm -r .',
    'rm -r ..',
    'rm -rf d/.',
    'rm -r /',
    'rm',
    'rm -f',
    'rm c/',
    'rm c/x',
    'rm -f c/x',
    'rm -rf d',
    'rm --nosuch',
    'rm --interactive=maybe c',
    'rm --interactive=never c',
  ],
);

compare('echo', () => {}, [
  'echo',
  'echo a  b',
  'echo -n x',
  "echo -e 'a\\tb\\nc\\0101\\x41\\c' d",
  "echo 'a\\tb'",
  "echo -E 'a\\tb'",
  'echo -nx a',
  'echo -- a',
]);
