/**
 * A running machine's tree mounted on Linux while others use the machine. Timeouts are a day, so what is seen of a
 * change is seen because Linux was told.
 */
import { exec, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boot, type Machine, MemoryDisk } from '../../build/dist/host/index.js';
import {
  type MachineMount,
  mountMachine,
  type MountMachineOptions,
} from '../../build/dist/host/mount/index.js';
import { BB_STATE, BOOTBLOCK, MACHINE_DEAD } from '../../assembly/abi/layout.ts';
import { MAIN } from '../cli/command.ts';
import { isMounted, lacks, makeImage, makeNobodysHome, scratch, skipMounts, skipRoots } from './mounted.ts';

const DAY = { entryTimeout: 86400, attrTimeout: 86400, negativeTimeout: 86400 };
const made: string[] = [];
const here = () => made[made.push(scratch()) - 1];
afterAll(() => {
  for (const directory of made) fs.rmSync(directory, { recursive: true, force: true });
});

let machine: Machine;
let mounted: MachineMount;
let at: string;

async function mount(
  options: MountMachineOptions = {},
  flavour: 'up-debug' | 'smp-debug' = 'up-debug',
): Promise<void> {
  at = path.join(here(), 'mnt');
  fs.mkdirSync(at);
  machine = await boot({ flavour, ram: 64 << 20 });
  mounted = await mountMachine(machine, at, { ...DAY, ...options });
}

/** Nothing may be left of the server in the machine: a debug kernel's shutdown counts. */
async function end(): Promise<void> {
  await mounted.unmount();
  expect(await mounted.ended).toBe(undefined);
  expect(isMounted(at)).toBe(false);
  machine.shutdown();
}

/** A line of the host's shell, in the mounted directory unless told: this thread serves meanwhile. */
async function sh(line: string, cwd = at): Promise<string> {
  // not by spawn's cwd: this thread waits there until the child is in it
  const { stdout } = await promisify(exec)(`exec 2>&1; cd ${cwd}; ${line}`, {
    shell: '/bin/bash',
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  });
  return stdout;
}

/** Wait until it is so. Without a notification it never is. */
async function becomes<T>(see: () => Promise<T>, wanted: T): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if ((await see()) === wanted) return;
    await sleep(20);
  }
  expect(await see()).toBe(wanted);
}

/** Unmount in the machine what programs of the host have just closed: Linux tells of that a moment later. */
const umountSoon = (place: string) =>
  becomes(async () => {
    try {
      machine.init.umount(place);
      return 'done';
    } catch (error) {
      return (error as Error).message;
    }
  }, 'done');

const read = (name: string) => fs.promises.readFile(path.join(at, name), 'utf8');
const there = (name: string) =>
  fs.promises.lstat(path.join(at, name)).then(
    () => true,
    () => false,
  );
const names = async (name: string) => (await fs.promises.readdir(path.join(at, name))).join(' ');

