/** A mounted tree, and what programs of the host make of it: the same as of the host's tmpfs. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { damselfly, MAIN, makeAwkwardTree } from '../cli/command.ts';
import {
  beside,
  checkClean,
  isMounted,
  lacks,
  listing,
  makeImage,
  Mounted,
  scratch,
  sh,
  skipMounts,
  skipRoots,
} from './mounted.ts';

const made: string[] = [];
const here = () => made[made.push(scratch()) - 1];
const there = () => made[made.push(beside()) - 1];
let mounted: Mounted | undefined;
let image: string | undefined;

afterEach(async () => {
  if (mounted !== undefined && isMounted(mounted.at)) await mounted.end();
  mounted = undefined;
  if (image !== undefined) checkClean(image);
  image = undefined;
});
afterAll(() => {
  for (const directory of made) fs.rmSync(directory, { recursive: true, force: true });
});

/** On an ext4 image, or on a tmpfs of a machine. */
async function mount(kind: string, ...options: string[]): Promise<string> {
  const directory = here();
  if (kind === 'tmpfs') mounted = await Mounted.start(directory, ['--tmpfs', '128m'], ...options);
  else {
    image = makeImage(directory);
    mounted = await Mounted.start(directory, [image], ...options);
  }
  return mounted.at;
}

