/** Threads that join a machine: they come and go, see one another's files, wait for one another, and are killed. */
import { describe, expect, test } from 'vitest';
import { CPU_TABLE } from '../../assembly/abi/layout.ts';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import { SharedDisk } from '../../host/devices/shared.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { notBuilt, thread } from './threads.ts';

const smp = (ram = 32 << 20) => debugMachine({ flavour: 'smp-debug', ram });

/** Resolves when the machine has that many CPUs. */
async function cpus(machine: Machine, count: number): Promise<void> {
  while (machine.cpus !== count) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.skipIf(notBuilt !== '')(`threads of a machine${notBuilt}`, () => {
  test('one joins, sees the files of the others, and leaves', async () => {
    const machine = smp();
    machine.fs.writeFileSync('/a', 'from the first');
    const other = thread(
      machine,
      (member) => {
        member.fs.writeFileSync('/b', `${member.number} has read: ${member.fs.readFileSync('/a', 'utf8')}`);
        return member.number;
      },
      undefined,
    );
    expect(await other.done).toBe(1);
    expect(machine.fs.readFileSync('/b', 'utf8')).toBe('1 has read: from the first');
    expect(machine.cpus).toBe(1);
    await other.ended;
    machine.shutdown();
  });

  test('63 others at once, and the 64th is one too many', { timeout: 120_000 }, async () => {
    const machine = smp(64 << 20);
    const { u32, exports } = machine.cpu;
    expect(u32.length).toBeGreaterThan(0);
    // as threads they would take a minute to start; a CPU is an instance, on whichever thread
    const { joinMachine } = await import('../../host/machine/join.ts');
    const members = Array.from({ length: 63 }, () => joinMachine(machine.ticket(), { mayWait: false }));
    expect(members.map(({ number }) => number)).toEqual(Array.from({ length: 63 }, (_, i) => i + 1));
    expect(machine.cpus).toBe(64);
    expect(() => joinMachine(machine.ticket())).toThrow('EUSERS');
    for (const [i, { fs }] of members.entries()) fs.writeFileSync(`/f${i}`, `${i}`);
    for (const member of members) member.leave();
    expect(machine.cpus).toBe(1);
    expect(machine.fs.readdirSync('/').filter((name) => name.startsWith('f'))).toHaveLength(63);
    expect(exports.machine_reclaim()).toBe(0);
    // and their numbers are given out again
    const again = joinMachine(machine.ticket(), { mayWait: false });
    expect(again.number).toBe(1);
    again.leave();
    machine.shutdown();
  });

  test('threads come and go while others work', { timeout: 120_000 }, async () => {
    const machine = smp();
    machine.fs.mkdirSync('/d');
    for (let round = 0; round < 3; round++) {
      const threads = [1, 2, 3].map((n) =>
        thread(
          machine,
          (member, name) => {
            for (let i = 0; i < 50; i++) {
              member.fs.writeFileSync(`/d/${name}-${i}`, 'x');
              member.fs.unlinkSync(`/d/${name}-${i}`);
            }
          },
          `${round}-${n}`,
        ),
      );
      await Promise.all(threads.map(({ done }) => done));
    }
    expect(machine.fs.readdirSync('/d')).toEqual([]);
    machine.shutdown();
  });
});

describe.skipIf(notBuilt !== '')(`waiting across threads${notBuilt}`, () => {
  test('a thread that reads a fifo sleeps until the first thread writes', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    const reader = thread(machine, (member) => member.fs.readFileSync('/fifo', 'utf8'), undefined);
    // no sleep decides anything: opening waits for the reader, whenever it comes
    await machine.fs.promises.writeFile('/fifo', 'wake up');
    expect(await reader.done).toBe('wake up');
    machine.shutdown();
  });

  test('the first thread, which never blocks, hears of what another writes', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    const writer = thread(machine, (member) => member.fs.writeFileSync('/fifo', 'from afar'), undefined);
    expect(await machine.fs.promises.readFile('/fifo', 'utf8')).toBe('from afar');
    await writer.done;
    machine.shutdown();
  });

  test('a synchronous call there that only another thread could end is EDEADLK', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    expect(() => machine.fs.readFileSync('/fifo')).toThrow('EDEADLK');
    machine.shutdown();
  });

  test('two threads play ping-pong through fifos', async () => {
    const machine = smp();
    machine.init.mkfifo('/ping');
    machine.init.mkfifo('/pong');
    const rounds = 300;
    const one = thread(
      machine,
      ({ fs }, n) => {
        const [ping, pong] = [fs.openSync('/ping', 'w'), fs.openSync('/pong', 'r')];
        const byte = new Uint8Array(1);
        for (let i = 0; i < n; i++) {
          fs.writeSync(ping, new Uint8Array([i & 255]));
          fs.readSync(pong, byte);
          if (byte[0] !== ((i + 1) & 255)) throw new Error(`round ${i}: ${byte[0]}`);
        }
        fs.closeSync(ping);
        fs.closeSync(pong);
        return n;
      },
      rounds,
    );
    const two = thread(
      machine,
      ({ fs }) => {
        const [ping, pong] = [fs.openSync('/ping', 'r'), fs.openSync('/pong', 'w')];
        const byte = new Uint8Array(1);
        let n = 0;
        for (; fs.readSync(ping, byte) === 1; n++) fs.writeSync(pong, new Uint8Array([(byte[0] + 1) & 255]));
        return n;
      },
      undefined,
    );
    expect(await Promise.all([one.done, two.done])).toEqual([rounds, rounds]);
    machine.shutdown();
  });

  test('a signal ends a process that waits on another thread', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    const victim = thread(
      machine,
      (member) => {
        member.fs.writeFileSync('/pid', String(member.init.pid));
        try {
          member.fs.readFileSync('/fifo');
          return 'came back';
        } catch (error) {
          return (error as { code: string }).code;
        }
      },
      undefined,
    );
    const { fs } = machine;
    while (!fs.existsSync('/pid') || fs.readFileSync('/pid', 'utf8') === '') await new Promise(setImmediate);
    machine.init.kill(Number(fs.readFileSync('/pid', 'utf8')), SIGKILL);
    await expect(victim.done).resolves.toBe('ESRCH');
    await victim.ended;
    machine.shutdown();
  });
});

