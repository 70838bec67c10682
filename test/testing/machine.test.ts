/** Machines for tests: what they are like, that they keep apart, and what they are checked for. */
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bootSync, forkSync } from '../../host/machine/boot.ts';
import { LeakError } from '../../host/index.ts';
import { MemoryPool } from '../../host/machine/memory.ts';
import {
  fromJSON,
  mockFs,
  mockFsPromises,
  OpenFilesError,
  TestMachine,
  type TestMachineOptions,
  testMachine,
  toJSON,
} from '../../host/testing/index.ts';
import { checkRam } from '../helpers/ram.ts';

const seeded: TestMachineOptions = { seed: 7, ram: 8 << 20, files: { '/app/file': 'text' } };
const code = (wanted: string) => expect.objectContaining({ code: wanted });

/** Everything that a test may leave behind: files, processes, mounts, RAM used to the last frame. */
function wreck(machine: TestMachine): void {
  const { fs } = machine;
  const other = machine.process({ uid: 1000, gid: 1000 });
  other.fs.writeFileSync('/tmp/of another', 'x');
  machine.init.mount('tmpfs', '/mnt', 'tmpfs', 0, 'size=1m');
  fs.writeFileSync('/mnt/file', Buffer.alloc(100_000, 0xaa));
  fs.rmSync('/app', { recursive: true, force: true });
  expect(() => {
    for (let n = 0; ; n++) fs.writeFileSync(`/tmp/fill-${n}`, Buffer.alloc(1 << 20, 0xff));
  }).toThrow(code('ENOSPC'));
}

describe('a memory that is used again', () => {
  test('makes the very machine that a new one makes, byte for byte', () => {
    const options = { ...seeded, openFiles: 'allow' } as const;
    const first = testMachine(options);
    const { memory } = first.cpu;
    const fresh = Buffer.from(first.cpu.u8);
    wreck(first);
    expect(Buffer.compare(first.cpu.u8, fresh)).not.toBe(0);
    first.shutdown();
    const second = testMachine(options);
    expect(second.cpu.memory).toBe(memory);
    expect(Buffer.compare(second.cpu.u8, fresh)).toBe(0);
    checkRam(second.cpu);
    expect(second.fs.readFileSync('/app/file', 'utf8')).toBe('text');
    expect(second.fs.readdirSync('/tmp')).toEqual([]);
    second.shutdown();
  });

  test('is all zeros in the pool, whatever happened in it', () => {
    const pool = new MemoryPool(1);
    const prepared = bootSync({ ram: 4 << 20 });
    const from = prepared.snapshot();
    prepared.shutdown();
    const machine = forkSync(TestMachine, { from, pool });
    const { memory } = machine.cpu;
    wreck(Object.assign(machine, { checksOpenFiles: false }));
    machine.shutdown();
    expect(pool.take(4 << 20)).toBe(memory);
    expect(new BigUint64Array(memory.buffer).every((word) => word === 0n)).toBe(true);
    expect(pool.take(4 << 20)).not.toBe(memory);
  }, 30_000);

  test('is not to be had by machines that share memory, or of another size', () => {
    const pool = new MemoryPool(4);
    const shared = bootSync({ ram: 4 << 20, flavour: 'smp' });
    const fork = forkSync(TestMachine, { from: shared.snapshot(), pool });
    const { memory } = fork.cpu;
    fork.shutdown();
    shared.shutdown();
    expect(pool.take(4 << 20)).not.toBe(memory);
    const small = pool.take(4 << 20);
    pool.give(small, 0);
    expect(pool.take(8 << 20).buffer.byteLength).toBe(8 << 20);
    expect(pool.take(4 << 20)).toBe(small);
  });

  test('the pool keeps no more than it was told to', () => {
    const pool = new MemoryPool(2);
    const memories = [1, 2, 3].map(() => pool.take(4 << 20));
    for (const memory of memories) pool.give(memory, 0);
    expect(pool.take(4 << 20)).toBe(memories[2]);
    expect(pool.take(4 << 20)).toBe(memories[1]);
    expect(memories).not.toContain(pool.take(4 << 20));
  });
});

