/** What programs of the host make of a mounted tree: the same as of the host's tmpfs. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeAwkwardTree } from '../cli/command.ts';
import { itWith, KINDS, listing, Mounts, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();

describe.skipIf(skipMounts).each(KINDS)('%s', (kind) => {
  itWith(
    ['rsync'],
    'holds what cp, tar and rsync put there, with owners, times, links and attributes',
    async () => {
      const at = await mounts.mount(kind);
      // rsync takes a new device's time for right if only the second is, unless the window is -1
      const from = path.join(mounts.beside(), 'from');
      makeAwkwardTree(from);
      const wanted = listing(from);
      sh(
        at,
        `cp -a ${from} copied; tar -C ${from} --xattrs -cf t.tar .; mkdir out; tar -C out --xattrs --xattrs-include='user.*' -xpf t.tar; rsync -aHX --modify-window=-1 ${from}/ synced`,
      );
      expect(listing(path.join(at, 'copied'))).toBe(wanted);
      expect(listing(path.join(at, 'out'))).toBe(wanted);
      expect(listing(path.join(at, 'synced'))).toBe(wanted);
      expect(sh(at, `rsync -aHXc --modify-window=-1 --dry-run --itemize-changes ${from}/ synced`)).toBe('');
      sh(at, 'rm -rf copied out synced t.tar');
      expect(fs.readdirSync(at).filter((name) => name !== 'lost+found')).toEqual([]);
    },
  );

  it('answers scripts as the host does', async () => {
    const at = await mounts.mount(kind);
    const all = SCRIPTS.map(
      (line) => `mkdir s; cd s; ( ${line} ) 2>&1 || echo "failed with $?"; cd ..; rm -rf s; echo ----`,
    );
    const [ours, hosts] = [at, mounts.beside()].map((place) =>
      sh(place, `set +e; ${all.join('\n')}`).split('----\n'),
    );
    expect(SCRIPTS.map((line, i) => [line, ours[i]])).toEqual(SCRIPTS.map((line, i) => [line, hosts[i]]));
  });

  it('holds a git repository', async () => {
    const at = await mounts.mount(kind);
    const git = 'git -c user.name=A -c user.email=a@example.org -c init.defaultBranch=main';
    sh(
      at,
      `${git} init -q r; cd r; for i in 1 2 3; do seq $((i * 1000)) > f$i; mkdir -p d$i/e; cp f$i d$i/e/; ${git} add -A; ${git} commit -qm "c$i"; done`,
    );
    sh(
      at,
      `${git} clone -q r s; cd s; git fsck --full --strict; git gc -q --aggressive; git fsck; test -z "$(git status --porcelain)"; git mv d1 moved; ${git} commit -qam moved; git checkout -q HEAD~2; test ! -e moved`,
    );
    sh(
      at,
      `cd r; git worktree add -q ../w HEAD; ${git} branch b; git pull -q ../s main 2>/dev/null || true; git fsck`,
    );
  });

  it('runs what was compiled on it', async () => {
    const at = await mounts.mount(kind);
    sh(
      at,
      `printf '#include <stdio.h>\\nint main(void) { puts("ran"); return 0; }\\n' > a.c; cc -o a a.c; test "$(./a)" = ran`,
    );
  });
});

/** Each prints what it sees; nothing in it depends on where it runs. */
const SCRIPTS = [
  'umask 027; mkdir d; touch d/f; umask 0; touch d/g; stat -c "%n %a" d d/f d/g',
  'mkdir d; chmod 2770 d; mkdir d/e; touch d/f; stat -c "%n %a" d/e d/f',
  'echo one > f; exec 3<f; rm f; cat <&3; test ! -e f && echo gone',
  'exec 3>f; echo a >&3; mv f g; echo b >&3; cat g; ls',
  'echo a > f; (for i in $(seq 50); do echo $i >> f; done) & (for i in $(seq 50); do echo $i >> f; done); wait; wc -l < f',
  'printf 0123456789 > f; truncate -s 4 f; cat f; truncate -s 8 f; od -An -c f; stat -c %s f',
  'dd if=/dev/zero of=f bs=1k seek=100 count=1 status=none; stat -c "%s" f; dd if=f bs=1k count=1 status=none | md5sum',
  'echo x > f; ln f g; ln -s f h; stat -c "%N %h %F" f g h; rm f; cat g; cat h',
  'mkdir -p a/b; mv a/b c; mv c a; mv a a/b; ls -R',
  'touch f; chmod 4755 f; stat -c %a f; echo x > f; stat -c %a f; chmod 000 f; stat -c %a f',
  'touch -d "1999-12-31 23:59:59.123456789" f; stat -c %y f; touch -d @-5.5 f; stat -c %.Y f',
  'mkfifo p; (echo through > p &) ; cat p; stat -c %F p',
  'touch f; flock f -c "flock -n f -c true || echo held"; flock -n f -c "echo free"',
  'touch f; flock f sleep 0.3 & sleep 0.1; flock f echo waited; wait',
  'mkdir d; touch d/a; rmdir d; rm d; cat d; ls nowhere; mkdir d; touch d/a/b; ln -s l l; cat l',
  'touch $(seq 1 500); ls | wc -l; ls | sort -n | tail -1; rm [1-9]*[05]; ls | wc -l',
  'setfattr -n user.k -v v f; touch f; setfattr -n user.k -v v f; getfattr -d f; setfattr -x user.k f; getfattr -d f',
  'head -c 3000000 /dev/zero | tr "\\0" x > f; md5sum < f; cp f g; cmp f g && echo same; tail -c 5 g',
  'fallocate -l 100k f; stat -c %s f; fallocate -p -o 4096 -l 8192 f; md5sum f',
  'n=$(printf "%0255d" 1); touch $n; ls | wc -c; touch "$n"2',
  'printf hello > f; exec 3<>f; printf J >&3; cat <&3; cat f',
  'head -c 300000 /dev/urandom > f; cp --reflink=auto f g; cmp f g && echo same; cp --reflink=always f h 2> /dev/null || echo "no clones"',
  'truncate -s 9M f; echo middle | dd of=f bs=1k seek=4k conv=notrunc status=none; cp --sparse=always f g; cp -a f h; cmp f g; cmp f h; test $(stat -c %b g) -lt 100 && test $(stat -c %b h) -lt 100 && echo sparse',
  'echo "#!/bin/sh" > s; echo "echo run" >> s; ./s; chmod +x s; ./s',
];
