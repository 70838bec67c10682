/** Programs of the host's as processes: how they start, talk, wait and end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT_FDCWD, O_RDONLY, O_WRONLY } from '../../assembly/abi/flags.ts';
import { SIGCHLD, SIGINT, SIGKILL, SIGTERM } from '../../assembly/abi/signals.ts';
import { boot, type Machine } from '../../host/index.ts';
import type { ProgramTable } from '../../host/programs/image.ts';
import type { Program } from '../../host/programs/program.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { type Running, type StartOptions, Userland } from '../../host/programs/userland.ts';

const PIPE_BYTES = 1 << 22;
const MANY_BYTES = 1 << 28;
/** What two pipes, three processes and their descriptors may take: 4 MiB. */
const FRAMES_MAX = 1024;

/** What the tests run: each does one thing that programs do. */
const own: Record<string, Program> = {
  say: async ({ argv, stdout }) => {
    await stdout.write(`${argv.slice(1).join(' ')}\n`);
    return 0;
  },
  copy: async ({ stdin, stdout }) => {
    for await (const chunk of stdin) await stdout.write(chunk);
    return 0;
  },
  code: ({ argv }) => Number(argv[1]),
  throws: () => {
    throw new Error('no luck');
  },
  leaves: ({ exit }) => exit(7),
  missing: ({ fs }) => {
    fs.readFileSync('/nowhere');
    return 0;
  },
  argv: async ({ argv, stdout }) => {
    await stdout.write(JSON.stringify(argv));
    return 0;
  },
  whoami: async ({ process, stdout }) => {
    const { uid, euid } = process.ids();
    await stdout.write(`${uid} ${euid}`);
    return 0;
  },
  floods: async ({ stdout }) => {
    for (;;) await stdout.write(new Uint8Array(65536));
  },
  /** cat /dev/zero >/dev/null */
  busy: async ({ process, input, output }) => {
    const from = input(process.openat(AT_FDCWD, '/dev/zero', O_RDONLY));
    const to = output(process.openat(AT_FDCWD, '/dev/null', O_WRONLY));
    for await (const chunk of from) await to.write(chunk);
    return 0;
  },
  counts: async ({ stdin, stdout }) => {
    let bytes = 0;
    for await (const chunk of stdin) bytes += chunk.length;
    await stdout.write(String(bytes));
    return 0;
  },
  waits: async ({ stdin }) => {
    await stdin.read();
    return 0;
  },
  /** Ends with 40 + the signal it catches. */
  catches: async (context) => {
    let caught = 0;
    context.onSignal(SIGTERM, (signal) => {
      caught = signal;
    });
    // It waits before anybody hears that it is ready.
    const interrupted = expect(context.stdin.read()).rejects.toMatchObject({ code: 'EINTR' });
    await context.stdout.write('ready');
    await context.stdout.flush();
    await interrupted;
    return 40 + caught;
  },
  ignores: async (context) => {
    context.onSignal(SIGINT, 'ignore');
    return context.exec('waits', ['waits']);
  },
  /** floods | counts, the flood cut off by its reader. */
  pipeline: async (context) => {
    const { process } = context;
    const pipe = process.pipe();
    const writer = await context.spawn('floods', ['floods'], {
      setup: (child) => void child.dup2(pipe.write, 1),
    });
    process.close(pipe.write);
    const input = context.input(pipe.read);
    let bytes = 0;
    while (bytes < PIPE_BYTES) bytes += (await input.read()).length;
    process.close(pipe.read);
    const { signal } = await context.wait(writer);
    await context.stdout.write(`${bytes >= PIPE_BYTES} ${signal}`);
    return 0;
  },
  /** 256 MiB through two pipes: zeros | copy | counts. */
  three: async (context) => {
    const { process } = context;
    const first = process.pipe();
    const second = process.pipe();
    const zeros = context.fork(async ({ output }) => {
      const block = new Uint8Array(65536);
      for (let i = 0; i < MANY_BYTES; i += block.length) await output(first.write).write(block);
      return 0;
    });
    const copy = await context.spawn('copy', ['copy'], {
      setup: (child) => {
        child.dup2(first.read, 0);
        child.dup2(second.write, 1);
      },
    });
    for (const fd of [first.read, first.write, second.write]) process.close(fd);
    const counts = await context.spawn('counts', ['counts'], {
      setup: (child) => void child.dup2(second.read, 0),
    });
    process.close(second.read);
    for (const pid of [zeros, copy, counts]) await context.wait(pid);
    return 0;
  },
  orphans: async (context) => {
    context.fork(async (child) => {
      while (child.process.ids().ppid === context.pid) await child.sleep(1);
      await child.stdout.write(`orphan of ${child.process.ids().ppid}`);
      return 0;
    });
    return 0;
  },
  nochild: async (context) => {
    await context.wait();
    return 0;
  },
  /** Its child reads too, and holds its outputs. */
  family: async (context) => {
    const child = context.fork(async ({ stdin }) => Number((await stdin.read()).length));
    await context.stdout.write('ready');
    await context.stdout.flush();
    return (await context.wait(child)).code;
  },
  /** Root's when it is run set-user-id, in all three ids. */
  asroot: async ({ process, stdin, stdout }) => {
    process.setresuid(0, 0, 0);
    await stdout.write('ready');
    await stdout.flush();
    await stdin.read();
    return 0;
  },
  /** A handler of SIGTERM that does what its argument says, and then may be gone. */
  handles: async (context) => {
    const { process, argv, pid } = context;
    const how: Record<string, () => void> = {
      exit: () => context.exit(41),
      exitWith: () => process.exitWith(42 << 8),
      kill: () => process.kill(pid, SIGKILL),
      throws: () => {
        throw new Error('no luck');
      },
    };
    context.onSignal(SIGTERM, how[argv[1]]);
    // It waits before anybody hears that it is ready.
    const waiting = Promise.resolve(context.stdin.read());
    waiting.catch(() => {});
    await context.stdout.write('ready');
    await context.stdout.flush();
    await waiting;
    return 0;
  },
  /** Spawning fails as it does for others, though nobody can wait for the child that tried. */
  careless: async (context) => {
    context.onSignal(SIGCHLD, 'ignore');
    await expect(context.spawn('nothing', ['nothing'])).rejects.toMatchObject({ code: 'ENOENT' });
    const setup = (child: Process) => child.kill(child.pid, SIGKILL);
    expect(await context.spawn('say', ['say'], { setup })).toBeGreaterThan(1);
    return 0;
  },
  sleeps: async (context) => {
    await context.sleep(60_000);
    return 0;
  },
};

