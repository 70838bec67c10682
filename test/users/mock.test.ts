/** node:fs replaced as a whole, as tests do with an in-memory fs: the program under test does not know. */
import hostFs from 'node:fs';
import { expect, vi } from 'vitest';
import { test } from './program/damselfly.ts';
import { Notes } from './program/notes.ts';

vi.mock('node:fs', async () => (await import('./program/damselfly.ts')).mockFs());
vi.mock('node:fs/promises', async () => (await import('./program/damselfly.ts')).mockFsPromises());

test.override({ machineOptions: { flavour: 'up-debug' } });

test('what the program under test and this file import is the machine', async ({ fs }) => {
  fs.writeFileSync('/tmp/here', '');
  expect(hostFs.readdirSync('/tmp')).toEqual(['here']);
  expect(hostFs.existsSync(import.meta.filename)).toBe(false);
  const real = await vi.importActual<typeof hostFs>('node:fs');
  expect(real.existsSync(import.meta.filename)).toBe(true);
});

test('the program works, and its files are in the machine', async ({ fs }) => {
  const notes = new Notes('/home/notes');
  await notes.save('first', 'one');
  await notes.save('sub/second', 'two');
  await notes.save('first', 'one again');
  expect(await notes.titles()).toEqual(['first', 'sub/second']);
  expect(await notes.load('first')).toBe('one again');
  expect(notes.log).toEqual(['saved first', 'saved sub/second', 'saved first']);
  expect(fs.readdirSync('/home/notes', { recursive: true }).sort()).toEqual([
    'first.md',
    'log',
    'sub',
    'sub/second.md',
  ]);
  await notes.remove('first');
  await expect(notes.load('first')).rejects.toMatchObject({
    code: 'ENOENT',
    message: "ENOENT: no such file or directory, open '/home/notes/first.md'",
  });
});

test('its streams', async ({ fs }) => {
  const notes = new Notes('/home/notes');
  const text = 'a long line of it\n'.repeat(20_000);
  await notes.save('long', text);
  await notes.compress('long');
  expect(fs.statSync('/home/notes/long.md.gz').size).toBeLessThan(text.length / 10);
  expect(await notes.decompress('long')).toBe(text);
});

test('one function made to fail for once', async ({ fs }) => {
  const notes = new Notes('/home/notes');
  await notes.save('kept', 'text');
  const append = vi.spyOn(fs, 'appendFileSync').mockImplementationOnce(() => {
    throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
  });
  await expect(notes.save('kept', 'other')).rejects.toThrow('EIO');
  expect(append).toHaveBeenCalledWith('/home/notes/log', 'saved kept\n');
  append.mockRestore();
  await notes.save('kept', 'third');
  expect(notes.log).toEqual(['saved kept', 'saved kept']);
});

test('failures that need no mock: a full disk, a directory that may not be written', async ({
  machine,
  fs,
}) => {
  fs.mkdirSync('/home/notes');
  machine.init.mount('tmpfs', '/home/notes', 'tmpfs', 0, 'size=64k');
  const notes = new Notes('/home/notes');
  await notes.save('small', 'fits');
  await expect(notes.save('large', 'x'.repeat(100_000))).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await notes.load('small')).toBe('fits');
});
