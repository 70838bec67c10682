import { compare } from './oracle.ts';

/** Directories list their entries in an order of their own. */
const sorted = (text: string) => text.split('\n').sort().join('\n');

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

compare(
  'cp',
  (tree) => {
    tree.file('a', 'alpha\n', 0o640);
    tree.file('b', 'beta\n', 0o4755);
    tree.file('ro', 'ro', 0o444);
    tree.dir('d', 0o750);
    tree.file('d/x', 'x');
    tree.dir('d/sub', 0o2775);
    tree.file('d/sub/y', 'yy', 0o600);
    tree.link('../a', 'd/la');
    tree.link('nowhere', 'd/dang');
    tree.hard('d/x', 'd/x2');
    tree.fifo('d/fifo');
    tree.device('d/null', 'c', 1, 3, 0o666);
    tree.chown('d/x', 1000, 1001);
    tree.chown('d/la', 1000, 1001);
    tree.times('d/sub', 1_500_000_000);
    tree.link('a', 'la');
    tree.link('d', 'ld');
    tree.link('nowhere', 'dang');
    tree.dir('t');
    tree.dir('full');
    tree.file('full/a', 'old');
    tree.dir('full/d');
    tree.file('f');
    tree.times('d', 1_500_000_000);
  },
  [
    'cp a a2',
    'cp -v a a3',
    'cp a t',
    'cp -v a b t',
    'cp a b',
    'cp b t/bb',
    'cp -p b t/bp',
    'cp --preserve=timestamps b t/bt',
    'cp -p --no-preserve=mode b t/bnm',
    'cp a a',
    'cp a ./a',
    'cp la a',
    'cp a la',
    'cp d t',
    'cp -r d t/d1',
    'cp -a d t/d2',
    { line: 'cp -rv d t/d3', normal: sorted },
    'cp -rL d t/d4',
    'cp -rp d t/d5',
    'cp -dR d t/d6',
    'cp -r ld t/ld1',
    'cp -rH ld t/ld2',
    'cp -P la t/la',
    'cp la t/lac',
    'cp -d dang t',
    'cp dang t/x',
    'cp a dang',
    'cp -f a ro',
    'cp nothing t',
    'cp nothing a t',
    'cp a b f',
    'cp a b nodir',
    'cp a no/such',
    'cp -r d d/inside',
    'cp -r d d',
    'cp -r d f',
    'cp a full/d',
    'cp -T a full/d',
    'cp -T a full/a',
    'cp -t full b ro',
    'cp -t f b',
    'cp -t nodir b',
    'cp -n b full/a',
    'cp -u a full/a',
    { line: 'cp -i b full/a', stdin: 'n\n' },
    { line: 'cp -i b full/a', stdin: 'y\n' },
    'cp -l a hard',
    'cp -l a hard',
    'cp -s a sym',
    'cp -s a sym',
    { line: 'cp -rl d t/d7', normal: sorted },
    'cp -r d/. t/dot',
    'cp -a d/sub/ t/slash',
    'cp a t/newdir/',
    'cp',
    'cp a',
    'cp -T a b c',
    'cp --preserve=foo a b',
    'cp -rT d t/d1',
    'cp a d/x d/sub/y full',
    'cp full/a a full',
    'cp -r d/fifo t/fifo2',
    'cp -r d/null t/null2',
    { line: 'cp a t/perm', uid: 1000 },
    { line: 'cp d/sub/y /tmp/nope', uid: 1000 },
  ],
);

compare(
  'mv',
  (tree) => {
    for (const name of ['a', 'b', 'c', 'e', 'ro']) tree.file(name, name);
    tree.chmod('ro', 0o444);
    tree.dir('d');
    tree.file('d/x', 'x');
    tree.dir('d/sub');
    tree.dir('t');
    tree.dir('full');
    tree.dir('full/d');
    tree.file('full/d/y');
    tree.file('f', 'f');
    tree.link('a', 'la');
    tree.hard('e', 'e2');
  },
  [
    'mv a a2',
    'mv -v a2 a',
    'mv a b t',
    'mv -v t/a t/b .',
    'mv a a',
    'mv nothing t',
    'mv d d/sub',
    'mv d full',
    'mv -T d full',
    'mv d f',
    'mv f full/d',
    'mv -T f full/d',
    'mv -n a b',
    { line: 'mv -i a b', stdin: 'n\n' },
    { line: 'mv -i a b', stdin: 'y\n' },
    'mv la b',
    'mv e e2',
    'mv b c nodir',
    'mv b c f',
    'mv -t t b c',
    'mv -t t nothing',
    'mv d newd',
    'mv newd/ newd2',
    'mv f no/such',
    'mv f/ x',
    'mv',
    'mv f',
    'mv -u f t/c',
    'mv --nosuch',
    'mv newd2 t/',
  ],
);

