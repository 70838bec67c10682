/** Mounting and unmounting, as root and as others, by the command and by mount(8). */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { damselfly, MAIN } from '../cli/command.ts';
import {
  checkClean,
  isMounted,
  lacks,
  makeImage,
  makeNobodysHome,
  Mounted,
  Mounts,
  NOBODY,
  sh,
  skipMounts,
  skipRoots,
} from './mounted.ts';

const mounts = new Mounts();
const here = () => mounts.here();
let mounted: Mounted | undefined;

afterEach(async () => {
  if (mounted !== undefined && isMounted(mounted.at)) await mounted.end();
  mounted = undefined;
});

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
    const at = await mounts.mount('tmpfs', '-o', 'allow_other');
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
    const at = await mounts.mount('tmpfs');
    expect(sh('/', `setpriv --reuid 1000 --regid 1000 --clear-groups ls ${at} || true`)).toContain(
      'Permission denied',
    );
  });

  it.skipIf(lacks('fusermount3'))('mount by fusermount3', async () => {
    const directory = here();
    const home = makeNobodysHome(directory);
    const main = `${home.node} ${home.repository}/build/dist/host/cli/main.js`;
    const line = [
      `${main} img create a.img --size 32m > /dev/null`,
      `${main} mount --daemon --tmpfs 16m mnt`,
      'echo mine > mnt/f; cat mnt/f; stat -c "%u %a" mnt; grep -c "$PWD/mnt fuse.damselfly rw,nosuid,nodev" /proc/mounts',
      `${main} umount mnt; ls mnt; ${main} mount --daemon a.img mnt; ls mnt; ${main} umount mnt; ls mnt; echo done`,
    ].join('; ');
    fs.writeFileSync(path.join(directory, 'inside'), home.as(line));
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
    expect(output).toBe(`mine\n${NOBODY} 755\n1\nlost+found\ndone\n`);
  });
});

describe.skipIf(skipMounts)('Linux’s cache of writes', () => {
  it('can be let', async () => {
    const at = await mounts.mount('ext4', '-o', 'writeback_cache');
    sh(
      at,
      'for i in $(seq 200); do echo line $i >> f; done; test $(wc -l < f) = 200; dd if=/dev/zero of=g bs=1000 count=3000 status=none; dd if=f of=g bs=1 seek=12345 conv=notrunc status=none; cmp -n $(stat -c %s f) -i 0:12345 f g; touch -d 2001-01-01 g; sync g; stat -c %y g | grep -q ^2001; chmod 200 f; printf x >> f',
    );
  });
});
