/** What people do with memfs, done on both: the tests they write go over as they are. */
import type * as nodeFs from 'node:fs';
import { promisify } from 'node:util';
import { Volume } from 'memfs';
import { afterEach, describe, expect, vi } from 'vitest';
import { bootSync, type InitialFile, type NodeFs } from '../../host/index.ts';
import { test, toJSON } from '../../host/testing/vitest.ts';

type Fs = typeof nodeFs;
type Json = Record<string, string | null>;

const FILES: Json = {
  '/app/package.json': '{ "name": "app" }',
  '/app/src/index.ts': 'export {};\n',
  '/app/src/deep/er/file.ts': '// deep',
  '/app/empty.txt': '',
  '/app/node_modules': null,
  '/app/ünï/cödé.txt': 'größe',
};

test.override({ machineOptions: { files: FILES, flavour: 'up-debug' } });

describe('initial files', () => {
  test('what goes in comes out, as with fromJSON and toJSON', ({ fs }) => {
    expect(toJSON(fs, '/app')).toEqual(Volume.fromJSON(FILES).toJSON());
    expect(toJSON(fs, '/app')).toEqual(FILES);
  });

  const files: Record<string, InitialFile> = {
    '/bin/tool': { data: '#!/bin/sh\n', mode: 0o755 },
    '/home/ada/key': { data: new Uint8Array([1, 2, 255]), mode: 0o600, uid: 1000, gid: 100 },
  };

  describe('of all kinds', () => {
    test.override({ machineOptions: { files, flavour: 'up-debug' } });

    test('bytes, modes and owners', ({ machine, fs }) => {
      expect(fs.statSync('/bin/tool').mode & 0o777).toBe(0o755);
      expect(fs.statSync('/home/ada/key')).toMatchObject({ uid: 1000, gid: 100, size: 3 });
      expect([...fs.readFileSync('/home/ada/key')]).toEqual([1, 2, 255]);
      const other = machine.process({ uid: 1001, gid: 100 });
      expect(() => other.fs.readFileSync('/home/ada/key')).toThrow(
        expect.objectContaining({ code: 'EACCES' }),
      );
      other.exit();
    });
  });

  test('a relative path is refused', () => {
    expect(() => bootSync({ files: { 'app/file': '' } })).toThrow(/'app\/file' is not an absolute path/);
  });
});

/**
 * The same few lines on memfs and on a machine; what they return is compared. Listings are sorted:
 * memfs sorts them itself, and Node promises no order.
 */
