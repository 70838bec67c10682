/** The devices, and devfs, which shows them. */
import { describe, expect, test } from 'vitest';
import {
  MS_NODEV,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFCHR,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from '../../../assembly/abi/flags.ts';
import { CONSOLE_EOF, CONSOLE_HANGUP } from '../../../assembly/abi/layout.ts';
import { SIGINT } from '../../../assembly/abi/signals.ts';
import { ICANON, TCIFLUSH } from '../../../assembly/abi/termios.ts';
import { makeSane } from '../../../host/syscalls/ttycalls.ts';
import { codeOf, onMachine, type } from './kit.ts';

const NODES = [
  ['null', 0x103, 0o666],
  ['zero', 0x105, 0o666],
  ['full', 0x107, 0o666],
  ['random', 0x108, 0o666],
  ['urandom', 0x109, 0o666],
  ['tty', 0x500, 0o666],
  ['console', 0x501, 0o600],
  ['ptmx', 0x502, 0o666],
] as const;

describe('devfs', () => {
  test(
    'shows each device with its number and mode, the links, and shm',
    onMachine(({ fs }) => {
      for (const [name, rdev, mode] of NODES) {
        const st = fs.statSync(`/dev/${name}`);
        expect([name, st.isCharacterDevice(), st.rdev, st.mode & 0o7777]).toEqual([name, true, rdev, mode]);
      }
      expect(fs.readlinkSync('/dev/fd')).toBe('/proc/self/fd');
      expect(['stdin', 'stdout', 'stderr'].map((name) => fs.readlinkSync(`/dev/${name}`))).toEqual([
        '/proc/self/fd/0',
        '/proc/self/fd/1',
        '/proc/self/fd/2',
      ]);
      expect(fs.statSync('/dev/shm').mode).toBe(0o41777);
      expect(fs.statSync('/dev').nlink).toBe(4);
      expect(fs.readdirSync('/dev').sort()).toEqual(
        [...NODES.map(([name]) => name), 'fd', 'pts', 'shm', 'stderr', 'stdin', 'stdout'].sort(),
      );
    }),
  );

  test(
    'is changed like any directory, and a device works under any name',
    onMachine((machine) => {
      const { fs } = machine;
      fs.chmodSync('/dev/null', 0o600);
      fs.chownSync('/dev/null', 7, 8);
      expect(fs.statSync('/dev/null')).toMatchObject({ mode: S_IFCHR | 0o600, uid: 7, gid: 8 });
      fs.renameSync('/dev/zero', '/dev/nought');
      expect(fs.existsSync('/dev/zero')).toBe(false);
      fs.mkdirSync('/dev/deep');
      machine.init.mknod('/dev/deep/z', S_IFCHR | 0o644, 0x105);
      fs.unlinkSync('/dev/full');
      fs.writeFileSync('/dev/shm/segment', 'shared');
      for (const path of ['/dev/nought', '/dev/deep/z']) {
        const fd = fs.openSync(path, 'r');
        const bytes = Buffer.alloc(10000, 1);
        expect(fs.readSync(fd, bytes)).toBe(10000);
        expect(bytes.every((b) => b === 0)).toBe(true);
        fs.closeSync(fd);
      }
      machine.init.mknod('/tmp/none', S_IFCHR | 0o666, 0x4207);
      expect(codeOf(() => fs.openSync('/tmp/none', 'r'))).toBe('ENXIO');
    }),
  );

  test(
    'can be mounted again elsewhere, each mount with nodes of its own; nodev closes them',
    onMachine((machine) => {
      const { fs, init } = machine;
      fs.mkdirSync('/mnt/dev');
      init.mount('devfs', '/mnt/dev', 'devfs', 0, 'mode=711');
      expect(fs.statSync('/mnt/dev').mode & 0o7777).toBe(0o711);
      fs.unlinkSync('/mnt/dev/null');
      expect(fs.existsSync('/dev/null')).toBe(true);
      init.umount('/mnt/dev');
      init.mount('devfs', '/mnt/dev', 'devfs', MS_NODEV);
      expect(codeOf(() => fs.openSync('/mnt/dev/null', 'r'))).toBe('EACCES');
      init.umount('/mnt/dev');
      expect(codeOf(() => init.mount('devfs', '/mnt/dev', 'devfs', 0, 'nr_inodes=4'))).toBe('ENOSPC');
    }),
  );
});

describe('memory devices', () => {
  test(
    'null swallows and is empty; full is full; random differs each time',
    onMachine(({ fs }) => {
      fs.writeFileSync('/dev/null', Buffer.alloc(100_000, 7));
      expect(fs.readFileSync('/dev/null').length).toBe(0);
      expect(codeOf(() => fs.writeFileSync('/dev/full', 'x'))).toBe('ENOSPC');
      const fd = fs.openSync('/dev/full', 'r');
      expect([fs.readSync(fd, Buffer.alloc(5000)), fs.closeSync(fd)]).toEqual([5000, undefined]);
      for (const name of ['random', 'urandom']) {
        const random = fs.openSync(`/dev/${name}`, 'r+');
        const [a, b] = [Buffer.alloc(9000), Buffer.alloc(9000)];
        expect([fs.readSync(random, a), fs.readSync(random, b)]).toEqual([9000, 9000]);
        expect(a.equals(b)).toBe(false);
        // each byte value is there: the chance of a miss is 256 × (255/256)^9000, under 1e-12
        expect(new Set(a).size).toBe(256);
        expect(fs.writeSync(random, 'stir')).toBe(4);
        fs.closeSync(random);
      }
    }),
  );

  test('random is a function of the seed on a seeded machine', async () => {
    const draw = async (seed: number): Promise<string> => {
      let drawn = '';
      await onMachine(
        ({ fs }) => {
          const fd = fs.openSync('/dev/urandom', 'r');
          const bytes = Buffer.alloc(33);
          fs.readSync(fd, bytes);
          fs.closeSync(fd);
          drawn = bytes.toString('hex');
        },
        { seed },
      )();
      return drawn;
    };
    expect(await draw(5)).toBe(await draw(5));
    expect(await draw(5)).not.toBe(await draw(6));
  });

  test(
    'have one position',
    onMachine(({ init, fs }) => {
      const fd = fs.openSync('/dev/zero', 'r');
      fs.readSync(fd, Buffer.alloc(10));
      expect([SEEK_SET, SEEK_CUR, SEEK_END].map((whence) => init.lseek(fd, 100, whence))).toEqual([0, 0, 0]);
      fs.closeSync(fd);
    }),
  );
});

describe('console', () => {
  test('writes to the host', async () => {
    let out = '';
    await onMachine(
      ({ fs }) => {
        fs.writeFileSync('/dev/console', 'one ');
        fs.writeFileSync('/dev/console', 'x'.repeat(9001));
      },
      { console: (bytes) => (out += Buffer.from(bytes).toString()) },
    )();
    expect(out).toBe(`one ${'x'.repeat(9001)}`);
  });

  test(
    'a read takes what is there: it begins raw',
    onMachine((machine) => {
      const { fs, init } = machine;
      const fd = init.openat(-100, '/dev/console', O_RDWR | O_NONBLOCK);
      const read = (n = 100) => {
        const bytes = Buffer.alloc(n);
        return bytes.toString('utf8', 0, fs.readSync(fd, bytes));
      };
      expect(codeOf(() => read())).toBe('EAGAIN');
      expect(type(machine, 'first\nsecond\nth')).toBe(15);
      expect([read(3), read()]).toEqual(['fir', 'st\nsecond\nth']);
      expect(codeOf(() => read())).toBe('EAGAIN');
      expect(codeOf(() => init.lseek(fd, 0, SEEK_SET))).toBe('ESPIPE');
      fs.closeSync(fd);
    }),
  );

  test(
    'the queue is bounded, and wraps without losing a byte',
    onMachine((machine) => {
      const fd = machine.init.openat(-100, '/dev/console', O_RDONLY | O_NONBLOCK);
      let sent = '';
      let got = '';
      for (let turn = 0; turn < 50; turn++) {
        const text = Array.from({ length: 300 }, (_, i) =>
          String.fromCharCode(65 + ((turn * 7 + i) % 26)),
        ).join('');
        sent += text.slice(0, type(machine, text));
        const bytes = Buffer.alloc(turn % 5 === 0 ? 40 : 400);
        got += bytes.toString('latin1', 0, machine.fs.readSync(fd, bytes));
      }
      const rest = Buffer.alloc(4096);
      while (got.length < sent.length) got += rest.toString('latin1', 0, machine.fs.readSync(fd, rest));
      expect(got).toBe(sent);
      expect(type(machine, 'y'.repeat(5000))).toBe(4095);
      expect(type(machine, 'z')).toBe(0);
      machine.fs.closeSync(fd);
    }),
  );

  test(
    'a reader waits, goes on when input comes, and a cancelled one leaves nothing behind',
    onMachine(async (machine) => {
      const { fs } = machine;
      const fd = fs.openSync('/dev/console', 'r');
      expect(codeOf(() => fs.readSync(fd, Buffer.alloc(9)))).toBe('EDEADLK');
      const bytes = Buffer.alloc(9);
      const handle = await fs.promises.open('/dev/console', 'r');
      const reading = handle.read(bytes, 0, 9, null);
      type(machine, 'hello\n');
      expect((await reading).bytesRead).toBe(6);
      expect(bytes.toString('utf8', 0, 6)).toBe('hello\n');
      await handle.close();
      fs.closeSync(fd);
    }),
  );

  test(
    'an end of file is read once, a hang-up for ever',
    onMachine((machine) => {
      const { fs } = machine;
      const fd = machine.init.openat(-100, '/dev/console', O_RDONLY | O_NONBLOCK);
      const read = () => fs.readSync(fd, Buffer.alloc(100));
      type(machine, 'abc', CONSOLE_EOF);
      expect(machine.cpu.exports.console_input(0, CONSOLE_EOF)).toBe(-11);
      type(machine, 'de');
      expect([read(), read(), read()]).toEqual([3, 0, 2]);
      expect(codeOf(read)).toBe('EAGAIN');
      type(machine, 'f', CONSOLE_HANGUP);
      expect([read(), read(), read()]).toEqual([1, 0, 0]);
      expect(type(machine, 'g')).toBe(-22);
      expect(machine.cpu.exports.console_input(99999, 0)).toBe(-22);
      fs.closeSync(fd);
    }),
  );

  test(
    'an end of file stays when what came before it is flushed, or read as lines',
    onMachine((machine) => {
      const { init } = machine;
      const fd = init.openat(-100, '/dev/console', O_RDONLY | O_NONBLOCK);
      const raw = init.tcgetattr(fd);
      const read = () => {
        const bytes = Buffer.alloc(8192);
        return bytes.toString('utf8', 0, init.fs.readSync(fd, bytes));
      };
      type(machine, 'abc', CONSOLE_EOF);
      init.tcflush(fd, TCIFLUSH);
      type(machine, 'd');
      expect([read(), read()]).toEqual(['', 'd']);
      type(machine, 'efg\n', CONSOLE_EOF);
      init.tcsetattr(fd, { ...raw, lflag: raw.lflag | ICANON });
      expect(read()).toBe('efg\n');
      init.tcsetattr(fd, raw);
      type(machine, 'h');
      expect([read(), read()]).toEqual(['', 'h']);
      expect(codeOf(read)).toBe('EAGAIN');
    }),
  );

  test(
    'only root opens the console, and nobody has a terminal by that',
    onMachine((machine) => {
      const user = machine.process({ uid: 1000, gid: 1000 });
      expect(codeOf(() => user.openat(-100, '/dev/console', O_WRONLY))).toBe('EACCES');
      expect(codeOf(() => user.openat(-100, '/dev/tty', O_WRONLY))).toBe('ENXIO');
      user.exit();
      const leader = machine.init.fork();
      leader.setsid();
      leader.openat(-100, '/dev/console', O_RDWR);
      expect(codeOf(() => leader.openat(-100, '/dev/tty', O_WRONLY))).toBe('ENXIO');
    }),
  );

  test('is a terminal for who makes it one: echo, keys, a session, ends of file', async () => {
    let out = '';
    await onMachine(
      (machine) => {
        const sh = machine.process().fork();
        sh.setsid();
        const fd = sh.openat(-100, '/dev/console', O_RDWR | O_NONBLOCK);
        expect(sh.tcgetattr(fd).lflag).toBe(0);
        sh.tcsetattr(fd, makeSane());
        sh.setControllingTerminal(fd);
        const tty = sh.openat(-100, '/dev/tty', O_RDWR | O_NONBLOCK);
        const read = () => {
          const bytes = Buffer.alloc(100);
          return bytes.toString('utf8', 0, sh.fs.readSync(tty, bytes));
        };
        type(machine, 'hä\x7fi');
        expect(codeOf(read)).toBe('EAGAIN');
        type(machine, '\nmore', CONSOLE_EOF);
        expect([read(), read(), read()]).toEqual(['hi\n', 'more', '']);
        sh.fs.writeSync(tty, 'line\n');
        // stopped, the echo waits with the rest
        type(machine, '\x13');
        type(machine, 'e');
        expect(out).toBe('hä\b \bi\r\nmoreline\r\n');
        type(machine, '\x11');
        expect(out).toBe('hä\b \bi\r\nmoreline\r\ne');
        const job = sh.fork();
        job.setpgid(0, 0);
        sh.tcsetpgrp(tty, job.pid);
        type(machine, '\x03');
        expect(sh.wait(job.pid)).toEqual({ pid: job.pid, status: SIGINT });
        expect(out.endsWith('e^C')).toBe(true);
      },
      { console: (bytes) => (out += Buffer.from(bytes).toString()) },
    )();
  });

  test('tells a writer that the host did not take what it wrote', async () => {
    await onMachine(({ fs }) => expect(codeOf(() => fs.writeFileSync('/dev/console', 'lost'))).toBe('EIO'), {
      console: () => {
        throw new Error('no paper');
      },
    })();
  });

  test(
    'revoked, it wakes who waits',
    onMachine(async (machine) => {
      const handle = await machine.fs.promises.open('/dev/console', 'r');
      const reading = handle.read(Buffer.alloc(9), 0, 9, null);
      await Promise.resolve();
      machine.init.revoke('/dev/console');
      await expect(reading).rejects.toMatchObject({ code: 'EIO' });
      await handle.close();
    }),
  );
});

describe('booting', () => {
  test(
    'a machine of 4 MiB boots with most of its RAM free',
    onMachine((machine) => expect(machine.ramFreeBytes).toBeGreaterThan(3.3 * 2 ** 20), { ram: 4 << 20 }),
  );
});