compare(
  'ln',
  (tree) => {
    tree.file('a', 'a');
    tree.file('b', 'b');
    tree.dir('d');
    tree.dir('d/e');
    tree.link('d', 'ld');
    tree.link('a', 'la');
    tree.link('nowhere', 'dang');
  },
  [
    'ln a h',
    'ln a h',
    'ln -v a h2',
    'ln -s a s',
    'ln -s a s',
    'ln -sf b s',
    'ln -sv a s2',
    'ln -s ../a d',
    'ln d hd',
    'ln nothing x',
    'ln -f a h',
    'ln -f a a',
    'ln -sfn a ld',
    'ln -s x y z',
    'ln -st d b',
    'ln -sr a d/e/rel',
    'ln -sr d/e rel2',
    'ln -T a d',
    'ln -sT a d',
    'ln la hla',
    'ln -L la hla2',
    'ln dang hdang',
    'ln',
    'ln -s',
    'ln -s d/e/up',
    { line: 'ln -i a h2', stdin: 'n\n' },
    { line: 'ln -si b s2', stdin: 'y\n' },
    'ln -s a no/such',
    'ln a no/such',
  ],
);

compare(
  'mkfifo, mknod',
  (tree) => {
    tree.file('f');
  },
  [
    'mkfifo p',
    'mkfifo p',
    'mkfifo -m 600 p2 p3',
    'mkfifo -m a=rw p4',
    'mkfifo -m 4755 p5',
    'mkfifo -m zz p5',
    'mkfifo no/such',
    'mkfifo',
    'mknod n p',
    'mknod c c 1 3',
    'mknod b b 8 1',
    'mknod -m 666 z c 1 5',
    'mknod c c 1 3',
    'mknod',
    'mknod x',
    'mknod x c',
    'mknod x c 1',
    'mknod x p 1 2',
    'mknod x q 1 2',
    'mknod x c foo 1',
    'mknod x c 1 foo',
    'mknod x c 1 2 3',
  ],
);

compare(
  'touch',
  (tree) => {
    tree.file('f', 'x');
    tree.file('ref', 'x');
    tree.times('ref', 1_400_000_000);
    tree.link('f', 'l');
    tree.link('made', 'dang');
    tree.dir('d');
  },
  [
    'touch new',
    'touch -c no',
    'touch -d 2020-01-02 f',
    "touch -d '2020-01-02 03:04:05' f",
    "touch -d '2020-01-02 03:04:05.123456789' f",
    'touch -d 2020-01-02T03:04:05Z f',
    "touch -d '2020-01-02 03:04:05 +0200' f",
    'touch -d @1234567890 f',
    'touch -t 202001020304 f',
    'touch -t 202001020304.05 f',
    'touch -t 2001020304 f',
    'touch -r ref f',
    "touch -r ref -d '1 day ago' f",
    "touch -r ref -d '+2 hours' f",
    "touch -r ref -d 'next month' f",
    'touch -a -d 2000-01-01 f',
    'touch -m -d 2000-01-01 f',
    'touch --time=mtime -d 2001-01-01 f',
    'touch -d 2002-01-01 l',
    'touch -h -d 2003-01-01 l',
    'touch dang',
    'touch -d 2004-01-01 d',
    'touch no/such',
    'touch f/x',
    'touch -d garbage f',
    'touch -t 99 f',
    'touch -t 202013010000 f',
    'touch -r nothing f',
    'touch',
    'touch -t 202001020304 -r ref f',
    { line: 'touch f', uid: 1000 },
    { line: 'touch -d 2020-01-01 f', uid: 1000 },
  ],
);

compare(
  'chmod',
  (tree) => {
    tree.file('f', '', 0o644);
    tree.file('x', '', 0o755);
    tree.dir('d');
    tree.file('d/f', '', 0o600);
    tree.dir('d/e', 0o2755);
    tree.link('f', 'l');
    tree.link('nowhere', 'dang');
    tree.link('../f', 'd/l');
  },
  [
    'chmod 600 f',
    'chmod -v 644 f',
    'chmod -v 644 f',
    'chmod -c 644 f',
    'chmod -c u+x f',
    'chmod a-x f',
    'chmod +x f',
    'chmod -x f',
    'chmod -w f',
    'chmod u+w,g=u,o= f',
    'chmod u=rwxs,g+s,+t f',
    'chmod g-s,u-s,-t f',
    'chmod 4755 f',
    'chmod u=g f',
    'chmod o=u-w f',
    'chmod a=r f',
    'chmod go-r,u+w f',
    'chmod =  f',
    'chmod ug+rw,o+X f',
    'chmod a+X x d',
    'chmod -R u+X,go-w d',
    { line: 'chmod -Rv 755 d', normal: sorted },
    'chmod -R 700 d',
    'chmod 0755 d/e',
    'chmod 00755 d/e',
    'chmod u+s,g+s d/e',
    'chmod 755 d/e',
    'chmod =r d/e',
    'chmod u=rwx,go=rx d/e',
    'chmod 600 l',
    'chmod 600 dang',
    'chmod 600 nothing',
    'chmod -f 600 nothing',
    'chmod --reference=x f',
    'chmod --reference=nothing f',
    'chmod zz f',
    'chmod 999 f',
    'chmod 77777 f',
    'chmod',
    'chmod 755',
    'chmod -v -w,+x f',
    'chmod -- -r f',
    { line: 'chmod 600 f', uid: 1000 },
    { line: 'chmod -v 600 f', uid: 1000 },
  ],
);