describe('what is kept of a machine that is gone', () => {
  /** Call everything with arguments that would do something, now and later; collects what is thrown. */
  async function callAll(fs: TestMachine['fs']): Promise<Set<string>> {
    const codes = new Set<string>();
    const note = (error: unknown) => void codes.add((error as NodeJS.ErrnoException).code ?? `${error}`);
    const all = { ...fs, ...Object.fromEntries(Object.entries(fs.promises).map(([k, v]) => [`p.${k}`, v])) };
    const answers: Promise<unknown>[] = [];
    for (const [name, member] of Object.entries(all)) {
      if (typeof member !== 'function' || /^[A-Z]|exists$|[wW]atch|Blob|Stream/.test(name)) continue;
      const call = member as (...args: unknown[]) => unknown;
      const argument = /^(fs\.)?(p\.)?(f[a-z]|close|read|readv|write|writev)(Sync)?$/.test(name)
        ? 0
        : '/tmp/x';
      for (const args of [
        [argument],
        [argument, '/tmp/y'],
        [argument, 0o777, 5],
        [argument, Buffer.from('abc')],
      ]) {
        const later = !name.endsWith('Sync') && !name.startsWith('p.');
        try {
          if (later)
            answers.push(new Promise((resolve) => call(...args, (error: unknown) => resolve(note(error)))));
          else answers.push(Promise.resolve(call(...args)).catch(note));
        } catch (error) {
          note(error);
        }
      }
    }
    // some call back never, having thrown before
    await Promise.race([Promise.allSettled(answers), new Promise((resolve) => setTimeout(resolve, 500))]);
    return codes;
  }

  test('reaches nothing of the machine that has its memory', async () => {
    const first = testMachine(seeded);
    const { fs, init } = first;
    const { statSync } = fs;
    const process = first.process();
    const handle = await fs.promises.open('/app/file');
    const waiting = (async () => {
      init.mkfifo('/tmp/fifo');
      await fs.promises.readFile('/tmp/fifo');
    })();
    first.checksOpenFiles = false;
    first.shutdown();
    await expect(waiting).rejects.toThrow(code('ESRCH'));

    const second = testMachine(seeded);
    expect(second.cpu.memory).toBe(first.cpu.memory);
    const before = Buffer.from(second.cpu.u8);
    expect(() => statSync('/app/file')).toThrow(code('ESRCH'));
    expect(() => init.mkfifo('/tmp/again')).toThrow(code('ESRCH'));
    expect(() => process.exit()).toThrow(code('ESRCH'));
    expect(() => first.process()).toThrow();
    expect(() => first.snapshot()).toThrow();
    first.reclaim();
    first.shutdown();
    await expect(handle.readFile()).rejects.toThrow(code('ESRCH'));
    await expect(handle.close()).rejects.toThrow(code('ESRCH'));
    const codes = await callAll(fs);
    expect(codes).toContain('ESRCH');
    expect(
      [...codes].filter((one) => !one.startsWith('ERR_') && one !== 'ESRCH' && !one.startsWith('TypeError')),
    ).toEqual([]);
    expect(first.log).toBe('');
    expect(Buffer.compare(second.cpu.u8, before)).toBe(0);
    second.shutdown();
  }, 20_000);
});