describe.skipIf(skipMounts)('what changes by another way in', () => {
  beforeEach(() => mount());
  afterEach(end);

  it('is seen: content, size, names and their absence, listings', async () => {
    machine.fs.mkdirSync('/home/d');
    machine.fs.writeFileSync('/home/d/f', 'one');
    expect(await read('home/d/f')).toBe('one');
    expect(await there('home/d/new')).toBe(false);
    expect(await names('home/d')).toBe('f');
    machine.fs.writeFileSync('/home/d/f', 'two, and longer');
    machine.fs.writeFileSync('/home/d/new', '');
    await becomes(() => read('home/d/f'), 'two, and longer');
    await becomes(() => there('home/d/new'), true);
    await becomes(() => names('home/d'), 'f new');
    machine.fs.unlinkSync('/home/d/f');
    await becomes(() => there('home/d/f'), false);
    await becomes(() => names('home/d'), 'new');
    machine.fs.renameSync('/home/d/new', '/home/d/old');
    await becomes(() => there('home/d/new'), false);
    expect(await there('home/d/old')).toBe(true);
    machine.fs.rmSync('/home/d', { recursive: true });
    await becomes(() => there('home/d'), false);
  });

  it('is seen by whoever has the file open: written by descriptor, truncated, in place', async () => {
    machine.fs.writeFileSync('/home/f', 'a'.repeat(10_000));
    const handle = await fs.promises.open(path.join(at, 'home/f'), 'r');
    const begins = async () => (await handle.read(Buffer.alloc(5), 0, 5, 4000)).buffer.toString();
    expect(await begins()).toBe('aaaaa');
    const fd = machine.fs.openSync('/home/f', 'r+');
    machine.fs.writeSync(fd, 'bbbbb', 4000);
    await becomes(begins, 'bbbbb');
    machine.fs.ftruncateSync(fd, 4002);
    await becomes(async () => (await handle.stat()).size, 4002);
    expect((await handle.read(Buffer.alloc(5), 0, 5, 4000)).bytesRead).toBe(2);
    machine.fs.closeSync(fd);
    machine.fs.chmodSync('/home/f', 0o600);
    await becomes(async () => (await handle.stat()).mode & 0o777, 0o600);
    machine.fs.linkSync('/home/f', '/home/g');
    await becomes(async () => (await handle.stat()).nlink, 2);
    await handle.close();
  });

  it.skipIf(lacks('python3'))('is seen in a mapping', async () => {
    machine.fs.writeFileSync('/home/f', 'a'.repeat(4096));
    const program =
      'import mmap,sys\nf=open(sys.argv[1],"rb")\nm=mmap.mmap(f.fileno(),4096,prot=mmap.PROT_READ,flags=mmap.MAP_SHARED)\nfor line in sys.stdin: print(m[0:3].decode(),flush=True)';
    const child = spawn('python3', ['-c', program, path.join(at, 'home/f')]);
    const ask = () =>
      new Promise<string>((resolve) => {
        child.stdout.once('data', (text) => resolve(String(text).trim()));
        child.stdin.write('\n');
      });
    expect(await ask()).toBe('aaa');
    machine.fs.writeFileSync('/home/f', 'xyz', { flag: 'r+' });
    await becomes(ask, 'xyz');
    child.stdin.end();
    await new Promise((resolve) => child.once('close', resolve));
  });

  it('is seen when programs of the machine make it, and the other way round', async () => {
    expect(await names('tmp')).toBe('');
    const child = machine.process({ uid: 1000, gid: 1000 });
    child.fs.writeFileSync('/tmp/theirs', 'x');
    await becomes(() => names('tmp'), 'theirs');
    expect(await sh('stat -c "%u %a" tmp/theirs; echo host > tmp/ours; rm tmp/theirs')).toBe('1000 644\n');
    expect(machine.fs.readdirSync('/tmp')).toEqual(['ours']);
    expect(machine.fs.readFileSync('/tmp/ours', 'utf8')).toBe('host\n');
    child.exit();
  });

  it('may be more than can be told one by one', async () => {
    machine.fs.mkdirSync('/home/many');
    machine.fs.writeFileSync('/home/many/f', 'one');
    expect([await read('home/many/f'), await there('home/many/9999')]).toEqual(['one', false]);
    for (let i = 0; i < 20_000; i++) machine.fs.writeFileSync(`/home/many/${i}`, '');
    machine.fs.writeFileSync('/home/many/f', 'two');
    await becomes(() => read('home/many/f'), 'two');
    await becomes(() => there('home/many/9999'), true);
    await becomes(async () => (await fs.promises.readdir(path.join(at, 'home/many'))).length, 20_001);
  });

  it('is told while programs of the host change the same directory', async () => {
    machine.fs.mkdirSync('/home/both');
    const busy = sh('for i in $(seq 100); do echo $i > home/both/h$i; ls home/both > /dev/null; done');
    let made = 0;
    const inside = (async () => {
      for (; made < 100; made++) {
        machine.fs.writeFileSync(`/home/both/m${made}`, 'x');
        machine.fs.writeFileSync('/home/both/h1', `${made}`);
        await sleep(1);
      }
    })();
    await Promise.all([busy, inside]);
    await becomes(async () => (await fs.promises.readdir(path.join(at, 'home/both'))).length, 200);
    await becomes(() => read('home/both/h1'), '99');
  });
});

