import { constants as hostConstants } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { called, type Fs, same, sameEach } from './oracle.ts';
import { testMachine } from './machine.ts';

const read = async (stream: AsyncIterable<Buffer | string>) => {
  const chunks: string[] = [];
  for await (const chunk of stream) chunks.push(chunk.toString());
  return chunks;
};

const closed = (stream: NodeJS.EventEmitter) => new Promise<void>((resolve) => stream.once('close', resolve));

same('every promise function once', async (fs, root) => {
  const p = fs.promises;
  const file = `${root}/f`;
  const results: unknown[] = [];
  await p.writeFile(file, 'text');
  results.push(await p.access(file), await p.stat(file), await p.lstat(file), await p.readFile(file, 'utf8'));
  results.push(
    (await p.stat(file, { bigint: true })).size,
    await p.chmod(file, 0o600),
    await p.chown(file, 1, 2),
  );
  results.push(
    await p.lchown(file, 3, 4),
    await p.utimes(file, 1, 2),
    await p.lutimes(file, 3, 4),
    await p.stat(file),
  );
  results.push(
    await p.link(file, `${root}/l`),
    await p.symlink('f', `${root}/s`),
    await p.readlink(`${root}/s`),
  );
  results.push(
    await p.realpath(`${root}/s`),
    await p.rename(`${root}/l`, `${root}/m`),
    await p.truncate(file, 2),
  );
  results.push(
    await p.appendFile(file, '!'),
    await p.readFile(file),
    await p.mkdir(`${root}/d`),
    await p.rmdir(`${root}/d`),
  );
  results.push(await p.unlink(`${root}/m`), await p.readdir(root), Object.keys(await p.statfs(root)));
  results.push(await p.copyFile(file, `${root}/copy`), typeof (await p.statfs(root, { bigint: true })).bsize);
  return results;
});

sameEach('what promises reject with', async (fs, root, attempt) => {
  const p = fs.promises;
  const none = `${root}/none`;
  await attempt('access', () => p.access(none));
  await attempt('stat', () => p.stat(none));
  await attempt('open', () => p.open(none));
  await attempt('readdir', () => p.readdir(none));
  await attempt('readlink', () => p.readlink(none));
  await attempt('realpath', () => p.realpath(none));
  await attempt('rename', () => p.rename(none, `${root}/x`));
  await attempt('link', () => p.link(none, `${root}/x`));
  await attempt('unlink', () => p.unlink(none));
  await attempt('rmdir', () => p.rmdir(none));
  await attempt('truncate', () => p.truncate(none));
  await attempt('copyFile', () => p.copyFile(none, `${root}/x`));
  await attempt('bad path', () => p.stat(5 as unknown as string));
  await attempt('bad mode', () => p.chmod(root, {} as number));
  await attempt('bad flags', () => p.open(root, 'zz'));
  await attempt('bad data', () => p.writeFile(`${root}/x`, 5 as unknown as string));
});

same('FileHandle', async (fs, root) => {
  const results: unknown[] = [];
  const handle = await fs.promises.open(`${root}/f`, 'w+', 0o640);
  results.push(
    typeof handle.fd,
    await handle.write('hello'),
    await handle.write(Buffer.from(' world'), 0, 6, null),
  );
  results.push(await handle.writev([Buffer.from('A'), Buffer.from('B')], 20), await handle.stat());
  results.push(
    await handle.read(Buffer.alloc(5), 0, 5, 0),
    await handle.read({ position: 6, length: 3 }).then((r) => r.bytesRead),
  );
  results.push(
    await handle.read(Buffer.alloc(4), { position: 1 }),
    await handle.readv([Buffer.alloc(2), Buffer.alloc(2)], 0),
  );
  results.push(
    await handle.truncate(8),
    await handle.readFile('utf8'),
    await handle.chmod(0o600),
    await handle.chown(1, 2),
  );
  results.push(
    await handle.utimes(10, 20),
    await handle.sync(),
    await handle.datasync(),
    await handle.stat(),
  );
  results.push(
    await handle.appendFile('more'),
    await handle.writeFile('x'),
    fs.readFileSync(`${root}/f`, 'utf8'),
  );
  let events = 0;
  (handle as unknown as NodeJS.EventEmitter).on('close', () => events++);
  await handle.close();
  await handle.close();
  results.push(handle.fd, events);
  for (const work of [() => handle.read(Buffer.alloc(1)), () => handle.stat(), () => handle.writeFile('x')]) {
    const error = await work().then(
      () => 'none',
      (e) => e,
    );
    results.push((error as NodeJS.ErrnoException).code, (error as Error).message);
  }
  return results;
});

