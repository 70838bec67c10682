/** The page's side of a machine in a worker, scenario by scenario: each gives plain data. */
import {
  bootInWorker,
  give,
  KernelPanic,
  type RemoteBootOptions,
  type RemoteMachine,
} from 'damselfly/browser';

const options = new URLSearchParams(location.search);
const flavour = options.get('flavour') as RemoteBootOptions['flavour'];

function startWorker(): Worker {
  return new Worker(new URL('./machine.worker.ts', import.meta.url), { type: 'module' });
}

const boot = (more: RemoteBootOptions = {}) => bootInWorker(startWorker(), { flavour, ...more });
const text = (bytes: ArrayBufferView) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

/** What an error is, for a comparison. */
async function failure(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    return { succeeded: await work };
  } catch (error) {
    if (!(error instanceof Error)) return { thrown: String(error) };
    const { name, message } = error;
    const type = Object.getPrototypeOf(error).constructor.name as string;
    return { ...error, type, name, message };
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

type Scenario = (machine: RemoteMachine) => Promise<unknown>;

const scenarios: Record<string, Scenario> = {
  async facts(machine) {
    const { ramBytes } = machine;
    const { ramFreeBytes, framesInUse, log } = await machine.status();
    return {
      flavour: machine.flavour,
      ramBytes,
      free: ramFreeBytes > 0 && ramFreeBytes < ramBytes,
      framesInUse: framesInUse > 0,
      log: typeof log,
      names: Object.keys(machine.fs).sort(),
    };
  },

  async bytes({ fs }) {
    const kept = bytes('kept');
    const given = give(bytes('given'));
    const middle = bytes('a middle part').subarray(2, 8);
    const shared =
      typeof SharedArrayBuffer === 'function' ? new Uint8Array(new SharedArrayBuffer(6)) : new Uint8Array(6);
    shared.set(bytes('shared'));
    await fs.writeFile('/tmp/kept', kept);
    await fs.writeFile('/tmp/given', given);
    await fs.writeFile('/tmp/middle', middle);
    await fs.writeFile('/tmp/shared', shared);
    const back = await fs.readFile('/tmp/kept');
    return {
      kept: [kept.length, text(back), back.constructor === Uint8Array],
      given: [given.length, await fs.readFile('/tmp/given', 'utf8')],
      middle: [middle.length, await fs.readFile('/tmp/middle', 'latin1')],
      shared: [shared.length, await fs.readFile('/tmp/shared', { encoding: 'base64' })],
      url: await fs.readFile(new URL('file:///tmp/kept'), 'utf8'),
      bytesPath: await fs.readFile(bytes('/tmp/kept') as unknown as string, 'utf8'),
      names: (await fs.readdir('/tmp', 'buffer')).map(text).sort(),
    };
  },

  async errors(machine) {
    const { fs } = machine;
    const user = await machine.process({ uid: 1000, gid: 1000 });
    return {
      missing: await failure(fs.readFile('/nö')),
      refused: await failure(user.fs.readdir('/root')),
      two: await failure(fs.rename('/from', '/to')),
      argument: await failure(fs.readFile({} as string)),
      range: await failure(fs.truncate('/etc/passwd', 'x' as unknown as number)),
      unclonable: await failure(fs.writeFile('/tmp/x', { toString: Symbol('s') } as unknown as string)),
      ram: await failure(boot({ ram: 1 })),
      flavour: await failure(boot({ flavour: 'x' as 'up' })),
    };
  },

  async stats({ fs }) {
    await fs.writeFile('/tmp/f', 'four');
    await fs.utimes('/tmp/f', 1, 2);
    const stats = await fs.stat('/tmp/f');
    const big = await fs.stat('/tmp/f', { bigint: true });
    const entries = await fs.readdir('/etc', { withFileTypes: true });
    return {
      stats: [stats.isFile(), stats.isDirectory(), stats.size, stats.mtimeMs, stats.mtime.toISOString()],
      big: [big.isFile(), big.size === 4n, big.mtimeNs === 2_000_000_000n],
      statfs: (await fs.statfs('/tmp')).bsize,
      entries: entries.map((entry) => `${entry.parentPath} ${entry.name} ${entry.isFile()}`).sort(),
    };
  },

  async files({ fs }) {
    const file = await fs.open('/tmp/f', 'w+', 0o600);
    const wrote = await file.write('one\ntwo\n');
    const view = new Uint8Array(new ArrayBuffer(16), 4, 8).fill(46);
    const read = await file.read(view, 1, 3, 0);
    const parts = [new Uint8Array(2), new DataView(new ArrayBuffer(4))];
    const readv = await file.readv(parts, 4);
    await file.writev([bytes('three'), bytes('\n')], 8);
    const own = (await file.read({ position: 0 })).buffer;
    const lines = await all((await fs.open('/tmp/f')).readLines());
    const chunks = await all(
      (await fs.open('/tmp/f')).readableWebStream({
        autoClose: true,
      }) as unknown as AsyncIterable<Uint8Array>,
    );
    const whole = await fs.readFile(file, 'utf8');
    const result = {
      fd: file.fd >= 0,
      wrote: wrote.bytesWritten,
      read: [read.bytesRead, read.buffer === view, text(view)],
      readv: [readv.bytesRead, text(parts[0]), text(parts[1])],
      own: [own.length, text(own.subarray(0, 4))],
      lines,
      stream: chunks.map(text),
      whole,
      size: (await file.stat()).size,
    };
    await file.close();
    await file.close();
    return {
      ...result,
      closed: [file.fd, await failure(file.read(view))],
      lost: await failure(fs.readFile(file)),
    };
  },

  async listing({ fs }) {
    await fs.mkdir('/tmp/d/e', { recursive: true });
    for (let i = 0; i < 150; i++) await fs.writeFile(`/tmp/d/f${i}`, '');
    const directory = await fs.opendir('/tmp/d');
    const first = await directory.read();
    await directory.close();
    const left = [];
    for await (const { name } of await fs.opendir('/tmp/d')) {
      left.push(name);
      if (left.length === 100) break;
    }
    return {
      first: first !== null && typeof first.isDirectory(),
      closed: (await failure(directory.close())).code,
      count: (await all(await fs.opendir('/tmp/d'))).length,
      left: left.length,
      glob: (await all(fs.glob('/tmp/d/f1?'))).sort(),
      excluded: await all(fs.glob('/tmp/d/*', { exclude: ['**/f*'] })),
      exclude: await failure(Promise.resolve().then(() => fs.glob('*', { exclude: (() => true) as never }))),
    };
  },

  async waiting(machine) {
    const { fs } = machine;
    const user = await machine.process({ uid: 1000, gid: 1000 });
    await user.mkfifo('/tmp/fifo');
    const quiet = new AbortController();
    const cause = fs.readFile('/tmp/fifo', { signal: quiet.signal }).catch((error) => error.cause as unknown);
    quiet.abort();
    const silent = await cause;
    const reader = user.fs.readFile('/tmp/fifo', 'utf8');
    await fs.writeFile('/tmp/fifo', 'through a fifo');
    const aborted = new AbortController();
    const opened = failure(fs.open('/tmp/fifo', 'r').then((file) => file.close()));
    const stopped = failure(fs.readFile('/tmp/fifo', { signal: aborted.signal }));
    const watched: string[] = [];
    const watching = (async () => {
      for await (const { eventType, filename } of fs.watch('/tmp', { signal: aborted.signal })) {
        watched.push(`${eventType} ${filename}`);
        if (watched.length === 2) aborted.abort(new Error('seen enough'));
      }
    })();
    while (watched.length === 0) await fs.writeFile(`/tmp/n${Math.random()}`, '');
    const ended = await failure(watching);
    const writer = await fs.open('/tmp/fifo', 'w');
    await writer.close();
    return {
      silent: silent instanceof DOMException && silent.name,
      read: await reader,
      watched: watched.map((event) => event.replace(/0\.\d+.*/, '')).slice(0, 1),
      ended: [ended.name, ended.code],
      stopped: [(await stopped).name, (await stopped).code],
      opened: await opened,
      before: (await failure(fs.readFile('/tmp/x', { signal: AbortSignal.abort() }))).code,
    };
  },

  async processes(machine) {
    const one = await machine.process({ uid: 1000, gid: 1000, groups: [5] });
    const two = await machine.process({ parent: one.pid, uid: 1000, gid: 1000 });
    await one.chdir('/tmp');
    await one.umask(0o077);
    await one.fs.writeFile('f', 'mine');
    const mine = await one.fs.open('f', 'r+');
    const theirs = await two.fs.open('/tmp/f', 'r+');
    await one.flock(mine.fd, 2);
    const waiting = two.flock(theirs.fd, 2).then(() => 'granted');
    const refused = await failure(two.flock(theirs.fd, 2 | 4));
    await one.flock(mine.fd, 8);
    await one.setxattr('/tmp/f', 'user.a', bytes('value'));
    const attached = await machine.attach(one.pid);
    await two.exit();
    return {
      pids: one.pid !== two.pid,
      cwd: [await one.cwd(), await attached.cwd()],
      mode: ((await one.fs.stat('f')).mode & 0o777).toString(8),
      granted: await waiting,
      refused: refused.code,
      xattr: [await one.listxattr('/tmp/f'), text(await one.getxattr('/tmp/f', 'user.a'))],
      exited: (await failure(two.cwd())).code,
    };
  },

  async callbacks({ fs }) {
    const asked: string[] = [];
    const filter = (from: string) => {
      asked.push(from);
      return !from.endsWith('passwd');
    };
    await fs.cp('/etc', '/tmp/etc', { recursive: true, filter });
    let shown = '';
    const talkative = await boot({
      console: (part) => {
        shown += text(part);
      },
    });
    await talkative.fs.writeFile('/dev/console', 'to whom it may concern\n');
    while (shown === '') await new Promise((resolve) => setTimeout(resolve, 1));
    await talkative.shutdown();
    return { asked: asked.sort(), copied: (await fs.readdir('/tmp/etc')).sort(), shown };
  },

  async snapshot(machine) {
    await machine.fs.writeFile('/tmp/f', 'before');
    const snapshot = await machine.snapshot();
    await machine.fs.writeFile('/tmp/f', 'after');
    const again = await boot({ from: snapshot });
    const kept = snapshot.bytes.length;
    const forked = await again.fs.readFile('/tmp/f', 'utf8');
    const reader = await again.process();
    await reader.mkfifo('/f');
    const waits = failure(reader.fs.readFile('/f'));
    await reader.fs.stat('/f');
    await again.shutdown();
    await again.shutdown();
    return {
      kept: kept > 0,
      forked,
      original: await machine.fs.readFile('/tmp/f', 'utf8'),
      waits: (await waits).code,
      later: await failure(again.fs.readFile('/tmp/f')),
    };
  },

  async clock() {
    const machine = await boot({ seed: 1, clock: { type: 'virtual', epochSeconds: 1000 } });
    await machine.advanceClock(5000);
    await machine.fs.writeFile('/tmp/f', '');
    const { mtimeMs } = await machine.fs.stat('/tmp/f');
    await machine.reclaim();
    await machine.shutdown();
    return Math.floor(mtimeMs / 1000);
  },

  async garbage(machine) {
    const worker = startWorker();
    await (await bootInWorker(worker, { ram: 8 << 20 })).shutdown();
    const reading = (async () => {
      const user = await machine.process();
      await user.mkfifo('/tmp/fifo');
      return user.fs.readFile('/tmp/fifo', 'utf8');
    })();
    while (!(await machine.fs.readdir('/tmp')).includes('fifo')) await machine.fs.stat('/');
    // Whatever nobody holds is collected, and comlink tells the worker so.
    for (let i = 0; i < 5; i++) {
      (globalThis as unknown as { gc(): void }).gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const again = await bootInWorker(worker, { ram: 8 << 20 });
    const booted = await again.fs.readdir('/tmp');
    worker.terminate();
    await machine.fs.writeFile('/tmp/fifo', 'still there');
    return { booted, read: await reading };
  },

  async workers() {
    const worker = startWorker();
    const machines = await Promise.all([1, 2].map(() => bootInWorker(worker, { ram: 8 << 20 })));
    await machines[0].fs.writeFile('/tmp/f', '');
    const seen = await Promise.all(machines.map(({ fs }) => fs.readdir('/tmp')));
    await machines[0].shutdown();
    const after = await machines[1].fs.readdir('/tmp');
    worker.terminate();
    const missing = new Worker('/not-there.js', { type: 'module' });
    return { seen, after, missing: (await failure(bootInWorker(missing))).message, panic: KernelPanic.name };
  },
};

Object.assign(globalThis, {
  async play(name: string) {
    const machine = await boot();
    try {
      return await scenarios[name](machine);
    } finally {
      await machine.shutdown();
    }
  },
  scenarios: Object.keys(scenarios),
});