describe.skipIf(skipMounts).each(['tmpfs', 'ext4'])('%s', (kind) => {
  it.skipIf(lacks('rsync'))(
    'holds what cp, tar and rsync put there, with owners, times, links and attributes',
    async () => {
      const at = await mount(kind);
      // rsync takes a new device's time for right if only the second is, unless the window is -1
      const from = path.join(there(), 'from');
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
    const at = await mount(kind);
    const all = SCRIPTS.map(
      (line) => `mkdir s; cd s; ( ${line} ) 2>&1 || echo "failed with $?"; cd ..; rm -rf s; echo ----`,
    );
    const [ours, hosts] = [at, there()].map((place) =>
      sh(place, `set +e; ${all.join('\n')}`).split('----\n'),
    );
    expect(SCRIPTS.map((line, i) => [line, ours[i]])).toEqual(SCRIPTS.map((line, i) => [line, hosts[i]]));
  });

  it('holds a git repository', async () => {
    const at = await mount(kind);
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

  it('runs what was compiled on it, and databases with two writers', async () => {
    const at = await mount(kind);
    sh(
      at,
      `printf '#include <stdio.h>\\nint main(void) { puts("ran"); return 0; }\\n' > a.c; cc -o a a.c; test "$(./a)" = ran`,
    );
    if (lacks('sqlite3')) return;
    for (const mode of ['delete', 'wal']) {
      const insert = `for i in $(seq 20); do echo 'PRAGMA busy_timeout=20000; INSERT INTO t VALUES(1);' | sqlite3 ${mode}.db > /dev/null; done`;
      sh(
        at,
        `echo 'PRAGMA journal_mode=${mode}; CREATE TABLE t(x);' | sqlite3 ${mode}.db; (${insert}) & (${insert}); wait`,
      );
      expect(sh(at, `echo 'SELECT count(*) FROM t; PRAGMA integrity_check;' | sqlite3 ${mode}.db`)).toBe(
        '40\nok\n',
      );
    }
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
  'echo "#!/bin/sh" > s; echo "echo run" >> s; ./s; chmod +x s; ./s',
];

describe.skipIf(skipMounts)('a mount', () => {
  it('ends by a signal, with everything written', async () => {
    const directory = here();
    const disk = makeImage(directory, 16 << 20);
    mounted = await Mounted.start(directory, [disk]);
    const { at } = mounted;
    fs.writeFileSync(path.join(at, 'file'), 'written');
    expect(await mounted.signal('SIGTERM')).toBe(0);
    expect([isMounted(at), fs.readdirSync(at)]).toEqual([false, []]);
    checkClean(disk);
    expect(damselfly(['img', 'cat', disk, '/file']).stdout).toBe('written');
    mounted = undefined;
  });

  it('is written back when nobody asks it anything', async () => {
    const directory = here();
    const disk = makeImage(directory, 16 << 20);
    mounted = await Mounted.start(directory, [disk], '-o', 'commit=1');
    const name = 'a-name-that-nothing-else-has';
    fs.mkdirSync(path.join(mounted.at, name));
    const deadline = performance.now() + 40_000;
    while (!fs.readFileSync(disk).includes(name) && performance.now() < deadline) await sleep(200);
    expect(fs.readFileSync(disk).includes(name)).toBe(true);
    await mounted.end();
  });

  it('can be read-only, or throw its changes away', async () => {
    const directory = here();
    const disk = makeImage(directory, 16 << 20);
    const before = fs.readFileSync(disk);
    mounted = await Mounted.start(directory, [`${disk}:scratch`]);
    fs.writeFileSync(path.join(mounted.at, 'file'), 'lost');
    await mounted.end();
    expect(fs.readFileSync(disk).equals(before)).toBe(true);
    mounted = await Mounted.start(directory, [disk], '-o', 'ro');
    expect(() => fs.writeFileSync(path.join((mounted as Mounted).at, 'file'), 'no')).toThrow('EROFS');
    await mounted.end();
    expect(fs.readFileSync(disk).equals(before)).toBe(true);
  });

  it('says what is wrong, and leaves nothing mounted', () => {
    const directory = here();
    fs.mkdirSync(path.join(directory, 'mnt'));
    const at = path.join(directory, 'mnt');
    const noImage = damselfly(['mount', path.join(directory, 'none'), at]);
    expect([noImage.status, noImage.stderr]).toEqual([1, expect.stringContaining('none')]);
    fs.writeFileSync(path.join(directory, 'zeros'), Buffer.alloc(1 << 20));
    expect(damselfly(['mount', '--daemon', path.join(directory, 'zeros'), at]).status).toBe(1);
    expect(damselfly(['mount', '--tmpfs', '8m', path.join(directory, 'nowhere')]).status).toBe(1);
    expect(damselfly(['mount', at]).status).toBe(2);
    expect(damselfly(['umount', at]).status).toBe(1);
    expect(isMounted(at)).toBe(false);
  });

  it('that is in use stays, and goes when it is asked again', async () => {
    const directory = here();
    const disk = makeImage(directory, 16 << 20);
    mounted = await Mounted.start(directory, [disk]);
    const held = fs.openSync(path.join(mounted.at, 'file'), 'w');
    expect(damselfly(['umount', mounted.at])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('busy'),
    });
    mounted.server.kill('SIGINT');
    while (!mounted.stderr.includes('busy')) await sleep(20);
    expect(isMounted(mounted.at)).toBe(true);
    const ended = mounted.signal('SIGINT');
    while (isMounted(mounted.at)) await sleep(20);
    fs.writeSync(held, 'still there');
    fs.closeSync(held);
    expect(await ended).toBe(0);
    checkClean(disk);
    expect(damselfly(['img', 'cat', disk, '/file']).stdout).toBe('still there');
  });

  it('can be asked for by mount(8)', () => {
    const directory = here();
    const at = path.join(directory, 'mnt');
    fs.mkdirSync(at);
    const helper = path.join(path.dirname(MAIN), 'mounthelper.js');
    sh('/', `${process.execPath} ${helper} tmpfs:8m ${at} -o rw,noauto,noatime -t fuse.damselfly`);
    expect(sh('/', `grep ${at} /proc/mounts`)).toContain('fuse.damselfly rw,noatime');
    expect(damselfly(['umount', at]).status).toBe(0);
  });

  it('can be left in the background', () => {
    const directory = here();
    const at = path.join(directory, 'mnt');
    fs.mkdirSync(at);
    expect(damselfly(['mount', '--daemon', '--tmpfs', '8m', at])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    fs.writeFileSync(path.join(at, 'file'), 'x');
    expect(damselfly(['umount', at])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(fs.readdirSync(at)).toEqual([]);
  });
});

describe.skipIf(skipRoots)('others', () => {
  it('are bound by permissions, with the groups that they are in', async () => {
    const at = await mount('tmpfs', '-o', 'allow_other');
    const as = (ids: string, line: string) => sh(at, `setpriv ${ids} bash -c '${line}' || echo "failed"`);
    sh(
      at,
      'mkdir closed group; echo x > closed/f; chmod 700 closed; ls closed > /dev/null; chown 0:500 group; chmod 770 group; echo y > group/f; chmod 640 group/f; chown 0:501 group/f',
    );
    const user = '--reuid 1000 --regid 1000';
    expect(as(`${user} --clear-groups`, 'cat closed/f')).toContain('Permission denied');
    expect(as(`${user} --clear-groups`, 'ls group')).toContain('Permission denied');
    expect(as(`${user} --groups 500`, 'ls group; touch group/mine; stat -c "%u %g" group/mine')).toBe(
      'f\n1000 1000\n',
    );
    expect(as(`${user} --groups 500`, 'cat group/f')).toContain('Permission denied');
    expect(as(`${user} --groups 500,501`, 'cat group/f; chgrp 501 group/mine; stat -c %g group/mine')).toBe(
      'y\n501\n',
    );
    expect(as(`${user} --groups 500`, 'chown 0 group/mine')).toContain('not permitted');
    sh(at, 'mkdir sticky; chmod 1777 sticky; touch sticky/roots');
    expect(as(`${user} --clear-groups`, 'rm -f sticky/roots')).toContain('not permitted');
  });

  it('cannot come in where it was not said', async () => {
    const at = await mount('tmpfs');
    expect(sh('/', `setpriv --reuid 1000 --regid 1000 --clear-groups ls ${at} || true`)).toContain(
      'Permission denied',
    );
  });

  it.skipIf(lacks('fusermount3'))('mount by fusermount3', async () => {
    const directory = here();
    // somebody whom /etc/passwd knows: fusermount3 asks it
    const user = 65534;
    fs.chmodSync(directory, 0o755);
    fs.mkdirSync(path.join(directory, 'home', 'mnt'), { recursive: true });
    sh(directory, `chown -R ${user}:${user} home; mknod -m 666 fuse c 10 229`);
    const main = `${process.execPath} ${path.resolve('build/dist/host/cli/main.js')}`;
    const line = [
      `${main} img create a.img --size 32m > /dev/null`,
      `${main} mount --daemon --tmpfs 16m mnt`,
      'echo mine > mnt/f; cat mnt/f; stat -c "%u %a" mnt; grep -c "mnt fuse.damselfly rw,nosuid,nodev" /proc/mounts',
      `${main} umount mnt; ls mnt; ${main} mount --daemon a.img mnt; ls mnt; ${main} umount mnt; ls mnt; echo done`,
    ].join('; ');
    fs.writeFileSync(path.join(directory, 'home', 'script'), line);
    // in a mount namespace of its own, in which /dev/fuse is open to all
    const inside = `mount --bind ${directory}/fuse /dev/fuse; cd ${directory}/home; exec setpriv --reuid ${user} --regid ${user} --clear-groups env HOME=$PWD XDG_RUNTIME_DIR=$PWD bash script`;
    fs.writeFileSync(path.join(directory, 'inside'), inside);
    const child = spawn('unshare', [
      '-m',
      '--propagation',
      'private',
      'bash',
      path.join(directory, 'inside'),
    ]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toBe(`mine\n${user} 755\n1\nlost+found\ndone\n`);
  });
});

describe.skipIf(skipMounts)('a machine of 32 MiB', () => {
  // Linux remembers all of them, in its own memory
  it('serves more files than its RAM has room for', async () => {
    const files = Number(process.env.FILES ?? 10_000);
    const directory = here();
    image = makeImage(directory, 256 << 20, '-N', String(files * 2));
    mounted = await Mounted.start(directory, [image], '--ram', '32m');
    const { at } = mounted;
    sh(
      at,
      `seq ${files} | awk '{ d = int($1 / 100); print "d" d % 10 "/e" d "/" $1 }' > list; cut -d/ -f1,2 list | sort -u | xargs mkdir -p; xargs touch < list`,
    );
    expect(sh(at, 'find . -type f | wc -l').trim()).toBe(String(files + 1));
    expect(sh(at, 'find . -type f -printf x | wc -c; xargs stat -c %s < list | sort -u').trim()).toBe(
      `${files + 1}\n0`,
    );
    sh(at, 'rm -rf d*; rm list');
  });
});

describe.skipIf(skipMounts)('Linux’s cache of writes', () => {
  it('can be let', async () => {
    const at = await mount('ext4', '-o', 'writeback_cache');
    sh(
      at,
      'for i in $(seq 200); do echo line $i >> f; done; test $(wc -l < f) = 200; dd if=/dev/zero of=g bs=1000 count=3000 status=none; dd if=f of=g bs=1 seek=12345 conv=notrunc status=none; cmp -n $(stat -c %s f) -i 0:12345 f g; touch -d 2001-01-01 g; sync g; stat -c %y g | grep -q ^2001; chmod 200 f; printf x >> f',
    );
  });
});