same('FileHandle’s lines and streams', async (fs, root) => {
  fs.writeFileSync(`${root}/f`, 'one\ntwo\r\nthree\n\nfive');
  const lines: string[] = [];
  for await (const line of (await fs.promises.open(`${root}/f`)).readLines()) lines.push(line);
  const from = await fs.promises.open(`${root}/f`);
  const text = await read(from.createReadStream({ encoding: 'utf8', start: 4, end: 6 }));
  const to = await fs.promises.open(`${root}/f`, 'r+');
  const out = to.createWriteStream({ start: 0 });
  out.end('ONE');
  await closed(out);
  const web = await fs.promises.open(`${root}/f`);
  const chunks: string[] = [];
  for await (const chunk of web.readableWebStream() as unknown as AsyncIterable<ArrayBuffer>)
    chunks.push(Buffer.from(chunk).toString());
  await web.close();
  return [lines, text, from.fd, to.fd, fs.readFileSync(`${root}/f`, 'utf8'), chunks.join('')];
});

same('streams', async (fs, root) => {
  const results: unknown[] = [];
  const out = fs.createWriteStream(`${root}/f`, { mode: 0o600 });
  const events: string[] = [];
  for (const name of ['open', 'ready', 'finish', 'close']) out.on(name, () => events.push(name));
  results.push(out.pending, out.path);
  out.write('abc');
  out.write(Buffer.from('def'));
  out.cork();
  out.write('1');
  out.write('2');
  out.uncork();
  out.end('ghi');
  await closed(out);
  results.push(events, out.bytesWritten, fs.readFileSync(`${root}/f`, 'utf8'), fs.statSync(`${root}/f`));
  results.push(await read(fs.createReadStream(`${root}/f`)));
  results.push(await read(fs.createReadStream(`${root}/f`, { start: 2, end: 4, encoding: 'utf8' })));
  results.push((await read(fs.createReadStream(`${root}/f`, { highWaterMark: 4 }))).join('|'));
  results.push(await read(fs.createReadStream(`${root}/f`, 'hex')));
  const append = fs.createWriteStream(`${root}/f`, { flags: 'a' });
  append.end('!');
  await closed(append);
  const middle = fs.createWriteStream(`${root}/f`, { start: 3, flags: 'r+' });
  middle.end('XX');
  await closed(middle);
  results.push(fs.readFileSync(`${root}/f`, 'utf8'));
  const missing = fs.createReadStream(`${root}/none`);
  results.push(await new Promise((resolve) => missing.once('error', resolve)));
  const fd = fs.openSync(`${root}/f`, 'r');
  const byFd = fs.createReadStream('', { fd, autoClose: false });
  results.push(await read(byFd));
  fs.closeSync(fd);
  const piped = fs.createReadStream(`${root}/f`).pipe(fs.createWriteStream(`${root}/g`));
  await closed(piped);
  results.push(fs.readFileSync(`${root}/g`, 'utf8'));
  const aborted = fs.createReadStream(`${root}/f`, { signal: AbortSignal.abort() });
  results.push(await new Promise((resolve) => aborted.once('error', (e: Error) => resolve(e.name))));
  return results;
});

sameEach('bad arguments of streams', async (fs, _root, attempt) => {
  const bad = <T>(value: unknown) => value as T;
  await attempt('start after end', () => fs.createReadStream('/x', { start: 5, end: 3 }));
  await attempt('start', () => fs.createReadStream('/x', { start: bad('a') }));
  await attempt('end', () => fs.createReadStream('/x', { end: -1 }));
  await attempt('encoding', () => fs.createReadStream('/x', { encoding: bad('zz') }));
  await attempt('path', () => fs.createReadStream(bad(5)));
  await attempt('write start', () => fs.createWriteStream('/x', { start: bad('a') }));
});

same('promisify gives what it gives in Node', async (fs, root) => {
  fs.writeFileSync(`${root}/f`, 'text');
  const fd = fs.openSync(`${root}/f`, 'r+');
  const results = [
    await promisify(fs.exists)(`${root}/f`),
    await promisify(fs.readFile)(`${root}/f`, 'utf8'),
    await promisify(fs.stat)(`${root}/f`),
    await (promisify(fs.read) as unknown as (...args: unknown[]) => Promise<unknown>)(
      fd,
      Buffer.alloc(4),
      0,
      4,
      0,
    ),
    await (promisify(fs.write) as unknown as (...args: unknown[]) => Promise<unknown>)(fd, 'x', 0),
    await (promisify(fs.readv) as unknown as (...args: unknown[]) => Promise<unknown>)(
      fd,
      [Buffer.alloc(2)],
      0,
    ),
  ];
  fs.closeSync(fd);
  return results;
});

same('callbacks come later, promises first', async (fs, root) => {
  const order: string[] = [];
  const done = called((cb) =>
    fs.stat(root, (...args) => {
      order.push('callback');
      cb(...args);
    }),
  );
  Promise.resolve().then(() => order.push('promise'));
  order.push('now');
  const [error, stats] = await done;
  return [order, error, stats];
});

test('openAsBlob', async () => {
  const { fs } = testMachine();
  fs.writeFileSync('/tmp/f', 'blob');
  const blob = await fs.openAsBlob('/tmp/f', { type: 'text/plain' });
  expect([await blob.text(), blob.type, blob.size]).toEqual(['blob', 'text/plain', 4]);
});

