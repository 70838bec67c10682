/** What the host cannot judge: mounts, processes, terminals, the kernel's own numbers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, type Machine } from '../../host/index.ts';
import { standardPrograms } from '../../host/programs/standard.ts';
import { type RunOptions, Userland } from '../../host/programs/userland.ts';

let machine: Machine;
let userland: Userland;

beforeAll(async () => {
  machine = await boot({ flavour: 'up-debug', files: { '/etc/motd': 'Welcome\n' } });
  userland = new Userland(machine, standardPrograms);
  const { fs } = machine;
  fs.writeFileSync(
    '/etc/passwd',
    `${fs.readFileSync('/etc/passwd', 'utf8')}ada:x:1000:1000:Ada:/home/ada:/bin/sh\n`,
  );
  fs.writeFileSync('/etc/group', `${fs.readFileSync('/etc/group', 'utf8')}ada:x:1000:\nlab:x:2000:ada\n`);
  fs.mkdirSync('/home/ada');
  fs.chownSync('/home/ada', 1000, 1000);
});

afterAll(() => machine.shutdown());

async function run(line: string, options: RunOptions = {}) {
  const { code, stdout, stderr } = await userland.run(line, options);
  return { code, stdout, stderr };
}

const good = (stdout: string) => ({ code: 0, stdout, stderr: '' });

it('a filter that works on whole texts refuses an endless one', async () => {
  const { code, stderr } = await run('yes | grep -m1 y');
  expect({ code, stderr }).toEqual({ code: 2, stderr: 'grep: standard input is longer than 128 MiB\n' });
});

describe('mounts', () => {
  it('mounts, remounts, binds and unmounts', async () => {
    expect(
      await run('mkdir /mnt/a /mnt/b && mount -t tmpfs -o size=1m,noexec scratch /mnt/a && mount'),
    ).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^scratch on \/mnt\/a type tmpfs \(rw,noexec.*size=1m.*\)$/m),
    });
    expect(await run('echo x >/mnt/a/f && mount -o remount,ro /mnt/a && echo y >/mnt/a/f')).toMatchObject({
      stderr: expect.stringContaining('Read-only file system'),
    });
    expect(await run('mount | grep /mnt/a')).toMatchObject({ stdout: expect.stringMatching(/\(ro,noexec/) });
    expect(await run('mount -o remount,rw /mnt/a && echo y >/mnt/a/f && cat /mnt/a/f')).toEqual(good('y\n'));
    expect(await run('mount --bind /mnt/a /mnt/b && cat /mnt/b/f && umount /mnt/b')).toEqual(good('y\n'));
    expect(await run('mount -o bind,ro /mnt/a /mnt/b && touch /mnt/b/g; umount /mnt/b')).toMatchObject({
      stderr: expect.stringContaining('Read-only file system'),
    });
    expect(await run('umount /mnt/a && ls /mnt/a')).toEqual(good(''));
  });

  it('says why it cannot', async () => {
    expect(await run('mount -t nosuchfs none /mnt/a')).toEqual({
      code: 32,
      stdout: '',
      stderr: "mount: /mnt/a: unknown filesystem type 'nosuchfs'.\n",
    });
    expect(await run('mount -t tmpfs none /nowhere')).toMatchObject({
      code: 32,
      stderr: 'mount: /nowhere: mount point does not exist.\n',
    });
    expect(await run('umount /mnt/a')).toMatchObject({ code: 32, stderr: 'umount: /mnt/a: not mounted.\n' });
    expect(await run('mount -t tmpfs x /mnt/a && cd /mnt/a && umount /mnt/a; cd / && umount /mnt/a')).toEqual(
      {
        code: 0,
        stdout: '',
        stderr: 'umount: /mnt/a: target is busy.\n',
      },
    );
    expect(
      await run('mount -t tmpfs x /mnt/a && cd /mnt/a && umount -l /mnt/a && mount | grep -c /mnt/a'),
    ).toMatchObject({ stdout: '0\n' });
  });

  it('is root’s alone', async () => {
    const user = { uid: 1000, gid: 1000 };
    for (const line of [
      'mount -t tmpfs t /mnt',
      'mount --bind /tmp /mnt',
      'mount -o remount,ro /',
      'umount /proc',
    ]) {
      const { code, stderr } = await run(line, user);
      expect({ line, code, denied: /permission|not permitted|must be superuser/i.test(stderr) }).toEqual({
        line,
        code: expect.toSatisfy((status: number) => status !== 0),
        denied: true,
      });
    }
    expect((await run('mount', user)).stdout).toMatch(/^tmpfs on \/ /m);
  });

  it('df tells sizes of what is mounted', async () => {
    await run('mount -t tmpfs -o size=1m,nr_inodes=100 scratch /mnt/a');
    expect(await run('dd if=/dev/zero of=/mnt/a/half bs=1K count=512 status=none; df /mnt/a')).toEqual(
      good(
        'Filesystem     1K-blocks  Used Available Use% Mounted on\nscratch             1024   512       512  50% /mnt/a\n',
      ),
    );
    expect(await run('df -hT /mnt/a/half')).toEqual(
      good(
        'Filesystem     Type   Size  Used Avail Use% Mounted on\nscratch        tmpfs  1.0M  512K  512K  50% /mnt/a\n',
      ),
    );
    expect(await run('df -i /mnt/a')).toMatchObject({
      stdout: expect.stringMatching(/^scratch +100 +2 +98 +2% \/mnt\/a$/m),
    });
    expect(await run('df /nothing')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'df: /nothing: No such file or directory\n',
    });
    await run('umount /mnt/a');
  });

  it('mv goes from one to another by a copy', async () => {
    await run('mount -t tmpfs scratch /mnt/a');
    await run(
      'mkdir -p /tmp/t/d && echo data >/tmp/t/d/f && ln -s f /tmp/t/d/l && mkfifo -m 600 /tmp/t/p && ln /tmp/t/d/f /tmp/t/h && touch -d 2001-02-03 /tmp/t/d/f && chown 7:8 /tmp/t/d/f && chmod 4711 /tmp/t/d/f',
    );
    expect(await run('mv /tmp/t /mnt/a/')).toEqual(good(''));
    expect(await run('ls /tmp/t')).toMatchObject({ code: 2 });
    expect(
      await run('cd /mnt/a/t && ls -ln --time-style=+%F d/f h && readlink d/l && stat -c %F,%a p'),
    ).toEqual(good('-rws--x--x 2 7 8 5 2001-02-03 d/f\n-rws--x--x 2 7 8 5 2001-02-03 h\nf\nfifo,600\n'));
    await run('umount /mnt/a');
  });
});

describe('processes', () => {
  it('ps shows them, kill ends them', async () => {
    const { stdout, code } = await run(
      'sleep 100 & sleep 0.05; ps -o pid,ppid,stat,user,args; kill %1 2>/dev/null || kill $!; wait $!; echo $?',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +PID +PPID STAT USER +COMMAND$/m);
    expect(stdout).toMatch(/^ +\d+ +\d+ S +root +sleep 100$/m);
    expect(stdout).toMatch(/143\n$/);
    expect(await run('ps -p 1 -o pid= -o user=')).toEqual(good('      1 root\n'));
    expect(await run('ps aux')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^USER +PID +PPID/) });
    expect(await run('ps -o nonsense')).toMatchObject({ code: 1 });
  });

  it('lsof finds who has a file open', async () => {
    const { stdout, code } = await run(
      'echo x >/tmp/held; sleep 100 3</tmp/held & sleep 0.05; lsof /tmp/held; lsof -t /tmp/held; kill $!',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^COMMAND +PID USER +FD +TYPE +DEVICE +SIZE\/OFF +NODE NAME$/m);
    expect(stdout).toMatch(/^sleep +\d+ root +3r +REG +\S+ +2 +\d+ \/tmp\/held$/m);
    expect(stdout).toMatch(/^\d+\n$/m);
    expect(await run('lsof /etc/motd')).toEqual({ code: 1, stdout: '', stderr: '' });
  });

  it('flock keeps others out, and waits', async () => {
    expect(
      await run(
        'flock /tmp/l sleep 0.2 & sleep 0.05; flock -n /tmp/l echo got; echo $?; flock -w 0.01 -E 9 /tmp/l echo got; echo $?; flock /tmp/l echo at last',
      ),
    ).toEqual(good('1\n9\nat last\n'));
    expect(
      await run(
        'exec 9>/tmp/l; flock 9 && flock -n /tmp/l true; echo $?; flock -u 9; flock -n /tmp/l echo free',
      ),
    ).toEqual(good('1\nfree\n'));
  });

  it('timeout and nohup pass on what they ran', async () => {
    expect(
      await run(
        'timeout 0.05 sleep 9; echo $?; timeout 9 sh -c "exit 3"; echo $?; timeout -k 0.05 0.05 sh -c \'trap "" TERM; while :; do sleep 0.02; done\'; echo $?',
      ),
    ).toEqual(good('124\n3\n137\n'));
    expect(await run('nohup sh -c "kill -HUP \\$\\$; echo alive"')).toMatchObject({ stdout: 'alive\n' });
  });

  it('su and login become somebody', async () => {
    expect(await run('su ada -c "id; pwd; echo $HOME"', { cwd: '/tmp' })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^uid=1000\(ada\) gid=1000\(ada\) groups=1000\(ada\),2000\(lab\)\n\/tmp\n/,
      ),
    });
    expect(await run('su - ada -c "pwd; echo $USER $HOME"'.replaceAll('$', '\\$'))).toEqual(
      good('/home/ada\nada /home/ada\n'),
    );
    expect(await run('su root -c id', { uid: 1000, gid: 1000 })).toMatchObject({ code: 1, stdout: '' });
    expect(await run('su nobody -c true; echo $?')).toMatchObject({ stdout: expect.stringMatching(/\d\n/) });
    expect(await run('su stranger')).toMatchObject({ code: 1 });
    expect(await run('login ada', { input: 'echo I am $USER in $PWD; exit 5\n' })).toMatchObject({
      code: 5,
      stdout: 'Welcome\nI am ada in /home/ada\n',
    });
    expect(await run('login', { input: 'stranger\nada\nexit\n' })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/login: \nLogin incorrect\n.*login: Welcome/s),
    });
  });

  it('chroot changes what is seen', async () => {
    await run('mkdir -p /tmp/root/bin && cp -a /bin/sh /bin/ls /bin/id /tmp/root/bin');
    expect(await run('chroot /tmp/root ls /')).toEqual(good('bin\n'));
    expect(await run('chroot --userspec=7:8 /tmp/root id -u')).toEqual(good('7\n'));
    expect(await run('chroot /tmp/root cat x')).toMatchObject({ code: 127 });
  });

  it('xargs runs several at once, find runs one for many', async () => {
    expect(await run('seq 1000 | xargs -n 100 -P 4 echo | wc -w')).toMatchObject({
      stdout: expect.stringMatching(/^ *1000\n$/),
    });
    expect(
      await run(
        'mkdir /tmp/many && cd /tmp/many && touch $(seq 50) && find . -type f -exec echo {} + | wc -lw',
      ),
    ).toMatchObject({
      stdout: expect.stringMatching(/^ +1 +50\n$/),
    });
  });
});

describe('streams', () => {
  it('tail -f follows what is added, and a name through a rename', async () => {
    expect(
      await run(
        'cd /tmp; echo one >log; (sleep 0.1; echo two >>log; sleep 0.1; echo three >>log) & timeout 0.5 tail -f log',
      ),
    ).toMatchObject({
      stdout: 'one\ntwo\nthree\n',
    });
    expect(
      await run('cd /tmp; echo old >rot; (sleep 0.1; mv rot rot.1; echo new >rot) & timeout 0.5 tail -F rot'),
    ).toMatchObject({
      stdout: 'old\nnew\n',
      stderr: expect.stringMatching(/rot/),
    });
    expect(await run('cd /tmp; echo x >gone; sleep 0.2 & tail -f --pid=$! gone; echo $?')).toMatchObject({
      stdout: 'x\n0\n',
    });
  });

  it('ends early when nobody reads any more', async () => {
    expect(await run('yes | head -n 3')).toEqual(good('y\ny\ny\n'));
    expect(await run('yes | grep -q y && echo found')).toEqual(good('found\n'));
    expect(await run('tail -f /etc/motd | head -n 1')).toEqual(good('Welcome\n'));
    expect(await run('cat /dev/zero | tr "\\0" x | head -c 5')).toMatchObject({ stdout: 'xxxxx' });
  });

  it('head leaves the rest of a file to who reads on', async () => {
    expect(await run('seq 5 >/tmp/five; (head -n 2; echo --; cat) </tmp/five')).toEqual(
      good('1\n2\n--\n3\n4\n5\n'),
    );
  });

  it('grep passes on lines as they come', async () => {
    expect(
      await run('(echo a1; sleep 0.1; echo b; sleep 0.1; echo a2) | grep a | (read x; echo first $x; cat)'),
    ).toEqual(good('first a1\na2\n'));
  });

  it('dd writes, syncs and skips', async () => {
    expect(
      await run(
        'dd if=/dev/zero of=/tmp/z bs=1M count=3 conv=fsync 2>/dev/null; dd if=/tmp/z bs=1K skip=3071 2>/dev/null | wc -c',
      ),
    ).toMatchObject({
      stdout: expect.stringMatching(/^ *1024\n$/),
    });
  });
});

describe('attributes', () => {
  it('getfattr and setfattr, kept by cp -a and mv', async () => {
    expect(
      await run(
        'cd /tmp; echo x >f; setfattr -n user.note -v "a \\"b\\"" f; setfattr -n user.bin -v 0x00ff f; getfattr -d f',
      ),
    ).toEqual(good('# file: f\nuser.bin=0sAP8=\nuser.note="a \\"b\\""\n\n'));
    expect(
      await run(
        'cd /tmp; getfattr -n user.bin -e hex f; cp -a f g; getfattr --only-values -n user.note g; cp f h; getfattr h',
      ),
    ).toEqual(good('# file: f\nuser.bin=0x00ff\n\na "b"'));
    expect(await run('cd /tmp; setfattr -x user.note f; getfattr f; getfattr -n user.note f')).toEqual({
      code: 1,
      stdout: '# file: f\nuser.bin\n\n',
      stderr: 'getfattr: f: user.note: No such attribute\n',
    });
  });
});

describe('the kernel', () => {
  it('sysctl reads and writes', async () => {
    expect(await run('sysctl kernel.ostype')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^kernel\.ostype = \w+\n$/),
    });
    expect(await run('sysctl -a')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^vfs\.maxvnodes = \d+$/m),
    });
    expect(
      await run('sysctl -w kernel.hostname=zygoptera && hostname && uname -n && sysctl -n kernel.hostname'),
    ).toEqual(good('kernel.hostname = zygoptera\nzygoptera\nzygoptera\nzygoptera\n'));
    expect(await run('sysctl no.such')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'sysctl: cannot stat /proc/sys/no/such: No such file or directory\n',
    });
  });

  it('vmstat, vopstat and dmesg tell its numbers', async () => {
    expect(await run('vmstat')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\n +\d+ +\d+ +\d+ +\d+ +\d+ +\d+\n$/),
    });
    expect(await run('vmstat -m')).toMatchObject({
      stdout: expect.stringMatching(/^vnode +\d+ +\d+ +\d+$/m),
    });
    const { stdout, stderr } = await run('vopstat -s');
    expect(stderr).toBe('');
    const counts = stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split(/ +/)[1]));
    expect(counts.length).toBeGreaterThan(5);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect((await run('dmesg')).code).toBe(0);
    expect(
      await run(
        'echo on / >/proc/trace && touch /tmp/traced && vopstat | tail -n 30; echo off / >/proc/trace',
      ),
    ).toMatchObject({
      stderr: '',
      stdout: expect.stringMatching(
        /^mount operation +calls +mean ns +max ns\n[\s\S]*^ +\d+ ncreate +\d+ +\d+ +\d+$/m,
      ),
    });
  });

  it('mktemp makes what nobody has, which finds programs', async () => {
    const { stdout } = await run('mktemp; mktemp -d; mktemp /tmp/my.XXXXXX.txt --suffix=');
    const [file, directory, named] = stdout.trim().split('\n');
    expect(machine.fs.statSync(file).mode & 0o7777).toBe(0o600);
    expect(machine.fs.statSync(directory).mode & 0o7777).toBe(0o700);
    expect(named).toMatch(/^\/tmp\/my\.\w{6}\.txt$/);
    expect(await run('which ls nosuch')).toEqual({ code: 1, stdout: '/bin/ls\n', stderr: '' });
  });
});