const SET_USER_ID = new Set(['whoami', 'asroot']);
const programs: ProgramTable = new Map(
  Object.entries(own).map(([name, program]) => [
    name,
    { summary: name, load: async () => program, ...(SET_USER_ID.has(name) ? { mode: 0o4755 } : {}) },
  ]),
);

describe.each(['up-debug', 'smp-debug'] as const)('%s', (flavour) => {
  let machine: Machine;
  let userland: Userland;

  beforeEach(async () => {
    machine = await boot({ flavour, ram: 32 << 20, clock: 'virtual' });
    userland = new Userland(machine, programs);
  });

  // In debug flavours this reports whatever a process left behind.
  afterEach(() => machine.shutdown());

  it('puts a file for each into /bin, and runs it by name', async () => {
    expect(machine.fs.readFileSync('/bin/say', 'utf8')).toBe('#!host say\n');
    expect(machine.fs.statSync('/bin/whoami').mode & 0o7777).toBe(0o4755);
    expect(await userland.run(['say', 'hello', 'you'])).toMatchObject({
      code: 0,
      stdout: 'hello you\n',
      stderr: '',
    });
  });

  it('gives standard input, and what comes out of it', async () => {
    const input = new Uint8Array(300_000).map((_, i) => i);
    const { stdoutBytes } = await userland.run(['copy'], { input });
    expect(Buffer.compare(stdoutBytes, input)).toBe(0);
  });

  it('ends with the code that the function returns, exits with, or throws', async () => {
    expect(await userland.run(['code', '3'])).toMatchObject({ code: 3, signal: 0 });
    expect(await userland.run(['leaves'])).toMatchObject({ code: 7 });
    const thrown = await userland.run(['throws']);
    expect(thrown.code).toBe(1);
    expect(thrown.stderr).toMatch(/^throws: Error: no luck\n/);
    expect(await userland.run(['missing'])).toMatchObject({
      code: 1,
      stderr: "missing: ENOENT: no such file or directory, open '/nowhere'\n",
    });
  });

  it('says what cannot be run, and why', async () => {
    await expect(userland.run(['nothing'])).rejects.toMatchObject({ code: 'ENOENT' });
    machine.fs.writeFileSync('/bin/plain', 'text\n', { mode: 0o644 });
    await expect(userland.run(['plain'])).rejects.toMatchObject({ code: 'EACCES' });
    machine.fs.chmodSync('/bin/plain', 0o755);
    await expect(userland.run(['plain'])).rejects.toMatchObject({ code: 'ENOEXEC' });
    machine.fs.writeFileSync('/bin/strange', '#!host unheard-of\n', { mode: 0o755 });
    await expect(userland.run(['strange'])).rejects.toThrow("this host has no program 'unheard-of'");
    await expect(userland.run(['/bin'])).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('runs a script by its interpreter, as the kernel does', async () => {
    machine.fs.writeFileSync('/bin/script', '#! /bin/argv  -x y \nbody\n', { mode: 0o755 });
    const { stdout } = await userland.run(['script', 'a', 'b']);
    expect(JSON.parse(stdout)).toEqual(['/bin/argv', '-x y', '/bin/script', 'a', 'b']);
    machine.fs.writeFileSync('/bin/loop', '#!/bin/loop\n', { mode: 0o755 });
    await expect(userland.run(['loop'])).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('acts as who runs it, and a set-user-id file as its owner', async () => {
    expect((await userland.run(['whoami'], { uid: 1000, gid: 1000 })).stdout).toBe('1000 0');
    machine.fs.chmodSync('/bin/whoami', 0o755);
    expect((await userland.run(['whoami'], { uid: 1000, gid: 1000 })).stdout).toBe('1000 1000');
    machine.fs.chmodSync('/bin/whoami', 0o700);
    await expect(userland.run(['whoami'], { uid: 1000, gid: 1000 })).rejects.toMatchObject({
      code: 'EACCES',
    });
  });

  it('moves much through a pipe in little memory, and ends a writer without a reader', async () => {
    const { stdout, code } = await userland.run(['pipeline']);
    expect(stdout).toBe('true 13');
    expect(code).toBe(0);
  });

  it('moves 256 MiB through a pipeline of three in bounded memory', async () => {
    const before = machine.framesInUse;
    let most = 0;
    const watcher = setInterval(() => {
      most = Math.max(most, machine.framesInUse - before);
    }, 1);
    const { stdout } = await userland.run(['three']);
    clearInterval(watcher);
    expect(stdout).toBe(String(MANY_BYTES));
    expect(most).toBeLessThan(FRAMES_MAX);
  });

  it('gives orphans to process 1, and output that comes late to whoever reads', async () => {
    expect((await userland.run(['orphans'])).stdout).toBe('orphan of 1');
  });

  it('has nobody to wait for without children', async () => {
    expect((await userland.run(['nochild'])).stderr).toMatch(/ECHILD/);
  });

  it('is ended by signals, or not', async () => {
    const start = (name: string, stdout = (_: Uint8Array) => {}) =>
      userland.start([name], { stdin: forever(), stdout, stderr: () => {} });
    const killed = start('waits');
    killed.kill(SIGKILL);
    expect(await killed.done).toMatchObject({ code: 137, signal: SIGKILL });
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const catching = start('catches', () => ready());
    await isReady;
    catching.kill(SIGTERM);
    expect(await catching.done).toMatchObject({ code: 40 + SIGTERM, signal: 0 });
  });

  it('lets the host in on programs that never wait', async () => {
    const control = new AbortController();
    const running = userland.run(['busy'], { signal: control.signal });
    setTimeout(() => control.abort(), 20);
    expect((await running).signal).toBe(SIGKILL);
  });

  it('keeps ignored signals over exec', async () => {
    const running = userland.start(['ignores'], { stdin: forever(), stdout: () => {}, stderr: () => {} });
    await until(() => machine.fs.readFileSync(`/proc/${running.pid}/comm`, 'utf8') === 'waits\n');
    running.kill(SIGINT);
    running.kill(SIGTERM);
    expect(await running.done).toMatchObject({ signal: SIGTERM });
  });

  it('sleeps by the machine’s clock', async () => {
    const before = machine.fs.statSync('/proc').atimeMs;
    expect(await userland.run(['sleeps'])).toMatchObject({ code: 0 });
    expect(before).toBeGreaterThanOrEqual(0);
  });

  it('is ended by an AbortSignal', async () => {
    const control = new AbortController();
    const running = userland.run(['waits'], { signal: control.signal, input: '' });
    const stuck = userland.run(['pipeline'], { signal: control.signal });
    control.abort();
    expect([0, SIGKILL]).toContain((await running).signal);
    expect((await stuck).signal).toBe(SIGKILL);
  });

  /** Start a program that says when it is ready. */
  async function started(argv: string[], options: Partial<StartOptions> = {}): Promise<Running> {
    let running: Running | undefined;
    await new Promise<void>((ready) => {
      const [stdin, stdout, stderr] = [forever(), () => ready(), () => {}];
      running = userland.start(argv, { stdin, stdout, stderr, ...options });
    });
    return running as Running;
  }

  it('is ended with what it started, whoever they run as', async () => {
    const control = new AbortController();
    const { signal } = control;
    const family = await started(['family'], { signal });
    const orphaned = await started(['family']);
    const foreign = await started(['asroot'], { signal, uid: 1000, gid: 1000 });
    machine.init.kill(orphaned.pid, SIGKILL);
    control.abort();
    orphaned.kill(SIGKILL);
    for (const running of [family, orphaned, foreign]) {
      expect(await running.done).toMatchObject({ code: 137, signal: SIGKILL });
      expect(() => running.kill(SIGKILL)).not.toThrow();
    }
  });

  it.each([
    ['exit', 41, 0],
    ['exitWith', 42, 0],
    ['kill', 137, SIGKILL],
    ['throws', 1, 0],
  ])('may end in a signal handler: %s', async (how, code, signal) => {
    const running = await started(['handles', how]);
    running.kill(SIGTERM);
    expect(await running.done).toMatchObject({ code, signal });
    expect((await userland.run(['say', 'on'])).stdout).toBe('on\n');
  });

  it('may see the machine shut down in a signal handler while another waits', async () => {
    const shutdown: Program = async (context) => {
      context.onSignal(SIGTERM, () => machine.shutdown());
      await context.stdout.write('ready');
      await context.stdout.flush();
      await context.stdin.read();
      return 0;
    };
    userland = new Userland(machine, new Map([['shutdown', { summary: '', load: async () => shutdown }]]));
    const running = await started(['shutdown']);
    const reader = machine.process();
    const { read } = reader.pipe();
    running.kill(SIGTERM);
    expect(() => reader.fs.readSync(read, new Uint8Array(1))).toThrow(/ESRCH|EDEADLK/);
    await expect(running.done).rejects.toMatchObject({ code: 'ESRCH' });
    expect(() => machine.snapshot()).toThrow(/ESRCH/);
  });

  it('says why it cannot spawn, whatever its parent does about SIGCHLD', async () => {
    expect(await userland.run(['careless'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('lets go of input that it did not read to the end', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<string> {
      try {
        for (;;) yield 'x';
      } finally {
        closed = true;
      }
    }
    const [stdout, stderr] = [() => {}, () => {}];
    await userland.start(['say'], { stdin: source(), stdout, stderr }).done;
    await until(() => closed);
  });

  it('has no programs in a machine from a snapshot', async () => {
    const running = userland.start(['waits'], { stdin: forever(), stdout: () => {}, stderr: () => {} });
    await until(() => machine.fs.readFileSync(`/proc/${running.pid}/comm`, 'utf8') === 'waits\n');
    const copy = await boot({ from: machine.snapshot() });
    // Whoever ran it is still there to wait for it.
    expect(copy.fs.readFileSync(`/proc/${running.pid}/status`, 'utf8')).toMatch(/^State:\tZ/m);
    const again = new Userland(copy, programs);
    expect((await again.run(['say', 'x'])).stdout).toBe('x\n');
    copy.shutdown();
    running.kill(SIGKILL);
    await running.done;
  });
});

/** Input that never comes. */
async function* forever(): AsyncGenerator<string> {
  await new Promise(() => {});
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