describe('what fs offers', () => {
  const { fs } = testMachine();
  const mine = fs as unknown as Record<string, unknown>;

  test('all of node:fs but what the documents name', async () => {
    const node = (await import('node:fs')) as unknown as Record<string, unknown>;
    const missing = Object.keys(node).filter((name) => typeof mine[name] !== typeof node[name]);
    const notThere = process.platform === 'darwin' ? ['lchmod', 'lchmodSync'] : [];
    expect(missing.sort()).toEqual(['_toUnixTimestamp', 'default', ...notThere]);
    const theirs = Object.keys((node as unknown as Fs).promises);
    expect(theirs.filter((name) => !(name in fs.promises))).toEqual([]);
    // What else Node's constants name has nothing to do with files.
    expect(hostConstants).toMatchObject(fs.constants);
  });

  test('functions have their own names', () => {
    for (const [name, value] of Object.entries(mine)) {
      if (typeof value === 'function' && /^[a-z]/.test(name)) expect(value.name).toBe(name);
    }
  });

  test('streams are functions: called without new, on objects made elsewhere, extended', async () => {
    fs.writeFileSync('/tmp/old', 'text');
    const { ReadStream, WriteStream } = fs as unknown as Record<
      string,
      (path: string) => AsyncIterable<string>
    >;
    const plain = ReadStream('/tmp/old');
    expect(plain).toBeInstanceOf(ReadStream);
    expect(await read(plain)).toEqual(['text']);
    function Old(this: object, path: string) {
      Reflect.apply(ReadStream, this, [path]);
    }
    Old.prototype = Object.create(ReadStream.prototype);
    const old = Reflect.construct(Old, ['/tmp/old']);
    expect(await read(old)).toEqual(['text']);
    expect([old.fd, old.bytesRead, old.path]).toEqual([null, 4, '/tmp/old']);
    class New extends fs.WriteStream {}
    const stream = Reflect.construct(New, ['/tmp/new']) as NodeJS.WritableStream;
    expect(stream).toBeInstanceOf(New);
    await new Promise<void>((resolve) => stream.end('written', resolve));
    expect(fs.readFileSync('/tmp/new', 'utf8')).toBe('written');
    expect([ReadStream.name, WriteStream.name]).toEqual(['ReadStream', 'WriteStream']);
  });

  test('a stream’s own open is used, and its error is the stream’s', async () => {
    fs.writeFileSync('/tmp/opened', 'text');
    type Opening = { fd: number; path: string; emit(event: string, value: unknown): void };
    class Patched extends fs.ReadStream {
      open(this: Opening) {
        fs.open(this.path, 'r', (error, fd) => {
          if (error) this.emit('error', error);
          else {
            this.fd = fd;
            this.emit('open', fd);
          }
        });
      }
    }
    const patched = (path: string): AsyncIterable<string> => Reflect.construct(Patched, [path]);
    expect(await read(patched('/tmp/opened'))).toEqual(['text']);
    await expect(read(patched('/tmp/none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('functions may be called alone', () => {
    const { writeFileSync, readFileSync } = fs;
    writeFileSync('/tmp/alone', 'x');
    expect(readFileSync('/tmp/alone', 'utf8')).toBe('x');
  });

  test('thousands of whole files begun at once need no descriptor each', async () => {
    const count = 5000;
    fs.mkdirSync('/tmp/many');
    const path = (i: number) => `/tmp/many/${i}`;
    const all = <T>(work: (i: number) => Promise<T>) =>
      Promise.all(Array.from({ length: count }, (_, i) => work(i)));
    await all((i) => fs.promises.writeFile(path(i), `file ${i}`));
    await all((i) => fs.promises.appendFile(path(i), '\n'));
    const texts = await all((i) => fs.promises.readFile(path(i), 'utf8'));
    expect(texts).toEqual(Array.from({ length: count }, (_, i) => `file ${i}\n`));
    const fd = fs.openSync('/tmp/many', 'r');
    expect(fd).toBeLessThan(10);
    fs.closeSync(fd);
    fs.rmSync('/tmp/many', { recursive: true });
  });

  test('an abort right after the call is heeded', async () => {
    fs.writeFileSync('/tmp/heeded', 'text');
    const reading = new AbortController();
    const read = fs.promises.readFile('/tmp/heeded', { signal: reading.signal });
    reading.abort();
    await expect(read).rejects.toMatchObject({ name: 'AbortError' });
    const writing = new AbortController();
    const write = fs.promises.writeFile('/tmp/heeded', 'other', { signal: writing.signal });
    writing.abort();
    await expect(write).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a loop that polls does not starve timers', async () => {
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 1);
    let tries = 0;
    while (!fired && tries < 1e6) {
      tries++;
      await fs.promises.access('/none').catch(() => {});
    }
    expect(fired).toBe(true);
  });
});
