import { type Builder, compare } from './oracle.ts';

const sorted = (text: string) => text.split('\n').sort().join('\n');

function scene(tree: Builder): void {
  tree.dir('a');
  tree.file('a/one.txt', '1');
  tree.file('a/Two.TXT', '22');
  tree.file('a/empty');
  tree.dir('a/sub');
  tree.file('a/sub/deep.c', 'x'.repeat(5000));
  tree.file('a/sub/script', '#!/bin/sh\n', 0o755);
  tree.dir('a/sub/none', 0o700);
  tree.link('one.txt', 'a/link');
  tree.link('nowhere', 'a/dang');
  tree.link('../a', 'a/sub/up');
  tree.hard('a/one.txt', 'a/hard');
  tree.fifo('a/fifo');
  tree.device('a/null', 'c', 1, 3);
  tree.file('b space', 'y');
  tree.file('suid', 'z', 0o4755);
  tree.chown('suid', 1, 2);
  tree.chown('a/empty', 12345, 54321);
  tree.times('a/one.txt', 1_500_000_000);
  tree.times('a/sub/deep.c', 1_300_000_000);
}

const unordered = (lines: readonly string[]) => lines.map((line) => ({ line, normal: sorted }));

compare('find', scene, [
  ...unordered([
    'find',
    'find a',
    'find a -print',
    'find a "b space"',
    'find a -name *.txt',
    'find a -iname *.txt',
    'find a -name "[!o]*" -type f',
    'find a -path "*sub*"',
    'find a -ipath "*SUB*"',
    'find a -regex ".*/t.*"',
    'find a -iregex ".*\\(one\\|two\\).*"',
    'find a -type d',
    'find a -type f,l',
    'find a -type l',
    'find a -type p -o -type c',
    'find a -xtype l',
    'find a -xtype f',
    'find a -lname "*no*"',
    'find a -type f -size 1',
    'find a -size +1k',
    'find a -size -2c -type f',
    'find a -size 5000c',
    'find a -empty',
    'find a -type d -empty',
    'find . -perm 755 -type f',
    'find . -perm -u+s',
    'find . -perm /6000',
    'find . -perm -4000 -o -perm 700',
    'find . -user daemon',
    'find . -group bin',
    'find . -uid 12345',
    'find . -gid +1000',
    'find . -nouser',
    'find . -nogroup',
    'find a -links 2 -type f',
    'find a -links +1 -type f',
    'find a -samefile a/hard',
    'find a -newer a/one.txt -type f',
    'find a -newermt 2015-01-01 -type f',
    'find a -mtime +1000 -type f',
    'find a -mtime -3650 -name "*.c"',
    'find a -mmin +10 -type f',
    'find a -maxdepth 1',
    'find a -mindepth 2',
    'find a -maxdepth 1 -mindepth 1 -type d',
    'find a -name sub -prune',
    'find a -name sub -prune -o -print',
    'find a -not -name "*.txt"',
    'find a ! -type d -a ! -type f',
    'find a ( -name one.txt -o -name fifo ) -print',
    'find a -type f -name o* -o -type d -name s*',
    'find a -name fifo , -name null',
    'find a -depth -type d',
    'find a -true -o -false',
    'find a -executable -type f',
    'find -L a -name deep.c -maxdepth 3',
    'find -L a/link -type f',
    'find -H a/link',
    'find a/link',
    "find a -type f -printf '%f %s %m %M %u %g %U %G %n %d %y\\n'",
    "find a -printf '%p|%P|%h|%H|%l|%Y\\n'",
    "find a -type f -printf '%T@ %TY-%Tm-%Td %TH:%TM:%TS %t\\n'",
    "find a -name one.txt -printf '[%10f] [%-10f] [%.3f] %%\\n'",
    'find a -type f -exec echo found {} ;',
    'find a -name "*.txt" -exec echo {}{} ;',
    'find a -type f -exec false ; -print',
    'find a -type f -exec test -s {} ; -print',
    'find a -type d -execdir echo {} ;',
    'find nothing a -maxdepth 0',
    'find a -maxdepth 0 -o -print',
    'find a/',
  ]),
  { line: "find a -name '*.txt' -print0", normal: (text: string) => text.split('\0').sort().join('|') },
  { line: 'find a -type d -exec echo {} +', normal: (text: string) => text.split(/\s/).sort().join(' ') },
  'find a -name one.txt -quit',
  'find a -name one.txt -print -quit',
  { line: 'find a -name script -ok echo yes {} ;', stdin: 'y\n' },
  { line: 'find a -name script -ok echo yes {} ;', stdin: 'n\n' },
  { line: 'find a -name one.txt -ls', normal: (text: string) => text.replace(/^ *\d+ +\d+ /, '') },
  'find -nosuch',
  'find a -name',
  'find a -type q',
  'find a -perm zz',
  'find a -user nosuch',
  'find a -newer nothing',
  'find a ( -name x',
  'find a -name x )',
  'find a -exec echo',
  'find a b -o',
  'find a -size x',
  'find a -maxdepth x',
  'find a -name "*.txt" -delete',
  'find a/sub -delete',
  { line: 'find a/nothing -delete' },
]);

