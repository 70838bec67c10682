import { compare } from './oracle.ts';

/** Sizes of directories (of two or three digits in this tree) are the file system's business. */
const noDirSizes = (text: string) => text.replace(/\[(d\S{9})? +\d{2,3}\]/g, '[$1 SIZE]');
const env = { LC_ALL: 'C.UTF-8' };

compare(
  'tree',
  (tree) => {
    tree.dir('a');
    tree.dir('a/b');
    tree.dir('a/b/c');
    tree.file('a/b/c/deep', 'x'.repeat(5000));
    tree.file('a/x y', 'hello');
    tree.file('a/.hidden');
    tree.dir('.dot');
    tree.file('.dot/in');
    tree.link('a/x y', 'link');
    tree.link('nowhere', 'dangling');
    tree.link('a', 'linkdir');
    tree.fifo('a/fifo');
    tree.file('z', 'x'.repeat(123456), 0o4755);
    tree.dir('empty');
  },
  [
    ...[
      'tree',
      'tree .',
      'tree empty',
      'tree a empty',
      'tree -a',
      'tree -d',
      'tree -L 1',
      'tree -L 2 -a',
    ].map((line) => ({
      line,
      env,
    })),
    ...['tree -f', 'tree -i', 'tree -fi a', 'tree --noreport a', 'tree linkdir', 'tree a/'].map((line) => ({
      line,
      env,
    })),
    ...['tree -p a', 'tree -s a/b/c', 'tree -ps a', 'tree -h a', 'tree -ph a'].map((line) => ({
      line,
      env,
      normal: noDirSizes,
    })),
    { line: 'tree nowhere', env },
    { line: 'tree -L 0', env, stderrDiffers: 'the hint at --help' },
  ],
);