describe('options', () => {
  test('who, where, and with which mask', () => {
    const options = {
      uid: 1000,
      gid: 100,
      groups: [5],
      umask: 0o077,
      cwd: '/home/ada/work',
      hostname: 'box',
    };
    const machine = testMachine(options);
    const { fs } = machine;
    fs.writeFileSync('file', '');
    expect(fs.statSync('/home/ada/work/file')).toMatchObject({ uid: 1000, gid: 100, mode: 0o100600 });
    expect(fs.statSync('/home/ada/work')).toMatchObject({ uid: 1000, gid: 100 });
    expect(fs.statSync('/home/ada').uid).toBe(0);
    expect(fs.readFileSync('/proc/sys/kernel/hostname', 'utf8').trim()).toBe('box');
    machine.init.fs.writeFileSync('/tmp/five', '5', { mode: 0o640 });
    machine.init.fs.chownSync('/tmp/five', 0, 5);
    machine.init.fs.chmodSync('/tmp/five', 0o640);
    expect(fs.readFileSync('/tmp/five', 'utf8')).toBe('5');
    machine.shutdown();
  });

  test('a working directory that is there is left as it is', () => {
    const machine = testMachine({ uid: 1000, cwd: '/etc' });
    expect(machine.fs.statSync('.').uid).toBe(0);
    expect(machine.fs.existsSync('passwd')).toBe(true);
    machine.shutdown();
  });

  test('the same object boots once, another one again', () => {
    const written: string[] = [];
    const options: TestMachineOptions = { seed: 1, files: { '/log': '' } };
    const name = () => {
      const machine = testMachine(options);
      written.push(machine.fs.mkdtempSync('/tmp/'));
      machine.shutdown();
    };
    name();
    name();
    Object.assign(options, { seed: 2 }); // too late: it is what it was when it was first used
    name();
    expect(new Set(written).size).toBe(1);
  });

  test('are refused as boot refuses them', () => {
    expect(() => testMachine({ ram: 1000 })).toThrow(RangeError);
    expect(() => testMachine({ files: { relative: '' } })).toThrow('absolute');
    expect(() => testMachine({ uid: 1, groups: Array(40).fill(1) as number[] })).toThrow(RangeError);
  });
});

describe('files left open', () => {
  test('are named, by process', () => {
    const machine = testMachine();
    const other = machine.process({ uid: 1000, gid: 1000 });
    const fd = machine.fs.openSync('/etc/passwd', 'r');
    const gone = other.fs.openSync('/tmp/gone', 'w');
    other.fs.unlinkSync('/tmp/gone');
    const { read, write } = other.pipe();
    expect(machine.openFiles()).toEqual([
      { pid: machine.init.pid, fd, path: '/etc/passwd' },
      { pid: other.pid, fd: gone, path: '/tmp/gone (deleted)' },
      { pid: other.pid, fd: read, path: expect.stringMatching(/^pipe:/) },
      { pid: other.pid, fd: write, path: expect.stringMatching(/^pipe:/) },
    ]);
    other.exit();
    let error: unknown;
    try {
      machine.shutdown();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OpenFilesError);
    expect((error as OpenFilesError).files).toEqual([{ pid: machine.init.pid, fd, path: '/etc/passwd' }]);
    machine.shutdown(); // it is shut down already
  });

  test('may be allowed', async () => {
    const machine = testMachine({ openFiles: 'allow' });
    machine.fs.openSync('/etc/passwd', 'r');
    await machine.close();
  });

  test('are waited for a little: streams close by themselves', async () => {
    const machine = testMachine();
    const stream = machine.fs.createWriteStream('/tmp/stream');
    await new Promise<void>((resolve) => stream.end('text', () => resolve()));
    await machine.close();
    const another = testMachine();
    const reader = another.fs.createReadStream('/etc/passwd');
    await new Promise((resolve) => reader.once('open', resolve));
    await expect(another.close()).rejects.toThrow(OpenFilesError);
  });

  test('a machine is disposed of, at once or later', async () => {
    const machines: TestMachine[] = [];
    {
      using machine = testMachine();
      machines.push(machine);
    }
    {
      await using machine = testMachine();
      machines.push(machine);
    }
    for (const machine of machines) expect(() => machine.fs.readdirSync('/')).toThrow(code('ESRCH'));
  });

  test('a machine left full, or without /proc, is no error', () => {
    for (const leave of [
      (machine: TestMachine) => wreck(machine),
      (machine: TestMachine) => machine.init.umount('/proc'),
    ]) {
      const machine = testMachine({ ram: 4 << 20, files: { '/app/file': '' } });
      leave(machine);
      machine.shutdown();
    }
  });

  test('what the kernel has left over is a LeakError, and its memory is not used again', () => {
    const options: TestMachineOptions = { flavour: 'up-debug', ram: 5 << 20 };
    const machine = testMachine(options);
    vi.spyOn(machine.cpu.exports, 'machine_shutdown').mockReturnValue(2);
    expect(() => machine.shutdown()).toThrow(LeakError);
    const next = testMachine(options);
    expect(next.cpu.memory).not.toBe(machine.cpu.memory);
    next.shutdown();
  });
});

