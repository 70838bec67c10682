import { describe, expect, vi } from 'vitest';
import { test } from './machine.ts';

/** Long enough for what must not come; what must come is waited for. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 2));
const shows = (assertion: () => void) => vi.waitFor(assertion, { interval: 1, timeout: 30_000 });

describe('watch', () => {
  test('a directory’s events', async ({ fs }) => {
    fs.mkdirSync('/tmp/w');
    const seen: string[] = [];
    const watcher = fs.watch('/tmp/w', (type, name) => seen.push(`${type} ${name}`));
    fs.writeFileSync('/tmp/w/a', 'x');
    fs.appendFileSync('/tmp/w/a', 'y');
    fs.renameSync('/tmp/w/a', '/tmp/w/b');
    fs.unlinkSync('/tmp/w/b');
    // Made, renamed away; renamed to, removed.
    await shows(() => expect(seen.filter((event) => event === 'rename b')).toHaveLength(2));
    expect(seen[0]).toBe('rename a');
    expect(seen).toContain('change a');
    const closed = new Promise<void>((resolve) => watcher.on('close', resolve));
    watcher.close();
    await closed;
    const { length } = seen;
    fs.writeFileSync('/tmp/w/c', '');
    await turn();
    expect(seen.length).toBe(length);
  });

  test('a file, by its own name, and encodings', async ({ fs }) => {
    fs.writeFileSync('/tmp/file', '');
    const seen: unknown[] = [];
    const watcher = fs.watch('/tmp/file', { encoding: 'buffer' }, (type, name) =>
      seen.push([type, String(name), name instanceof Uint8Array]),
    );
    fs.writeFileSync('/tmp/file', 'changed');
    await shows(() => expect(seen[0]).toEqual(['change', 'file', true]));
    watcher.close();
  });

  test('recursive', async ({ fs }) => {
    fs.mkdirSync('/tmp/r/a/b', { recursive: true });
    const seen = new Set<string>();
    const watcher = fs.watch('/tmp/r', { recursive: true }, (type, name) => seen.add(`${type} ${name}`));
    fs.writeFileSync('/tmp/r/a/b/deep', '');
    await shows(() => expect(seen).toContain('rename a/b/deep'));
    fs.mkdirSync('/tmp/r/new');
    await shows(() => expect(seen).toContain('rename new'));
    fs.writeFileSync('/tmp/r/new/file', '');
    await shows(() => expect(seen).toContain('rename new/file'));
    watcher.close();
  });

  test('signal', async ({ fs }) => {
    const controller = new AbortController();
    const watcher = fs.watch('/tmp', { signal: controller.signal });
    const closed = new Promise<void>((resolve) => watcher.on('close', resolve));
    controller.abort();
    await closed;
  });

  test('what does not exist', ({ fs }) => {
    expect(() => fs.watch('/none')).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'watch', path: '/none', filename: '/none' }),
    );
  });

  test('promises.watch', async ({ fs }) => {
    fs.mkdirSync('/tmp/p');
    const controller = new AbortController();
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const event of fs.promises.watch('/tmp/p', { signal: controller.signal })) {
        seen.push(event);
        if (seen.length === 2) controller.abort();
      }
    })();
    fs.mkdirSync('/tmp/p/one');
    fs.mkdirSync('/tmp/p/two');
    await expect(watching).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toEqual([
      { eventType: 'rename', filename: 'one' },
      { eventType: 'rename', filename: 'two' },
    ]);
  });
});

describe('watchFile', () => {
  test('ends with its process, which could look at nothing any more', async ({ machine }) => {
    const process = machine.process();
    process.fs.writeFileSync('/tmp/mine', '');
    const watcher = process.fs.watchFile('/tmp/mine', { interval: 1 }, () => {});
    const stopped = new Promise<void>((resolve) => watcher.on('stop', resolve));
    process.exit();
    await stopped;
  });

  test('reports changes with the stats before and after', async ({ fs }) => {
    fs.writeFileSync('/tmp/polled', '1');
    const seen = new Promise<number[]>((resolve) =>
      fs.watchFile('/tmp/polled', { interval: 2 }, (now, before) => resolve([before.size, now.size])),
    );
    fs.writeFileSync('/tmp/polled', '22');
    expect(await seen).toEqual([1, 2]);
    fs.unwatchFile('/tmp/polled');
  });

  test('a file that is not there, once, with zeros', async ({ fs }) => {
    const seen: number[][] = [];
    fs.watchFile('/tmp/absent', { interval: 2 }, (now, before) => seen.push([now.nlink, before.nlink]));
    await shows(() => expect(seen).toHaveLength(1));
    fs.writeFileSync('/tmp/absent', '');
    await shows(() => expect(seen).toHaveLength(2));
    fs.unwatchFile('/tmp/absent');
    expect(seen).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});