const programs: Record<string, (fs: Fs) => unknown> = {
  'read and write': (fs) => {
    fs.writeFileSync('/app/new', 'one');
    fs.appendFileSync('/app/new', ' two');
    fs.copyFileSync('/app/new', '/app/copy');
    fs.renameSync('/app/new', '/app/moved');
    fs.unlinkSync('/app/copy');
    return [fs.readFileSync('/app/moved', 'utf8'), fs.existsSync('/app/new'), fs.readdirSync('/app').sort()];
  },
  'a URL and a Buffer as path': (fs) => [
    fs.readFileSync(new URL('file:///app/package.json'), 'utf8'),
    fs.readFileSync(Buffer.from('/app/src/index.ts'), { encoding: 'utf8' }),
    fs.readFileSync('/app/package.json', 'base64'),
  ],
  stats: (fs) => {
    fs.symlinkSync('package.json', '/app/link');
    const stats = fs.lstatSync('/app/link');
    const followed = fs.statSync('/app/link', { bigint: true });
    return [
      stats.isSymbolicLink(),
      stats.isFile(),
      followed.isFile(),
      followed.size,
      fs.readlinkSync('/app/link'),
      fs.realpathSync('/app/link'),
      fs.statSync('/none', { throwIfNoEntry: false }),
    ];
  },
  directories: (fs) => {
    // (memfs returns another path here than Node does.)
    fs.mkdirSync('/app/a/b/c', { recursive: true });
    const again = fs.mkdirSync('/app/a/b/c', { recursive: true });
    fs.writeFileSync('/app/a/b/file', '');
    const entries = fs
      .readdirSync('/app/a/b', { withFileTypes: true })
      .map((entry) => [entry.name, entry.isDirectory(), entry.isFile()]);
    fs.rmSync('/app/a', { recursive: true });
    return [again, entries, fs.existsSync('/app/a')];
  },
  descriptors: (fs) => {
    const fd = fs.openSync('/app/by-fd', 'w+');
    fs.writeSync(fd, 'hello world');
    fs.writeSync(fd, 'W', 6);
    fs.ftruncateSync(fd, 9);
    const buffer = Buffer.alloc(20, '.');
    const count = fs.readSync(fd, buffer, 2, 10, 0);
    const { size } = fs.fstatSync(fd);
    fs.closeSync(fd);
    return [count, buffer.toString(), size];
  },
  errors: (fs) =>
    [
      () => fs.readFileSync('/none'),
      () => fs.readFileSync('/app'),
      () => fs.mkdirSync('/app'),
      () => fs.rmdirSync('/app'),
      () => fs.readdirSync('/app/package.json'),
      () => fs.writeFileSync('/none/file', ''),
      () => fs.openSync('/app/empty.txt', 'wx'),
      () => fs.readlinkSync('/app/package.json'),
      () => fs.accessSync('/none'),
      () => fs.renameSync('/none', '/other'),
      () => fs.closeSync(9999),
    ].map((attempt) => {
      try {
        attempt();
        return 'no error';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    }),
  'callbacks and promisify': async (fs) => {
    const write = promisify(fs.writeFile);
    const read = promisify(fs.readFile);
    await write('/app/later', 'text');
    const entries = await new Promise((resolve, reject) =>
      fs.readdir('/app/src', (error, names) => (error ? reject(error) : resolve(names.sort()))),
    );
    return [(await read('/app/later')).toString(), entries];
  },
  promises: async (fs) => {
    const { promises: p } = fs;
    await p.mkdir('/app/p');
    await p.writeFile('/app/p/file', new Uint8Array([65, 66]));
    const handle = await p.open('/app/p/file', 'r+');
    await handle.write('Z', 1);
    const text = await handle.readFile('utf8');
    await handle.close();
    const failed = await p.access('/app/p/none').then(
      () => 'there',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await p.rm('/app/p', { recursive: true, force: true });
    return [text, failed, fs.existsSync('/app/p')];
  },
  streams: async (fs) => {
    const output = fs.createWriteStream('/app/stream');
    for (let i = 0; i < 1000; i++) output.write(`line ${i}\n`);
    await new Promise<void>((resolve) => output.end(resolve));
    let text = '';
    for await (const chunk of fs.createReadStream('/app/stream', { encoding: 'utf8', start: 7, end: 20 }))
      text += chunk;
    return [fs.statSync('/app/stream').size, text];
  },
};

describe.each(Object.keys(programs))('as on memfs: %s', (name) => {
  test('gives the same', async ({ fs }) => {
    const volume = Volume.fromJSON(FILES);
    const mine = await programs[name](fs as Fs);
    expect(mine).toEqual(await programs[name](volume as unknown as Fs));
    expect(toJSON(fs, '/app')).toEqual(withoutLinks(volume.toJSON(), fs));
  });
});

/** memfs's toJSON shows a link as the file it leads to. */
function withoutLinks(json: Json, fs: NodeFs): Json {
  return Object.fromEntries(Object.entries(json).filter(([path]) => !fs.lstatSync(path).isSymbolicLink()));
}

describe('a fresh fs for each test', () => {
  afterEach(() => void vi.restoreAllMocks());

  test.for([1, 2, 3])('what test %i leaves is not seen by the next', (n, { fs }) => {
    expect(toJSON(fs, '/app')).toEqual(FILES);
    fs.rmSync('/app/src', { recursive: true });
    fs.writeFileSync('/app/package.json', `${n}`);
    fs.writeFileSync(`/app/left-${n}`, '');
  });

  test('functions are spied on and replaced', async ({ machine, fs }) => {
    const read = vi.spyOn(fs, 'readFileSync');
    expect(fs.readFileSync('/app/package.json', 'utf8')).toContain('app');
    expect(read).toHaveBeenCalledExactlyOnceWith('/app/package.json', 'utf8');
    vi.spyOn(fs.promises, 'writeFile').mockRejectedValueOnce(
      Object.assign(new Error('full'), { code: 'ENOSPC' }),
    );
    await expect(fs.promises.writeFile('/app/x', '')).rejects.toMatchObject({ code: 'ENOSPC' });
    await fs.promises.writeFile('/app/x', 'now it works');
    expect(machine.fs.readFileSync('/app/x', 'utf8')).toBe('now it works');
    vi.spyOn(fs, 'existsSync').mockReturnValue(true);
    expect(fs.existsSync('/none')).toBe(true);
  });

  test('a snapshot of the files is a snapshot test', ({ fs }) => {
    fs.writeFileSync('/app/built.js', 'built');
    fs.rmSync('/app/src', { recursive: true });
    expect(toJSON(fs, '/app')).toMatchInlineSnapshot(`
      {
        "/app/built.js": "built",
        "/app/empty.txt": "",
        "/app/node_modules": null,
        "/app/package.json": "{ "name": "app" }",
        "/app/ünï/cödé.txt": "größe",
      }
    `);
  });
});