describe.skipIf(skipMounts)('several mounts in one', () => {
  beforeEach(() => mount());
  afterEach(end);

  it('are walked, and told apart', async () => {
    machine.init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
    machine.fs.writeFileSync('/mnt/in', 'x');
    machine.fs.writeFileSync('/home/out', 'y');
    const inodes = await sh('find . -path ./proc -prune -o -print0 | xargs -0 stat -c %i | sort | uniq -d');
    expect(inodes).toBe('');
    // what a listing says is what stat says
    expect(await sh('ls -i mnt dev | sort -n > /tmp/$$; cd mnt; stat -c "%i %n" in; rm /tmp/$$')).toBe(
      await sh('ls -i mnt'),
    );
    expect(await sh('cd mnt/..; ls | grep -c home; stat -f -c %b mnt home | uniq | wc -l')).toBe('1\n2\n');
    expect(await sh("python3 -c \"import os; os.rename('mnt/in', 'home/in')\" | tail -1")).toContain(
      '[Errno 18]',
    );
    expect(await sh('mv mnt/in home/in; cat home/in; ls mnt; ln home/in mnt/x || true')).toContain(
      'cross-device',
    );
  });

  it('come and go', async () => {
    expect(await names('mnt')).toBe('');
    machine.init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
    machine.fs.writeFileSync('/mnt/first', 'x');
    await becomes(() => names('mnt'), 'first');
    // what Linux has looked at does not keep it mounted; the listing's descriptor goes a moment later
    await umountSoon('/mnt');
    await becomes(() => names('mnt'), '');
    machine.init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
    machine.fs.writeFileSync('/mnt/second', 'y');
    await becomes(() => names('mnt'), 'second');
    const handle = await fs.promises.open(path.join(at, 'mnt/second'));
    expect(() => machine.init.umount('/mnt')).toThrow(/EBUSY/);
    await handle.close();
    await umountSoon('/mnt');
  });

  it('may be of disks', async () => {
    const image = makeImage(here(), 16 << 20);
    const slot = machine.attachDisk(MemoryDisk.of(fs.readFileSync(image)));
    machine.init.mount(`/dev/vbd${slot}`, '/mnt', 'ext4', 0, '');
    await becomes(() => there('mnt/lost+found'), true);
    expect(await sh('cp -a /etc/passwd mnt/p; cmp /etc/passwd mnt/p && df -T mnt | tail -1')).toContain(
      'damselfly',
    );
    machine.fs.appendFileSync('/mnt/p', 'more\n');
    await becomes(async () => (await read('mnt/p')).endsWith('more\n'), true);
    await umountSoon('/mnt');
    machine.detachDisk(slot);
  });

  it('are procfs and devices, which are the machine’s and not the host’s', async () => {
    expect(await read('proc/mounts')).toContain('devfs /dev devfs');
    machine.init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
    expect(await read('proc/mounts')).toContain('/mnt tmpfs');
    expect(await sh('cat proc/sys/kernel/hostname; test -c dev/null && cat dev/null || true')).toMatch(
      /damselfly\n.*Permission denied/,
    );
    machine.init.mkfifo?.('/home/fifo');
    await sh(
      'test -e home/fifo || mkfifo home/fifo; (echo through > home/fifo &) ; test "$(cat home/fifo)" = through',
    );
    expect(machine.fs.lstatSync('/home/fifo').isFIFO()).toBe(true);
  });
});

describe.skipIf(skipMounts)('the thread that serves', () => {
  beforeEach(() => mount({ path: '/home' }));
  afterEach(end);

  it('is refused what it could never be given, and nobody else is', async () => {
    machine.fs.writeFileSync('/home/f', 'x');
    expect(() => fs.readdirSync(at)).toThrow(/EBUSY/);
    expect(() => fs.writeFileSync(path.join(at, 'g'), 'x')).toThrow(/EBUSY/);
    expect(await names('')).toBe('f');
  });

  it('leaves the machine to others between requests: locks, calls that wait, signals', async () => {
    machine.fs.writeFileSync('/home/lock', '');
    const fd = machine.fs.openSync('/home/lock', 'r+');
    machine.init.flock(fd, 2);
    const waits = sh('flock lock echo had');
    const reader = machine.fs.promises.readFile('/dev/null');
    await sleep(100);
    machine.init.flock(fd, 8);
    expect(await waits).toBe('had\n');
    expect((await reader).length).toBe(0);
    machine.fs.closeSync(fd);
  });
});

describe.skipIf(skipMounts)('what can be asked', () => {
  it('is a directory that is there, and options that mean something', async () => {
    at = path.join(here(), 'mnt');
    fs.mkdirSync(at);
    machine = await boot({ flavour: 'up-debug', ram: 16 << 20 });
    await expect(mountMachine(machine, at, { path: '/nowhere' })).rejects.toThrow(/ENOENT/);
    await expect(mountMachine(machine, `${at}/not`, {})).rejects.toThrow(
      /cannot mount|No such|bad mount point/,
    );
    await expect(mountMachine(machine, at, { options: 'data=journal' })).rejects.toThrow(/data=journal/);
    await expect(mountMachine(machine, at, { attrTimeout: -1 })).rejects.toThrow(RangeError);
    mounted = await mountMachine(machine, at, { readOnly: true, source: 'mine' });
    expect(await sh('touch home/x || true')).toContain('Read-only');
    expect(fs.readFileSync('/proc/self/mounts', 'utf8')).toMatch(
      new RegExp(`mine ${at} fuse.damselfly ro,nosuid,nodev`),
    );
    await end();
  });

  it('may be of a machine in shared memory', async () => {
    await mount({}, 'smp-debug');
    expect(await names('tmp')).toBe('');
    machine.fs.writeFileSync('/tmp/f', 'x');
    await becomes(() => names('tmp'), 'f');
    expect(await sh('echo y > tmp/g; mv tmp/f tmp/h; cat tmp/h')).toBe('x');
    expect(machine.fs.readdirSync('/tmp').sort()).toEqual(['g', 'h']);
    await end();
  });

  it('can be mounted twice, each told what the other does', async () => {
    await mount({ path: '/home' });
    const second = path.join(path.dirname(at), 'second');
    fs.mkdirSync(second);
    const other = await mountMachine(machine, second, DAY);
    expect(await sh(`ls ${second}/home`)).toBe('');
    await sh('echo x > f');
    await becomes(() => sh(`cat ${second}/home/f || true`), 'x\n');
    await sh(`echo longer > ${second}/home/f; rm -f gone`);
    await becomes(() => read('f'), 'longer\n');
    await other.unmount();
    await end();
  });
});

