import { constants } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as flag from '../../../assembly/abi/flags.ts';
import { linuxConstants } from '../../../host/platform/constants.ts';
import { flagReader, flagTranslator } from '../../../host/syscalls/fs/flags.ts';

// The open flags of `fs.constants` as Node gives them on other systems.
const DARWIN = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_NONBLOCK: 0x4,
  O_APPEND: 0x8,
  O_SYNC: 0x80,
  O_NOFOLLOW: 0x100,
  O_CREAT: 0x200,
  O_TRUNC: 0x400,
  O_EXCL: 0x800,
  O_NOCTTY: 0x20000,
  O_DIRECTORY: 0x100000,
  O_SYMLINK: 0x200000,
  O_DSYNC: 0x400000,
};
const WIN32 = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_APPEND: 0x8,
  O_CREAT: 0x100,
  O_TRUNC: 0x200,
  O_EXCL: 0x400,
  UV_FS_O_FILEMAP: 0x20000000,
};

describe.each([
  ['darwin', DARWIN as Record<string, number>],
  ['win32', WIN32 as Record<string, number>],
])('open flags of %s', (_name, host) => {
  const translate = flagTranslator(host);
  const machine: Record<string, number> = {
    ...(flag as unknown as Record<string, number>),
    O_SYMLINK: flag.O_PATH | flag.O_NOFOLLOW,
  };

  test.each(Object.keys(host).filter((name) => name.startsWith('O_')))('%s', (name) => {
    expect(translate(host[name])).toBe(machine[name]);
    expect(translate(host[name] | host.O_RDWR)).toBe(machine[name] | flag.O_RDWR);
  });

  test('combined', () => {
    expect(translate(host.O_WRONLY | host.O_CREAT | host.O_TRUNC | host.O_EXCL)).toBe(
      flag.O_WRONLY | flag.O_CREAT | flag.O_TRUNC | flag.O_EXCL,
    );
  });

  test('a bit that the host does not name is dropped', () => {
    expect(translate(host.O_APPEND | 0x40000000)).toBe(flag.O_APPEND);
  });

  test('letters mean the same on every host', () => {
    expect(flagReader(host)('a+')).toBe(flag.O_APPEND | flag.O_CREAT | flag.O_RDWR);
  });
});

test('O_CREAT of macOS is not taken for O_TRUNC of Linux', () => {
  expect(DARWIN.O_CREAT).toBe(flag.O_TRUNC);
  expect(flagTranslator(DARWIN)(DARWIN.O_CREAT)).toBe(flag.O_CREAT);
});

test.runIf(process.platform === 'linux')('the built-in constants are those of Node on Linux', () => {
  const mine: Record<string, number> = { ...linuxConstants };
  const nodes: Record<string, number> = { ...constants } as unknown as Record<string, number>;
  for (const name of Object.keys(mine)) expect([name, mine[name]]).toEqual([name, nodes[name]]);
  expect(flagTranslator(nodes)(0o7654321)).toBe(0o7654321);
});

test('bad flags', () => {
  const read = flagReader(linuxConstants);
  expect(() => read('zz')).toThrow("The argument 'flags' is invalid. Received 'zz'");
  expect(() => read('constructor')).toThrow(/invalid/);
  expect(() => read({})).toThrow('Received {}');
  expect(() => read(2 ** 32)).toThrow(/out of range/);
  expect(read(undefined)).toBe(flag.O_RDONLY);
});