describe.skipIf(notBuilt !== '')(`ends of threads${notBuilt}`, () => {
  test('one is killed outside the kernel, and its number is free when it has ended', async () => {
    const machine = smp();
    const victim = thread(
      machine,
      (member) => {
        member.fs.writeFileSync('/here', '');
        for (;;);
      },
      undefined,
    );
    while (!machine.fs.existsSync('/here')) await new Promise(setImmediate);
    while (!machine.killCpu(victim.ticket)) await new Promise(setImmediate);
    expect(machine.cpus).toBe(2);
    await victim.worker.terminate();
    await victim.ended;
    expect(machine.cpus).toBe(1);
    machine.shutdown();
  });

  test('one that waits in a call is killed', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    const victim = thread(
      machine,
      (member) => {
        member.fs.openSync('/fifo', 'w');
      },
      undefined,
    );
    await cpus(machine, 2);
    while (!machine.killCpu(victim.ticket)) await new Promise(setImmediate);
    await expect(victim.done).rejects.toThrow();
    await victim.ended;
    expect(machine.cpus).toBe(1);
    machine.shutdown();
  });

  test('one that ends without a word outside the kernel is noticed', async () => {
    const machine = smp();
    const victim = thread(
      machine,
      (member) => {
        member.fs.writeFileSync('/left', 'open');
        process.exit(3);
      },
      undefined,
    );
    await victim.ended;
    expect(machine.cpus).toBe(1);
    expect(machine.fs.readFileSync('/left', 'utf8')).toBe('open');
    machine.shutdown();
  });

  test('shutdown ends the calls of the other threads', async () => {
    const machine = smp();
    machine.init.mkfifo('/fifo');
    const other = thread(machine, (member) => member.fs.readFileSync('/fifo', 'utf8'), undefined);
    await cpus(machine, 2);
    machine.shutdown();
    await expect(other.done).rejects.toThrow();
  });
});