/** A program of its own, which ends in some way: what it printed, and how it ended. */
async function program(
  body: string,
): Promise<{ output: string; code: number | null; signal: string | null }> {
  const url = (name: string) =>
    JSON.stringify(new URL(`../../build/dist/host/${name}`, import.meta.url).href);
  const text = `
    import { boot } from ${url('index.js')};
    import { mountMachine } from ${url('mount/index.js')};
    import fs from 'node:fs';
    import { execSync, spawn } from 'node:child_process';
    const at = ${JSON.stringify(at)};
    const machine = await boot({ ram: 16 << 20 });
    const mounted = await mountMachine(machine, at);
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (some) => (output += some));
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ output, code, signal })));
}

describe.skipIf(skipMounts)('the end', () => {
  beforeEach(() => {
    at = path.join(here(), 'mnt');
    fs.mkdirSync(at);
  });
  afterEach(() => {
    expect(isMounted(at)).toBe(false);
  });
  const USER =
    "const user = spawn('bash', ['-c', 'cd ' + at + '; exec sleep 100']); await new Promise((resolve) => setTimeout(resolve, 300));";

  it.each(['SIGINT', 'SIGTERM'])('comes by %s', async (signal) => {
    const ended = await program(`process.kill(process.pid, '${signal}');`);
    expect(ended).toEqual({ output: '', code: null, signal });
  });

  it('comes by process.exit, in use or not, and by an exception', async () => {
    expect(await program('process.exit(3);')).toMatchObject({ output: '', code: 3 });
    expect(await program(`${USER} setTimeout(() => { user.kill(); process.exit(4); }, 100);`)).toMatchObject({
      code: 4,
    });
    expect((await program("throw new Error('mine');")).output).toContain('mine');
  });

  it('comes with the machine, shut down or panicked', async () => {
    expect(await program('machine.shutdown(); console.log(await mounted.ended);')).toMatchObject({
      output: 'undefined\n',
      code: 0,
    });
    const body = `
      machine.cpu.u32[${(BOOTBLOCK + BB_STATE) >>> 2}] = ${MACHINE_DEAD};
      await fs.promises.readdir(at + '/tmp').catch((error) => console.log(error.code));
      console.log(typeof await mounted.ended);`;
    expect(await program(body)).toMatchObject({ output: 'ENOTCONN\nstring\n', code: 0 });
  });

  it('is refused while it is in use, unless it is insisted on', async () => {
    const body = `${USER}
      await mounted.unmount().catch((error) => console.log(/busy/.test(error.message)));
      console.log((await fs.promises.readdir(at)).includes('home'));
      const file = await fs.promises.open(at + '/tmp/f', 'w');
      await mounted.unmount({ force: true });
      await file.write('x').catch((error) => console.log(error.code));
      user.kill();
      machine.shutdown();`;
    expect(await program(body)).toMatchObject({ output: 'true\ntrue\nENOTCONN\n', code: 0 });
  });

  it('waits for whoever uses it, when it is lazy', async () => {
    const body = `
      const file = await fs.promises.open(at + '/etc/hostname');
      await mounted.unmount({ lazy: true });
      console.log(await file.readFile('utf8'));
      await file.close();
      console.log(await mounted.ended);
      machine.shutdown();`;
    expect(await program(body)).toMatchObject({ output: 'damselfly\n\nundefined\n', code: 0 });
  });

  it('is not for ever to come for a program that is waited for synchronously', async () => {
    const body = `
      try { execSync('ls ' + at, { stdio: 'pipe' }); } catch (error) { console.log(/deadlock/.test(String(error.stderr))); }
      await mounted.unmount();
      machine.shutdown();`;
    const { output, code } = await program(body);
    expect([code, output]).toEqual([0, expect.stringMatching(/true/)]);
  }, 30_000);
});

describe.skipIf(skipRoots || lacks('fusermount3'))('as a user', () => {
  it('works by fusermount3', async () => {
    const directory = here();
    at = path.join(directory, 'home', 'mnt');
    const home = makeNobodysHome(directory);
    const url = (name: string) => JSON.stringify(`file://${home.repository}/build/dist/host/${name}`);
    fs.writeFileSync(
      path.join(directory, 'home', 'program.mjs'),
      `import { boot } from ${url('index.js')};
      import { mountMachine } from ${url('mount/index.js')};
      import fs from 'node:fs';
      import { exec } from 'node:child_process';
      const machine = await boot({ ram: 64 << 20 });
      machine.fs.chmodSync('/home', 0o777);
      const sh = (line) => new Promise((resolve) => exec(line, (error, out, err) => resolve(out + err)));
      const until = async (line, wanted) => { for (let i = 0; i < 200 && await sh(line) !== wanted; i++); console.log(await sh(line) === wanted); };
      const mounted = await mountMachine(machine, 'mnt');
      console.log(await sh('grep -c "mnt fuse.damselfly rw,nosuid,nodev" /proc/mounts; echo mine > mnt/home/f; cat mnt/home/f; ls mnt/home'));
      machine.fs.writeFileSync('/home/f', 'changed');
      await until('cat mnt/home/f', 'changed');
      machine.fs.writeFileSync('/home/g', '');
      await until('ls mnt/home', 'f\\ng\\n');
      await sh('head -c 3000000 /dev/urandom > big; cp big mnt/home/big');
      console.log(await sh('cmp big mnt/home/big'), machine.fs.statSync('/home/big').size);
      try { fs.readdirSync('mnt'); } catch (error) { console.log(error.code); }
      await mounted.unmount();
      console.log(fs.readdirSync('mnt').length);
      const again = await mountMachine(machine, 'mnt');
      again.ended.then(() => console.log('ended'));
      await sh('${home.node} ${home.repository}/build/dist/host/cli/main.js umount mnt');
      await again.ended;
      await mountMachine(machine, 'mnt');
      process.exit(0);`,
    );
    const line = `${home.node} program.mjs; for i in 1 2 3 4 5 6 7 8 9; do grep -q "home/mnt fuse" /proc/mounts || break; sleep 0.2; done; grep -c "home/mnt fuse" /proc/mounts || true`;
    fs.writeFileSync(path.join(directory, 'inside'), home.as(line));
    const out = await sh(`unshare -m --propagation private bash ${directory}/inside`, directory);
    expect(out).toBe('1\nmine\nf\n\ntrue\ntrue\n 3000000\nEBUSY\n0\nended\n0\n');
  });
});