/** Directories take room on one file system and not on another. */
compare(
  'du',
  (tree) => {
    tree.file('f', 'x'.repeat(10_000));
    tree.file('g', 'x');
    tree.hard('f', 'h');
    tree.file('empty');
    tree.link('f', 'l');
  },
  [
    'du f',
    'du f g',
    'du -h f',
    'du -b f g',
    'du -k f',
    'du -c f g h',
    'du -l -c f h',
    'du -s f',
    'du --si f',
    'du -B 512 f',
    'du -a f empty',
    'du l',
    'du -L l',
    'du -0 f',
    'du nothing f',
    'du --apparent-size f',
    'du --inodes f',
    'du -d x f',
    'du --nosuch',
  ],
);

const listed = (text: string) => sorted(text.replace(/ +(?=\d+ \d{4}-)/g, ' '));
compare(
  'tar',
  (tree) => {
    scene(tree);
    tree.dir('out');
    tree.dir('out2');
    tree.dir('out3');
    tree.dir('out4');
    tree.file('notatar', 'nonsense'.repeat(200));
    for (const name of ['a/sub/none', 'a/sub', 'a']) tree.times(name, 1_400_000_000);
    tree.file(`long-${'n'.repeat(150)}`, 'long');
  },
  [
    { line: 'tar -cf all.tar a suid', normal: sorted },
    { line: 'tar -tf all.tar', normal: sorted },
    { line: 'tar -tvf all.tar', normal: listed },
    { line: 'tar -xf all.tar -C out' },
    { line: 'tar xpf all.tar -C out2 a/sub', normal: sorted },
    { line: 'tar -xvf all.tar -C out3 --strip-components=1', normal: sorted },
    { line: 'tar czf all.tgz a', normal: sorted },
    { line: 'tar tzf all.tgz', normal: sorted },
    { line: 'tar tf all.tgz', normal: sorted },
    { line: 'tar -xzf all.tgz -C out4 --exclude=*.txt' },
    { line: 'tar -xf all.tar -O a/one.txt' },
    { line: 'tar -cvf v.tar a/sub', normal: sorted },
    { line: 'tar -xkf all.tar -C out suid' },
    { line: 'tar -cf x.tar nothing suid' },
    { line: 'tar -tf x.tar nosuch' },
    { line: 'tar -tf missing.tar' },
    { line: 'tar -tf notatar' },
    { line: 'tar -cf e.tar', stderrDiffers: 'GNU names its --usage too' },
    { line: 'tar -f e.tar', stderrDiffers: 'GNU names its --usage too' },
    { line: 'tar -ctf e.tar a', stderrDiffers: 'GNU names its --usage too' },
    { line: 'tar -xf all.tar -C nodir' },
    { line: 'tar --nosuch', stderrDiffers: 'GNU names its --usage too' },
  ],
);

