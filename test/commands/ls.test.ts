import { compare } from './oracle.ts';

/** Sizes of directories, and blocks, are the file system's business. */
const noDirSizes = (text: string) =>
  text.replace(/^total .*$/gm, 'total').replace(/^(d\S+ +\d+ +\S+ +\S+) +\d+ /gm, '$1 SIZE ');
const noLead = (text: string) =>
  noDirSizes(text)
    .replace(/^ *\d+ /gm, '')
    .replace(/^(.{10}) +(\d+) +(\S+) +(\S+) +(?=\d)/gm, '$1 $2 $3 $4 ');

compare(
  'ls',
  (tree) => {
    tree.file('plain', 'hello\n');
    tree.file('.hidden', 'x');
    tree.file('big', 'x'.repeat(123456), 0o600);
    tree.file('setuid', 'x', 0o4755);
    tree.file('setuid-no-x', 'x', 0o4644);
    tree.file('setgid', 'x', 0o2755);
    tree.file('setgid-no-x', 'x', 0o2644);
    tree.file('sticky', 'x', 0o1644);
    tree.file('exe.sh', '#!/bin/sh\n', 0o755);
    tree.file('owned', 'x', 0o640);
    tree.chown('owned', 12345, 54321);
    tree.file('back~', 'x');
    tree.file('a space', 'x');
    tree.file("it's", 'x');
    tree.file('tab\there', 'x');
    tree.file('file10.c');
    tree.file('file9.c');
    tree.link('nowhere', 'dangling');
    tree.link('plain', 'link');
    tree.link('sub', 'linkdir');
    tree.fifo('fifo');
    tree.device('null', 'c', 1, 3, 0o666);
    tree.device('disk', 'b', 8, 17, 0o660);
    tree.device('wide', 'c', 136, 200);
    tree.dir('sub');
    tree.dir('tmp', 0o1777);
    tree.dir('open', 0o777);
    tree.dir('sgid', 0o2755);
    tree.dir('empty');
    tree.file('sub/one', '1');
    tree.dir('sub/deep');
    tree.file('sub/deep/two', '22');
    tree.hard('plain', 'sub/hard');
    tree.times('plain', 1_000_000_000);
    tree.times('big', 1_500_000_000.5);
    for (const name of ['sub/deep', 'sub', 'tmp', 'open', 'sgid', 'empty', '.'])
      tree.times(name, 1_600_000_000);
  },
  [
    'ls',
    'ls -a',
    'ls -A',
    'ls -1',
    'ls -C',
    'ls -x',
    'ls -m',
    'ls -C -w 40',
    'ls -x -w 60',
    'ls -C -w0',
    'ls -w 20 sub -C',
    { line: 'ls -l', normal: noDirSizes },
    { line: 'ls -ln', normal: noDirSizes },
    { line: 'ls -ln --time-style=full-iso', normal: noDirSizes },
    { line: 'ls -lA --time-style=long-iso', normal: noDirSizes },
    'ls -a sub',
    { line: 'ls -l --time-style=iso', normal: noDirSizes },
    { line: 'ls -l --time-style=+%s', normal: noDirSizes },
    'ls -ln setuid setuid-no-x setgid setgid-no-x sticky dangling fifo null disk wide owned',
    'ls -ln null disk wide',
    'ls -l null plain big',
    'ls -lh big plain null',
    'ls -l --si big',
    'ls -s big plain',
    'ls -sh big plain',
    'ls -sC big plain exe.sh',
    'ls -lS big plain exe.sh',
    'ls -lSr big plain exe.sh',
    'ls -lt big plain exe.sh',
    'ls -tr big plain exe.sh',
    'ls -g plain',
    'ls -o plain',
    'ls -lG plain',
    'ls -go plain',
    'ls -F',
    'ls -p',
    'ls --file-type',
    { line: 'ls -lF', normal: noDirSizes },
    'ls -d sub',
    'ls -d .',
    { line: 'ls -ld linkdir', normal: noDirSizes },
    'ls linkdir',
    { line: 'ls -l linkdir', normal: noDirSizes },
    { line: 'ls -lH linkdir', normal: noDirSizes },
    { line: 'ls -lL link', normal: noDirSizes },
    'ls -R',
    { line: 'ls -lR sub', normal: noDirSizes },
    'ls -R sub plain',
    'ls sub empty',
    'ls empty',
    'ls plain sub big',
    'ls nothing',
    'ls nothing plain',
    'ls plain/',
    'ls -l dangling',
    'ls -L dangling',
    'ls -v file10.c file9.c',
    'ls -X plain exe.sh file9.c',
    'ls -r',
    'ls -B',
    'ls -I *.c',
    'ls --group-directories-first',
    'ls -Q',
    'ls -b',
    'ls -q',
    'ls -N',
    { line: 'ls --color=always', env: { TERM: 'xterm' } },
    'ls --color=always sub',
    { line: 'ls -l --color=always', normal: noDirSizes, env: { TERM: 'xterm' } },
    { line: 'ls --color=always -F plain exe.sh sub', env: { TERM: 'xterm' } },
    { line: 'ls --color=always', env: { LS_COLORS: 'di=31:*.c=32:or=33:mi=34:ex=0' } },
    'ls --color=auto plain',
    'ls --color=never sub',
    { line: 'ls -li plain sub/hard', normal: noLead },
    'ls --zero plain exe.sh',
    'ls -ltc plain exe.sh --time-style=+X',
    'ls -lu plain --time-style=long-iso',
    'ls --full-time plain',
    'ls --sort=size plain big',
    'ls --sort=none plain',
    'ls --time=atime -l plain --time-style=+%Y',
    'ls -y9',
    'ls --nosuch',
    'ls --si -l big',
    'ls --hum -l big',
    'ls --re',
    'ls --sort=foo',
    'ls --sort=s plain big',
    'ls --rec sub',
    'ls --width',
    'ls -w',
    'ls --all=x',
    'ls --color=maybe',
    'ls -- plain',
    'ls -w xx',
  ],
);