describe.skipIf(skipMounts)('damselfly boot --mount', () => {
  it('serves while the shell runs, and ends with it', async () => {
    at = path.join(here(), 'mnt');
    fs.mkdirSync(at);
    const child = spawn(process.execPath, [MAIN, 'boot', '--mount', `${at}:/home`], { stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (some) => (output += some));
    const closed = new Promise((resolve) => child.once('close', resolve));
    while (!isMounted(at)) await sleep(20);
    child.stdin.write('echo inside > /home/f; echo said\n');
    await becomes(() => sh('cat f || true'), 'inside\n');
    child.stdin.write('echo again > /home/f\n');
    await becomes(() => sh('cat f'), 'again\n');
    await sh('echo outside > g');
    child.stdin.end('cat /home/g\n');
    expect(await closed).toBe(0);
    expect(output).toMatch(/said[\s\S]*outside/);
    expect(isMounted(at)).toBe(false);
  });

  it('is ended by SIGTERM, and by damselfly umount', async () => {
    at = path.join(here(), 'mnt');
    fs.mkdirSync(at);
    for (const how of ['SIGTERM', 'umount']) {
      const child = spawn(process.execPath, [MAIN, 'boot', '--mount', at, '-c', 'sleep 5']);
      const closed = new Promise((resolve) => child.once('close', resolve));
      while (!isMounted(at)) await sleep(20);
      await fs.promises.stat(at);
      if (how === 'SIGTERM') child.kill('SIGTERM');
      else {
        await sh(`${process.execPath} ${MAIN} umount ${at}`, '/');
        expect(isMounted(at)).toBe(false);
        child.kill('SIGTERM');
      }
      expect(await closed).toBe(143);
      expect(isMounted(at)).toBe(false);
    }
  });
});
