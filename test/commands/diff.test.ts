/** diff beside the host's. */
import { compare } from './oracle.ts';

/** Of what is made while the test runs. */
const timeless = (text: string) =>
  text.replace(/\t\d{4}-\d\d-\d\d .*/g, '\tTIME').replace(/\t\w{3} \w{3} .*/g, '\tTIME');

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

compare(
  'diff',
  (tree) => {
    tree.file('one', 'a\nb\nc\n');
    tree.file('two', 'a\nB\nc\nd\n');
    tree.file('same', 'a\nb\nc\n');
    tree.file('empty', '');
    tree.file('open', 'a\nb\nc');
    tree.file('long', numbers(1, 60));
    tree.file(
      'longer',
      numbers(1, 60).replace('\n5\n', '\nfive\n').replace('\n13\n', '\n').replace('\n40\n', '\n40\nforty\n'),
    );
    tree.file('spaces', 'a  b\n c\nd \n\n\ne\n');
    tree.file('tabs', 'a\tb\nc\nd\n\ne\n');
    tree.file('upper', 'A\nb\nC\n');
    tree.file('binary', Uint8Array.from([0, 1, 2]));
    tree.file('binary2', Uint8Array.from([0, 1, 3]));
    tree.file('latin', Uint8Array.from([0xe9, 10, 97, 10]));
    tree.file('crlf', 'a\r\nb\r\nc\r\n');
    tree.file('a name', 'x\n');
    tree.file('twice', 'x\na\nb\na\nb\ny\n');
    tree.file('once', 'x\na\nb\ny\n');
    tree.file(
      'code',
      'int first(void)\n{\n  1;\n  2;\n  3;\n  4;\n  5;\n}\n\nint second(void)\n{\n  1;\n  2;\n  3;\n  4;\n  5;\n}\n',
    );
    tree.file(
      'code2',
      'int first(void)\n{\n  1;\n  2;\n  3;\n  4;\n  5;\n}\n\nint second(void)\n{\n  1;\n  2;\n  3;\n  4;\n  six;\n}\n',
    );
    for (const side of ['d', 'e']) {
      tree.dir(side);
      tree.dir(`${side}/sub`);
      tree.file(`${side}/same`, 'same\n');
      tree.file(`${side}/file`, `in ${side}\n`);
      tree.file(`${side}/sub/deep`, `deep in ${side}\n`);
      tree.file(`${side}/only-${side}`, 'lonely\n');
    }
    tree.dir('e/more');
    tree.file('e/more/file', 'more\n');
    tree.file('d/kind', 'x\n');
    tree.dir('e/kind');
    tree.file('d/b.o', Uint8Array.from([0, 1]));
    tree.file('e/b.o', Uint8Array.from([0, 2]));
    tree.file("d/it's", 'a\n');
    tree.file("e/it's", 'b\n');
    tree.file('e/one', 'other\n');
    tree.link('nowhere', 'd/dangling');
  },
  [
    'diff one two',
    'diff one same',
    'diff -u one two',
    'diff -c one two',
    'diff --normal one two',
    'diff -q one two',
    'diff -q one same',
    'diff -s one same',
    'diff --brief -s one same',
    'diff one empty',
    'diff empty one',
    'diff -u one empty',
    'diff -u empty one',
    'diff -c empty one',
    'diff one open',
    'diff -u open one',
    'diff -c open two',
    'diff -b open one',
    'diff -u open two',
    'diff -u long longer',
    'diff -c long longer',
    'diff long longer',
    'diff -U 1 long longer',
    'diff -U0 long longer',
    'diff -C 1 long longer',
    'diff --unified=5 long longer',
    'diff --unified longer long',
    'diff -u twice once',
    'diff once twice',
    'diff spaces tabs',
    'diff -b spaces tabs',
    'diff -w spaces tabs',
    'diff -Z spaces tabs',
    'diff -E spaces tabs',
    'diff -B spaces tabs',
    'diff -bB spaces tabs',
    'diff -wB spaces tabs',
    'diff -uB spaces tabs',
    'diff one upper',
    'diff -i one upper',
    'diff -u -i two upper',
    'diff --strip-trailing-cr one crlf',
    'diff one crlf',
    'diff -I "^[bB]" one two',
    'diff -u -I "^[bB]" one two',
    'diff -I "^[bBd]" one two',
    'diff binary binary2',
    'diff binary one',
    'diff -q binary binary2',
    'diff -a binary binary2',
    'diff -u latin one',
    'diff -up code code2',
    'diff -p code code2',
    'diff -u -F "^int f" code code2',
    'diff -u -T one two',
    'diff -u --label x --label y one two',
    'diff -u -L x one two',
    'diff -u "a name" one',
    'diff d e',
    'diff -r d e',
    'diff -ru d e',
    'diff -rq d e',
    'diff -rN d e',
    'diff -u -r -N d e',
    'diff -rP d e',
    'diff -rs d e',
    'diff -r -x sub -x "only*" d e',
    'diff -r d d',
    'diff -q -r d e',
    'diff one e',
    'diff e one',
    'diff one d',
    'diff one nothing',
    'diff nothing nowhere',
    { line: 'diff -N -u one nothing' },
    'diff -N nothing nowhere',
    { line: 'diff one -', stdin: 'a\nx\n' },
    { line: 'diff -u - one', stdin: 'a\nx\n', normal: timeless },
    { line: 'diff - -', stdin: 'a\nx\n' },
    { line: 'diff -u -N nothing one' },
    'diff one',
    'diff',
    'diff one two three',
    'diff -u -c one two',
    'diff -U x one two',
    'diff --nosuch one two',
    'diff - d',
    'cmp',
    'cmp --nosuch one two',
  ],
);

/** Pairs of files that differ at random: few distinct lines, so that much is alike. */
function scattered(seed: number): [string, string] {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below;
  };
  const lines = Array.from({ length: 40 + next(40) }, () => `line ${next(25)} ${next(4)}\n`);
  const other = lines.flatMap((line) => {
    const chance = next(20);
    return chance === 0
      ? []
      : chance === 1
        ? [line, `new ${next(9)}\n`]
        : chance === 2
          ? [`other ${next(9)}\n`]
          : [line];
  });
  return [lines.join(''), other.join('')];
}

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

compare(
  'diff of files that differ at random',
  (tree) => {
    for (const seed of SEEDS) {
      const [first, second] = scattered(seed);
      tree.file(`a${seed}`, first);
      tree.file(`b${seed}`, second);
    }
  },
  SEEDS.flatMap((seed) => [
    `diff a${seed} b${seed}`,
    `diff -u b${seed} a${seed}`,
    `diff -c a${seed} b${seed}`,
  ]),
);