describe('modules in place of node:fs', () => {
  const machines: TestMachine[] = [];
  const make = (options?: TestMachineOptions) => {
    const machine = testMachine(options);
    machines.push(machine);
    return machine;
  };
  afterEach(() => {
    for (const machine of machines.splice(0)) machine.shutdown();
  });
  const fs = mockFs();
  const promises = mockFsPromises();

  test('export what fs has, and a default', () => {
    const machine = make();
    expect(Object.keys(fs).sort()).toEqual([...Object.keys(machine.fs), 'default'].sort());
    expect(Object.keys(promises).sort()).toEqual([...Object.keys(machine.fs.promises), 'default'].sort());
    expect(fs.default.promises).toBe(promises.default);
    expect(fs.Stats).toBe(machine.fs.Stats);
    expect(fs.constants).toBe(machine.fs.constants);
    expect(fs.readFileSync.name).toBe('readFileSync');
  });

  test('lead to the one machine that offers its fs', async () => {
    expect(() => fs.readdirSync('/')).toThrow('no machine is there');
    const one = make();
    one.offerFs();
    one.offerFs();
    fs.writeFileSync('/tmp/one', '1');
    expect(one.fs.readFileSync('/tmp/one', 'utf8')).toBe('1');
    expect(await promises.readFile('/tmp/one', 'utf8')).toBe('1');
    const two = make();
    two.offerFs();
    expect(() => fs.readdirSync('/')).toThrow('several machines');
    expect(() => promises.readdir('/')).toThrow('several machines');
    one.shutdown();
    expect(fs.readdirSync('/tmp')).toEqual([]);
    two.shutdown();
    expect(() => fs.readdirSync('/')).toThrow('no machine is there');
  });

  test('as functions that were taken out of them before, in every form', async () => {
    const { readFile, realpathSync, createWriteStream, read, exists } = fs;
    const later = {
      readFile: promisify(readFile),
      read: promisify(read),
      exists: promisify(exists),
    };
    for (const text of ['first', 'second']) {
      const machine = make({ files: { '/file': text } });
      machine.offerFs();
      expect(await later.readFile('/file', 'utf8')).toBe(text);
      expect(await later.exists('/file')).toBe(true);
      const fd = fs.openSync('/file', 'r');
      const { bytesRead, buffer } = await later.read(fd, Buffer.alloc(10), 0, 10, 0);
      fs.closeSync(fd);
      expect(buffer.toString('utf8', 0, bytesRead)).toBe(text);
      machine.fs.symlinkSync('/file', '/link');
      expect([realpathSync('/link'), realpathSync.native('/link')]).toEqual(['/file', '/file']);
      const stream = createWriteStream('/out');
      expect(stream).toBeInstanceOf(fs.WriteStream);
      expect(fs.createReadStream('/file').destroy()).toBeInstanceOf(fs.ReadStream);
      await new Promise<void>((resolve) => stream.end(text, () => resolve()));
      expect(machine.fs.readFileSync('/out', 'utf8')).toBe(text);
      await vi.waitFor(() => expect(machine.openFiles()).toEqual([]));
      machine.shutdown();
    }
  });

  test('follow what is spied on', () => {
    const machine = make();
    machine.offerFs();
    vi.spyOn(machine.fs, 'statSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    });
    expect(() => fs.statSync('/')).toThrow(code('EIO'));
    expect(fs.statSync('/').isDirectory()).toBe(true);
  });
});

test('trees as objects', () => {
  const machine = testMachine();
  const { fs } = machine;
  fromJSON(
    fs,
    { 'a/b': 'text', 'a/c': new Uint8Array([0x78]), empty: null, '/tmp/d': { data: 'd', mode: 0o600 } },
    '/app',
  );
  fs.symlinkSync('b', '/app/a/link');
  expect(toJSON(fs, '/app')).toEqual({ '/app/a/b': 'text', '/app/a/c': 'x', '/app/empty': null });
  expect(toJSON(fs, '/tmp')).toEqual({ '/tmp/d': 'd' });
  expect(fs.statSync('/tmp/d').mode & 0o777).toBe(0o600);
  expect(() => fromJSON(fs, {}, 'app')).toThrow("'app' is not an absolute path");
  machine.shutdown();
});
