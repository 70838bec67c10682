import { called, same, sameEach } from './oracle.ts';

sameEach('open flags and what each allows', async (fs, root, attempt) => {
  for (const flags of ['r', 'r+', 'rs', 'rs+', 'w', 'w+', 'wx', 'wx+', 'a', 'a+', 'ax', 'ax+', 'as', 'as+']) {
    for (const there of [true, false]) {
      const file = `${root}/${flags}${there}`;
      if (there) fs.writeFileSync(file, 'content');
      await attempt(`${flags} ${there}`, () => {
        const fd = fs.openSync(file, flags, 0o620);
        const results: unknown[] = [fs.fstatSync(fd)];
        for (const work of [() => fs.writeSync(fd, 'XY'), () => fs.readSync(fd, Buffer.alloc(4), 0, 4, 0)]) {
          try {
            results.push(work());
          } catch (error) {
            results.push(error);
          }
        }
        fs.closeSync(fd);
        return [results, fs.readFileSync(file, 'utf8')];
      });
    }
  }
});

same('numeric flags are the host’s constants', (fs, root) => {
  const { O_CREAT, O_EXCL, O_WRONLY, O_APPEND, O_TRUNC, O_RDWR } = fs.constants;
  const fd = fs.openSync(`${root}/f`, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  fs.writeSync(fd, 'one');
  fs.closeSync(fd);
  const more = fs.openSync(`${root}/f`, O_APPEND | O_WRONLY);
  fs.writeSync(more, 'two', 0);
  fs.closeSync(more);
  const text = fs.readFileSync(`${root}/f`, 'utf8');
  fs.closeSync(fs.openSync(`${root}/f`, O_TRUNC | O_RDWR));
  return [text, fs.statSync(`${root}/f`)];
});

same('read and write in all their forms', async (fs, root) => {
  const fd = fs.openSync(`${root}/f`, 'w+');
  const results: unknown[] = [];
  const written = [
    fs.writeSync(fd, 'text'),
    fs.writeSync(fd, 'grün', null, 'latin1'),
    fs.writeSync(fd, '0a0b', 20, 'hex'),
    fs.writeSync(fd, Buffer.from('0123456789'), 2, 3),
    fs.writeSync(fd, Buffer.from('0123456789'), 8),
    (fs.writeSync as unknown as (fd: number, data: Buffer, options: object) => number)(
      fd,
      Buffer.from('abc'),
      {
        offset: 1,
        position: 40,
      },
    ),
    fs.writeSync(fd, new Uint16Array([0x4141, 0x4242])),
    fs.writeSync(fd, new DataView(new ArrayBuffer(2))),
    fs.writevSync(fd, [Buffer.from('v1'), new Uint8Array([118, 50])], 60),
    fs.writevSync(fd, []),
  ];
  results.push(written, fs.readFileSync(`${root}/f`));
  const b = Buffer.alloc(8);
  results.push(fs.readSync(fd, b, 0, 8, 0), b.toString('latin1'));
  results.push(fs.readSync(fd, b, { position: 2, length: 3, offset: 1 }), b.toString('latin1'));
  results.push(fs.readSync(fd, b, 4, 2, 3n), b.toString('latin1'));
  results.push(fs.readSync(fd, b), fs.readSync(fd, b, 0, 0, 0), fs.readSync(fd, b, 0, 8, 1e6));
  const words = new Uint32Array(2);
  results.push(fs.readSync(fd, words, 0, 8, 0), [...words]);
  const parts = [Buffer.alloc(3), Buffer.alloc(5)];
  results.push(fs.readvSync(fd, parts, 0), parts);
  results.push(await called((cb) => fs.read(fd, b, 0, 4, 0, cb)));
  results.push(await called((cb) => fs.read(fd, { buffer: b, position: 1 }, cb)));
  results.push(await called((cb) => fs.read(fd, b, { position: 1 }, cb)));
  results.push((await called((cb) => fs.read(fd, cb))).slice(0, 2));
  results.push(await called((cb) => fs.write(fd, 'cb', cb)));
  results.push(await called((cb) => fs.write(fd, b, 1, 2, 0, cb)));
  results.push(await called((cb) => fs.writev(fd, parts, 0, cb)));
  results.push(await called((cb) => fs.readv(fd, parts, 1, cb)));
  fs.closeSync(fd);
  return results;
});

sameEach('bad arguments of read and write', async (fs, root, attempt) => {
  const bad = <T>(value: unknown) => value as T;
  const fd = fs.openSync(`${root}/f`, 'w+');
  const b = Buffer.alloc(3);
  await attempt('buffer', () => fs.readSync(fd, bad('x')));
  await attempt('offset', () => fs.readSync(fd, b, 4, 1, 0));
  await attempt('length', () => fs.readSync(fd, b, 0, 4, 0));
  await attempt('negative length', () => fs.readSync(fd, b, 0, -1, 0));
  await attempt('negative offset', () => fs.readSync(fd, b, -1, 1, 0));
  await attempt('fraction', () => fs.readSync(fd, b, 0.5, 1, 0));
  await attempt('empty', () => fs.readSync(fd, new Uint8Array(0), 0, 1, 0));
  await attempt('position text', () => fs.readSync(fd, b, 0, 1, bad('x')));
  await attempt('position fraction', () => fs.readSync(fd, b, 0, 1, 1.5));
  await attempt('options', () => fs.readSync(fd, b, bad(4)));
  await attempt('write number', () => fs.writeSync(fd, bad(5)));
  await attempt('write object', () => fs.writeSync(fd, bad({})));
  await attempt('write offset', () => fs.writeSync(fd, b, 4));
  await attempt('write length', () => fs.writeSync(fd, b, 1, 4));
  await attempt('write negative', () => fs.writeSync(fd, b, -1));
  await attempt('write odd hex', () => fs.writeSync(fd, 'abc', 0, 'hex'));
  await attempt('writev', () => fs.writevSync(fd, bad([1])));
  await attempt('readv', () => fs.readvSync(fd, bad(5)));
  fs.closeSync(fd);
  for (const value of [-1, 1.5, 2 ** 31, 'a', null, undefined, {}]) {
    await attempt('ftruncate fd', () => fs.ftruncateSync(bad(value)));
    await attempt('write fd', () => fs.writeSync(bad(value), 'x'));
  }
  await attempt('closed', () => fs.readSync(fd, b, 0, 1, 0));
  await attempt('closed fstat', () => fs.fstatSync(fd));
  await attempt('closed futimes', () => fs.futimesSync(fd, 1, 1));
  await attempt('closed close', () => fs.closeSync(fd));
  await attempt('closed by callback', () => called((cb) => fs.fsync(fd, cb)));
});

same('readFile, writeFile, appendFile', async (fs, root) => {
  const file = `${root}/f`;
  const results: unknown[] = [];
  const look = () => results.push(fs.readFileSync(file));
  fs.writeFileSync(file, 'héllo', { mode: 0o604 });
  look();
  fs.writeFileSync(file, 'bytes', { encoding: 'latin1', flag: 'a' });
  look();
  fs.appendFileSync(file, Buffer.from([1, 2, 3]));
  look();
  fs.writeFileSync(file, '', { flush: true });
  look();
  fs.writeFileSync(file, new Float32Array([1]));
  look();
  results.push(fs.readFileSync(file, { encoding: 'base64' }), fs.readFileSync(file, 'hex'));
  await fs.promises.writeFile(file, ['a', 'b', 'ü']);
  look();
  await fs.promises.writeFile(
    file,
    (async function* () {
      yield 'x';
      yield Buffer.from('y');
    })(),
  );
  look();
  results.push(await called((cb) => fs.readFile(file, cb)));
  results.push(await called((cb) => fs.readFile(file, 'utf8', cb)));
  results.push(await called((cb) => fs.appendFile(file, '!', cb)));
  look();
  const fd = fs.openSync(file, 'r+');
  fs.writeFileSync(fd, 'by fd');
  results.push(fs.readFileSync(fd, 'utf8'));
  fs.closeSync(fd);
  look();
  fs.truncateSync(file, 3);
  look();
  fs.truncateSync(file, 6);
  look();
  fs.truncateSync(file);
  look();
  results.push(fs.statSync(file));
  const large = Buffer.alloc(300_000, 'abcdefg');
  fs.writeFileSync(file, large);
  results.push(large.equals(fs.readFileSync(file)), large.equals(await fs.promises.readFile(file)));
  results.push(fs.readFileSync(file, 'utf8') === large.toString());
  return results;
});

sameEach('errors of whole-file calls', async (fs, root, attempt) => {
  const bad = <T>(value: unknown) => value as T;
  fs.mkdirSync(`${root}/d`);
  await attempt('read none', () => fs.readFileSync(`${root}/none`));
  await attempt('read dir', () => fs.readFileSync(`${root}/d`));
  await attempt('read dir later', () => fs.promises.readFile(`${root}/d`));
  await attempt('read none later', () => fs.promises.readFile(`${root}/none`));
  await attempt('read none by callback', () => called((cb) => fs.readFile(`${root}/none`, cb)));
  await attempt('write dir', () => fs.writeFileSync(`${root}/d`, 'x'));
  await attempt('write number', () => fs.writeFileSync(`${root}/f`, bad(5)));
  await attempt('encoding', () => fs.readFileSync(`${root}/f`, bad('zz')));
  await attempt('options', () => fs.readFileSync(`${root}/f`, bad(5)));
  await attempt('flag', () => fs.writeFileSync(`${root}/f`, 'x', { flag: 'zz' }));
  await attempt('mode', () => fs.writeFileSync(`${root}/f`, 'x', { mode: 'zz' }));
  await attempt('fd in promises', () => fs.promises.readFile(bad(5)));
  await attempt('aborted', () => fs.promises.readFile(`${root}/f`, { signal: AbortSignal.abort('why') }));
  await attempt('aborted write', () =>
    fs.promises.writeFile(`${root}/f`, 'x', { signal: AbortSignal.abort() }),
  );
});

same('copyFile', async (fs, root) => {
  fs.writeFileSync(`${root}/a`, 'x'.repeat(200_000), { mode: 0o751 });
  fs.copyFileSync(`${root}/a`, `${root}/b`);
  fs.writeFileSync(`${root}/c`, 'y'.repeat(300_000));
  await fs.promises.copyFile(`${root}/a`, `${root}/c`);
  fs.copyFileSync(`${root}/a`, `${root}/a`);
  return ['a', 'b', 'c'].map((name) => [
    fs.statSync(`${root}/${name}`),
    fs.readFileSync(`${root}/${name}`).length,
  ]);
});
