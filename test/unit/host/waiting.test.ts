/** Calls that wait: fifos, pipes and locks, in their synchronous and their later forms. */
import { describe, expect, test } from 'vitest';
import {
  LOCK_EX,
  LOCK_NB,
  LOCK_UN,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
} from '../../../assembly/abi/flags.ts';
import { testMachine } from './machine.ts';

const machine = testMachine();
const { fs, init } = machine;

describe('a call that nobody could wake', () => {
  test('throws EDEADLK in its synchronous form', () => {
    init.mkfifo('/tmp/alone');
    expect(() => fs.openSync('/tmp/alone', 'r')).toThrow(
      expect.objectContaining({ code: 'EDEADLK', errno: -35, syscall: 'open', path: '/tmp/alone' }),
    );
    const { read, write } = init.pipe();
    expect(() => fs.readSync(read, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'EDEADLK' }));
    fs.writeSync(write, 'x');
    expect(fs.readSync(read, Buffer.alloc(4))).toBe(1);
    fs.closeSync(write);
    expect(fs.readSync(read, Buffer.alloc(4))).toBe(0);
    fs.closeSync(read);
  });

  test('waits in its promise form, and leaves with its signal', async () => {
    init.mkfifo('/tmp/abort');
    const controller = new AbortController();
    const waiting = fs.promises.readFile('/tmp/abort', { signal: controller.signal });
    expect(machine.cpu.scheduler.waiting).toBe(1);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(machine.cpu.scheduler.waiting).toBe(0);
  });
});

describe('fifos', () => {
  test('a reader and a writer meet', async () => {
    init.mkfifo('/tmp/fifo');
    const text = fs.promises.readFile('/tmp/fifo', 'utf8');
    await fs.promises.writeFile('/tmp/fifo', 'through the fifo');
    expect(await text).toBe('through the fifo');
  });

  test('more than the pipe holds goes through it in order', async () => {
    init.mkfifo('/tmp/large');
    const bytes = Buffer.alloc(1_000_000);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31) >> 3;
    const [received] = await Promise.all([
      fs.promises.readFile('/tmp/large'),
      fs.promises.writeFile('/tmp/large', bytes),
    ]);
    expect(bytes.equals(received)).toBe(true);
  });

  test('streams', async () => {
    init.mkfifo('/tmp/stream');
    const out = fs.createWriteStream('/tmp/stream');
    out.write('one ');
    setTimeout(() => out.end('two'), 5);
    let text = '';
    for await (const chunk of fs.createReadStream('/tmp/stream')) text += chunk;
    expect(text).toBe('one two');
  });

  test('a reader that leaves gives EPIPE', async () => {
    const { read, write } = init.pipe();
    fs.closeSync(read);
    expect(() => fs.writeSync(write, 'x')).toThrow(expect.objectContaining({ code: 'EPIPE' }));
    await expect(new Promise((_, reject) => fs.write(write, 'x', reject))).rejects.toMatchObject({
      code: 'EPIPE',
    });
    fs.closeSync(write);
  });

  test('a synchronous call lets those go on that it has woken', async () => {
    const { read, write } = init.pipe();
    const got = new Promise<number>((resolve) =>
      fs.read(read, Buffer.alloc(10), 0, 10, null, (_, n) => resolve(n)),
    );
    const size = init.fcntl(write, 1032);
    // The waiting reader has to be run for the last byte to fit.
    expect(fs.writeSync(write, Buffer.alloc(size + 1))).toBe(size + 1);
    expect(await got).toBe(10);
    fs.closeSync(read);
    fs.closeSync(write);
  });

  test('O_NONBLOCK does not wait', () => {
    init.mkfifo('/tmp/now');
    const read = init.openat(-100, '/tmp/now', O_RDONLY | O_NONBLOCK);
    const write = init.openat(-100, '/tmp/now', O_WRONLY | O_NONBLOCK);
    expect(() => fs.readSync(read, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    fs.closeSync(read);
    fs.closeSync(write);
  });
});

describe('locks', () => {
  test('flock waits until it is let go', async () => {
    fs.writeFileSync('/tmp/lock', '');
    const other = machine.process();
    const mine = fs.openSync('/tmp/lock', 'r');
    const theirs = other.fs.openSync('/tmp/lock', 'r');
    init.flock(mine, LOCK_EX);
    expect(() => other.flock(theirs, LOCK_EX | LOCK_NB)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    expect(() => other.flock(theirs, LOCK_EX)).toThrow(expect.objectContaining({ code: 'EDEADLK' }));
    let locked = false;
    const waiting = other.flockLater(theirs, LOCK_EX).then(() => {
      locked = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(locked).toBe(false);
    init.flock(mine, LOCK_UN);
    await waiting;
    expect(locked).toBe(true);
    other.exit();
    fs.closeSync(mine);
  });

  test('what waits in a process that ends is rejected', async () => {
    const other = machine.process();
    const { read, write } = other.pipe();
    const waiting = other.fs.promises
      .open('/tmp/none')
      .catch(() => new Promise((_, reject) => other.fs.read(read, reject)));
    await new Promise((resolve) => setTimeout(resolve, 1));
    other.exit();
    expect(write).toBeGreaterThan(0);
    await expect(waiting).rejects.toMatchObject({ code: 'ESRCH' });
  });
});

describe('deadlines', () => {
  test('poll ends at its time-out', async () => {
    const { read, write } = init.pipe();
    const start = performance.now();
    expect(await init.pollLater([{ fd: read, events: POLLIN }], 30)).toEqual([0]);
    expect(performance.now() - start).toBeGreaterThan(25);
    expect(init.poll([{ fd: read, events: POLLIN }], 20)).toEqual([0]);
    const woken = init.pollLater([{ fd: read, events: POLLIN }], -1);
    fs.writeSync(write, 'x');
    expect(await woken).toEqual([POLLIN]);
    fs.closeSync(read);
    fs.closeSync(write);
  });

  test('a virtual clock goes straight to them', async () => {
    const virtual = testMachine({ seed: 7 });
    const { read } = virtual.init.pipe();
    const start = performance.now();
    expect(await virtual.init.pollLater([{ fd: read, events: POLLIN }], 3_600_000)).toEqual([0]);
    expect(virtual.init.poll([{ fd: read, events: POLLIN }], 3_600_000)).toEqual([0]);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