compare(
  'chown, chgrp',
  (tree) => {
    tree.file('f');
    tree.file('s', '', 0o6755);
    tree.dir('d');
    tree.file('d/f');
    tree.link('f', 'l');
    tree.link('nowhere', 'dang');
    tree.link('../f', 'd/l');
  },
  [
    'chown 1000 f',
    'chown -v 1001:1002 f',
    'chown -v 1001:1002 f',
    'chown -c root: f',
    'chown :daemon f',
    'chown daemon f',
    'chown -v daemon:bin f',
    'chown -v :root f',
    'chown 5 s',
    'chown 7 l',
    'chown -h 8 l',
    'chown 7 dang',
    'chown -h 7 dang',
    'chown -R 9:9 d',
    { line: 'chown -Rv 10 d', normal: sorted },
    'chown -RL 11 d',
    'chown --from=11 12 d',
    'chown --from=99 13 d',
    'chown --reference=f s',
    'chown nosuch f',
    'chown root:nosuch f',
    'chown 1000: f',
    'chown 1 nothing',
    'chown',
    'chown 1',
    'chgrp bin f',
    'chgrp -v daemon f',
    'chgrp -c daemon f',
    'chgrp nosuch f',
    'chgrp -R 77 d',
    'chgrp 77',
    { line: 'chown 1000 f', uid: 1000 },
    { line: 'chgrp 5 f', uid: 1000 },
  ],
);

compare(
  'names',
  (tree) => {
    tree.dir('d');
    tree.file('d/f');
    tree.link('d/f', 'l');
    tree.link('d', 'ld');
    tree.link('nowhere', 'dang');
    tree.link('loop2', 'loop1');
    tree.link('loop1', 'loop2');
  },
  [
    'basename /a/b/c',
    'basename /a/b/c.txt .txt',
    'basename a/',
    'basename /',
    'basename //',
    'basename .txt .txt',
    'basename -a a/b c/d',
    'basename -s .c a.c b/b.c',
    'basename -az x/y z',
    'basename',
    'basename a b c',
    'dirname /a/b',
    'dirname a',
    'dirname a/b/ /x / // a//b',
    'dirname -z a/b',
    'dirname',
    'readlink l',
    'readlink d',
    'readlink nothing',
    'readlink -v nothing',
    'readlink -v d',
    'readlink -n l',
    'readlink -f l',
    'readlink -f ld/f',
    'readlink -f ld/new',
    'readlink -f no/such',
    'readlink -e dang',
    'readlink -f dang',
    'readlink -m no/such/../x',
    'readlink -e l ld',
    'readlink -f loop1',
    'readlink -vf loop1',
    'readlink -ve d/f/',
    'readlink',
    'realpath l',
    'realpath ld/f',
    'realpath nothing',
    'realpath no/such',
    'realpath -e nothing',
    'realpath -m no/such',
    'realpath -s ld/f',
    'realpath --relative-to=d l',
    'realpath --relative-to=. d/f',
    'realpath d/../ld/..',
    'realpath -L ld/..',
    'realpath loop1',
    'realpath',
    'pwd',
    'pwd -P',
    'mktemp -u no/X',
    'mktemp noX',
    'mktemp -d no/XXXX',
    'mktemp a b',
  ],
);

compare(
  'stat',
  (tree) => {
    tree.file('f', 'hello\n', 0o644);
    tree.file('empty', '');
    tree.file('s', 'x', 0o6755);
    tree.link('f', 'l');
    tree.link('nowhere', 'dang');
    tree.fifo('p');
    tree.device('c', 'c', 1, 3);
    tree.dir('d', 0o1777);
    tree.file('a b');
  },
  [
    "stat -c '%n %a %A %f %F %g %G %h %s %t %T %u %U %r %R %B %o' f s l p c empty",
    "stat -c '%N' f l dang 'a b'",
    "stat -c '%y %Y' f",
    "stat -c '%.3Y %.Y %10s| %-10s| %010s| %#a' f",
    "stat -c '%b' f empty",
    "stat -c '%a %A %F' d",
    "stat -Lc '%n %s' l",
    "stat --printf '%n\\t%s\\n' f s",
    "stat -c '%%|%q' f",
    'stat nothing',
    'stat -L dang',
    'stat',
    {
      line: 'stat f',
      normal: (text) =>
        text.replace(/Device: \S+|Inode: \d+ +|(?:Change|Birth|Access): 20.*| Birth: .*/g, ''),
    },
    {
      line: 'stat l c p',
      normal: (text) =>
        text.replace(/Device: \S+|Inode: \d+ +|(?:Change|Birth|Access): 20.*| Birth: .*/g, ''),
    },
    'stat --nosuch',
  ],
);