compare(
  'env, xargs, timeout and others that run programs',
  (tree) => {
    tree.dir('d');
    tree.file('plain', 'x');
  },
  [
    { line: 'env', env: { A: '1' }, normal: (text: string) => sorted(text.replace(/^PATH=.*\n/gm, '')) },
    'env -i A=1 B=2',
    'env -i A=1 B=2 -u A',
    'env -u LC_ALL -u TZ -u PATH',
    'env -i /bin/echo hello',
    'env A=1 echo x',
    'env nosuchprogram',
    'env ./plain',
    'env -0 -i A=1 B=2',
    'env -C d pwd',
    'env -C nothing pwd',
    'env --nosuch',
    { line: 'xargs', stdin: 'a b\nc\n' },
    { line: 'xargs echo x', stdin: 'a \'b c\' "d e" f\\ g\n' },
    { line: 'xargs -n 2 echo', stdin: 'a b c d e\n' },
    { line: 'xargs -n1', stdin: 'a b\n' },
    { line: 'xargs -L 1 echo', stdin: 'a b\nc d\n\ne\n' },
    { line: 'xargs -I {} echo [{}] {}', stdin: 'a b\n c d \ne\n' },
    { line: 'xargs -0 echo', stdin: 'a b\0c\n\0' },
    { line: 'xargs -d , echo', stdin: 'a,b c,d' },
    { line: 'xargs -r echo none', stdin: '' },
    { line: 'xargs echo none', stdin: '' },
    { line: 'xargs -t echo', stdin: 'a b' },
    { line: 'xargs -P 2 -n 1 true', stdin: 'a b c' },
    { line: 'xargs -E END echo', stdin: 'a b END c' },
    { line: 'xargs -s 20 echo', stdin: 'aaaa bbbb cccc dddd' },
    { line: 'xargs false', stdin: 'a' },
    { line: 'xargs nosuchprogram', stdin: 'a' },
    { line: 'xargs -a plain echo' },
    { line: 'xargs echo', stdin: "it's" },
    { line: 'xargs -n x echo', stdin: 'a' },
    { line: 'xargs -n 0 echo', stdin: 'a' },
    { line: 'xargs cat', stdin: 'plain' },
    'timeout 5 echo hi',
    'timeout 0.05 sleep 5',
    'timeout -s KILL 0.05 sleep 5',
    'timeout --preserve-status 0.05 sleep 5',
    'timeout -v 0.05 sleep 5',
    'timeout 1 false',
    'timeout 0 true',
    'timeout 1 nosuchprogram',
    'timeout 1 ./plain',
    'timeout x true',
    { line: 'timeout 1', stderrDiffers: 'GNU does not say what is missing' },
    'timeout -s NOSUCH 1 true',
    'nohup true',
    'nohup',
    'nohup nosuchprogram',
    'chroot',
    'chroot nothing true',
    { line: 'chroot . true', uid: 1000 },
    'flock plain echo locked',
    'flock -n plain echo locked',
    'flock -x plain false',
    'flock -s d true',
    { line: 'kill', stderrDiffers: "the host's kill is procps'" },
    'kill -l 9',
    'kill -l TERM',
    { line: 'kill -l', normal: (text: string) => text.replace('POLL', 'IO').split(/\s+/).join(' ').trim() },
    'kill -0 999999',
    { line: 'kill x', stderrDiffers: "the host's kill is procps'" },
    { line: 'kill -NOSUCH 1', stderrDiffers: "the host's kill is procps'" },
    { line: 'kill -s 99 1', stderrDiffers: "the host's kill is procps'" },
    'id',
    'id -u',
    'id -un',
    'id -g',
    'id -gn',
    'id -G',
    'id -Gn',
    'id -r',
    'id -ug',
    'id daemon',
    'id -u daemon',
    'id nosuch',
    { line: 'id', uid: 65534 },
    { line: 'id -u', uid: 12345 },
    'sleep 0 x',
  ],
);