describe.skipIf(notBuilt !== '')(`panics${notBuilt}`, () => {
  /** The kernel's count of locks held, in a CPU's struct, and the first of them: what a debug kernel looks at as it leaves. */
  const NHELD = 16;
  const HELD = 192;

  /** Make the kernel find, when that CPU leaves it next, that it holds a lock. */
  function spoil(machine: Machine, cpu: number): void {
    const { u32 } = machine.cpu;
    const at = u32[(CPU_TABLE >>> 2) + cpu];
    u32[(at + HELD) >>> 2] = 0x1230;
    u32[(at + HELD + 4) >>> 2] = 3;
    u32[(at + NHELD) >>> 2] = 1;
  }

  test.each([0, 1, 2])(
    'one on CPU %i stops every CPU, and says which it was and what it held',
    async (which) => {
      const machine = smp();
      machine.init.mkfifo('/fifo');
      const waits = thread(
        machine,
        (member) => {
          try {
            member.fs.readFileSync('/fifo');
          } catch (error) {
            return (error as { code: string }).code;
          }
        },
        undefined,
      );
      await cpus(machine, 2);
      const works = thread(
        machine,
        (member) => {
          try {
            for (;;) member.fs.statSync('/');
          } catch (error) {
            return (error as { code: string }).code;
          }
        },
        undefined,
      );
      await cpus(machine, 3);
      machine.init.mkfifo('/other');
      const pending = machine.fs.promises.readFile('/other');
      const told = expect(pending).rejects.toThrow(`CPU ${which}, which holds rank 3 at 0x1230`);
      spoil(machine, which);
      if (which === 0) expect(() => machine.fs.statSync('/')).toThrow('kernel panic');
      // the one that waits goes on when there is a writer
      if (which === 1) machine.fs.promises.writeFile('/fifo', '').catch(() => {});
      await told;
      expect(await Promise.all([waits.done, works.done])).toEqual(['ERR_KERNEL_PANIC', 'ERR_KERNEL_PANIC']);
      expect(() => machine.fs.statSync('/')).toThrow('kernel panic');
      expect(() => machine.shutdown()).toThrow('kernel panic');
    },
  );

  test('a thread that dies in the middle of a call is noticed: the machine says what it held, and nobody hangs', async () => {
    const disk = new SharedDisk(8 << 20);
    mkfs(disk, { seed: 1, isZeroed: true });
    const machine = debugMachine({ flavour: 'smp-debug', ram: 32 << 20, disks: [disk] });
    machine.init.mount('/dev/vbd0', '/mnt', 'ext4');
    machine.init.mkfifo('/fifo');
    const waits = thread(
      machine,
      (member) => {
        try {
          member.fs.readFileSync('/fifo');
        } catch (error) {
          return (error as { code: string }).code;
        }
      },
      undefined,
    );
    await cpus(machine, 2);
    const dies = thread(
      machine,
      (member) => {
        const port = member.cpu.disks[0] as unknown as { device: { write: () => void } };
        port.device.write = () => process.exit(9);
        const fd = member.fs.openSync('/mnt/file', 'w');
        member.fs.writeSync(fd, 'the last that it wrote');
        member.fs.fsyncSync(fd);
      },
      undefined,
    );
    await dies.ended;
    const panic = String(machine.cpu.panic);
    expect(panic).toContain(`a CPU ended inside the kernel, CPU `);
    expect(panic).toContain('which holds rank 6');
    expect(await waits.done).toBe('ERR_KERNEL_PANIC');
    expect(() => machine.shutdown()).toThrow('kernel panic');
  });
});
