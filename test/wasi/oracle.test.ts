/**
 * The same guest, the same calls, on a machine and under node:wasi on a directory of the host: what both
 * return must be the same, but for the differences that stand here with their reasons.
 */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as w from '../../assembly/abi/wasi.ts';
import { type TestMachine, testMachine } from '../../host/testing/index.ts';
import { WasiGuest } from '../../host/wasi/guest.ts';
import { DIRECTORY, FILE, type Filestat, Handle } from './handle.ts';
import { probeModule } from './scene.ts';

const DIR = w.WASI_OFLAG_DIRECTORY;
const CREAT = w.WASI_OFLAG_CREAT;

type Act = (wasi: Handle) => unknown;

/** Sizes, types and names, not numbers of inodes or times. */
const brief = (stat: Filestat | number) => (typeof stat === 'object' ? [stat.type, stat.size] : stat);
const opened = (fd: number, wasi: Handle) => (fd < 0 ? fd : wasi.call('fd_close', fd));

/** In order: later ones see what earlier ones did. */
const ACTS: readonly [string, Act][] = [
  [
    'read a file',
    (wasi) => {
      const fd = wasi.open(3, 'a');
      return [
        wasi.read(fd, 2, 2),
        wasi.read(fd, 9),
        wasi.read(fd, 9),
        wasi.tell(fd),
        wasi.call('fd_close', fd),
      ];
    },
  ],
  [
    'positions',
    (wasi) => {
      const fd = wasi.open(3, 'a');
      return [
        wasi.seek(fd, -1n, w.WASI_WHENCE_END),
        wasi.read(fd, 5),
        wasi.pread(fd, 1n, 2),
        wasi.pwrite(fd, 1n, 'E'),
        wasi.seek(fd, -9n, w.WASI_WHENCE_CUR),
        wasi.seek(fd, 0n, 3),
        wasi.call('fd_close', fd),
      ];
    },
  ],
  [
    'what is not there',
    (wasi) => [
      opened(wasi.open(3, 'none'), wasi),
      opened(wasi.open(3, 'none/x'), wasi),
      opened(wasi.open(3, 'a/x'), wasi),
      opened(wasi.open(3, 'a/'), wasi),
      brief(wasi.stat(3, 'none')),
      wasi.readlink(3, 'none'),
      wasi.call('path_unlink_file', 3, ...wasi.path('none')),
      wasi.call('path_remove_directory', 3, ...wasi.path('none')),
      wasi.rename(3, 'none', 3, 'n'),
      wasi.link(3, 0, 'none', 3, 'n'),
    ],
  ],
  [
    'what is there already',
    (wasi) => [
      opened(wasi.open(3, 'a', { oflags: CREAT | w.WASI_OFLAG_EXCL }), wasi),
      wasi.call('path_create_directory', 3, ...wasi.path('sub')),
      wasi.symlink('a', 3, 'link'),
      wasi.link(3, 0, 'a', 3, 'sub'),
    ],
  ],
  [
    'the wrong kind',
    (wasi) => [
      opened(wasi.open(3, 'a', { oflags: DIR }), wasi),
      opened(wasi.open(3, 'sub', { base: FILE }), wasi),
      opened(wasi.open(3, 'loop'), wasi),
      wasi.call('path_remove_directory', 3, ...wasi.path('a')),
      wasi.call('path_remove_directory', 3, ...wasi.path('sub')),
      wasi.readlink(3, 'a'),
    ],
  ],
  [
    'outside',
    (wasi) => ['..', '../x', 'sub/../../x', 'up', 'sub/../up'].map((path) => brief(wasi.stat(3, path))),
  ],
  [
    'closed descriptors',
    (wasi) => [
      wasi.read(77, 1),
      wasi.write(77, 'x'),
      wasi.tell(77),
      wasi.fdstat(77),
      wasi.fstat(77),
      wasi.call('fd_close', 77),
      wasi.call('fd_sync', 77),
      wasi.call('fd_prestat_get', 77, 0x100),
      wasi.readdir(77),
      wasi.open(77, 'a'),
    ],
  ],
  [
    'rights',
    (wasi) => {
      const fd = wasi.open(3, 'a', { base: BigInt(w.RIGHT_FD_READ) });
      const result = [
        wasi.write(fd, 'x'),
        wasi.pread(fd, 0n, 1),
        wasi.seek(fd, 1n, 0),
        wasi.fstat(fd),
        wasi.call('fd_fdstat_set_rights', fd, FILE, 0n),
        wasi.call('fd_fdstat_set_rights', fd, 0n, 0n),
        wasi.read(fd, 1),
        wasi.open(fd, 'a'),
        wasi.call('fd_close', fd),
      ];
      return result;
    },
  ],
  [
    'rights that are handed on',
    (wasi) => {
      const sub = wasi.open(3, 'sub', { oflags: DIR, base: DIRECTORY, inheriting: BigInt(w.RIGHT_FD_READ) });
      const b = wasi.open(sub, 'b', { base: BigInt(w.RIGHT_FD_READ) });
      return [
        wasi.open(sub, 'b', { base: FILE }),
        (wasi.fdstat(sub) as { inheriting: bigint }).inheriting,
        (wasi.fdstat(b) as { base: bigint }).base,
        wasi.read(b, 9),
        wasi.call('fd_close', b),
        wasi.call('fd_close', sub),
      ];
    },
  ],
  [
    'unknown flags',
    (wasi) => [
      opened(wasi.open(3, 'a', { fdflags: 0 }), wasi),
      wasi.call('fd_filestat_set_times', 77, 0n, 0n, 1),
      wasi.call('clock_time_get', 9, 0n, 0x100),
      wasi.call('clock_res_get', 9, 0x100),
      wasi.poll([]),
    ],
  ],
  [
    'making, writing, appending, cutting',
    (wasi) => {
      const fd = wasi.open(3, 'new', { oflags: CREAT });
      const more = wasi.open(3, 'new', { fdflags: w.WASI_FDFLAG_APPEND });
      return [
        wasi.write(fd, 'ab', 'cd'),
        wasi.write(more, 'e'),
        wasi.pread(fd, 0n, 9),
        wasi.call('fd_filestat_set_size', fd, 2n),
        brief(wasi.fstat(more)),
        wasi.call('fd_fdstat_set_flags', more, 0),
        wasi.call('fd_allocate', fd, 0n, 10n),
        brief(wasi.stat(3, 'new')),
        wasi.call('fd_close', fd),
        wasi.call('fd_close', more),
      ];
    },
  ],
  [
    'times',
    (wasi) => {
      const fd = wasi.open(3, 'new');
      const times = () => {
        const { atim, mtim } = wasi.fstat(fd) as { atim: bigint; mtim: bigint };
        return [atim, mtim];
      };
      return [
        wasi.call(
          'fd_filestat_set_times',
          fd,
          10n ** 18n,
          2n * 10n ** 18n,
          w.WASI_FST_ATIM | w.WASI_FST_MTIM,
        ),
        times(),
        wasi.call('path_filestat_set_times', 3, 1, ...wasi.path('new'), 10n ** 9n, 5n, w.WASI_FST_ATIM),
        times(),
        wasi.call('fd_close', fd),
      ];
    },
  ],
  [
    'renaming and linking',
    (wasi) => [
      wasi.link(3, 0, 'new', 3, 'new2'),
      (wasi.stat(3, 'new') as { nlink: bigint }).nlink,
      wasi.rename(3, 'new2', 3, 'sub/new3'),
      wasi.rename(3, 'a', 3, 'sub'),
      wasi.rename(3, 'sub', 3, 'a'),
      wasi.rename(3, 'sub', 3, 'sub/x'),
      wasi.call('path_unlink_file', 3, ...wasi.path('sub/new3')),
      wasi.symlink('sub/b', 3, 'l2'),
      wasi.readlink(3, 'l2'),
      brief(wasi.stat(3, 'l2')),
      brief(wasi.stat(3, 'l2', 0)),
    ],
  ],
  [
    'listing',
    (wasi) => {
      const all = wasi.readdir(3);
      return typeof all === 'object'
        ? all.entries
            .map(({ name, type }) => `${name} ${type}`)
            .filter((name) => !name.startsWith('.'))
            .sort()
        : all;
    },
  ],
  [
    'renumbering',
    (wasi) => {
      const [a, b] = [wasi.open(3, 'a'), wasi.open(3, 'sub/b')];
      return [
        wasi.call('fd_renumber', a, b),
        wasi.read(b, 9),
        wasi.fdstat(a),
        wasi.call('fd_close', b),
        wasi.call('fd_close', a),
      ];
    },
  ],
  ['sockets', (wasi) => [wasi.call('sock_accept', 77, 0, 0x100)]],
];

/** What differs, and why. */
const DIFFERENCES: readonly [string, Act][] = [
  [
    'node:wasi follows a last link that is not to be followed',
    (wasi) => opened(wasi.open(3, 'link', { dirflags: 0 }), wasi),
  ],
  [
    'node:wasi tells the flags of the host’s open, not WASI’s',
    (wasi) => {
      const fd = wasi.open(3, 'a', { fdflags: w.WASI_FDFLAG_APPEND });
      const stat = wasi.fdstat(fd);
      wasi.call('fd_close', fd);
      return typeof stat === 'object' ? stat.flags : stat;
    },
  ],
  [
    'node:wasi refuses a buffer that a link’s text does not fit in; it is to be cut',
    (wasi) => wasi.readlink(3, 'l2', 3),
  ],
  ['node:wasi knows no sock_shutdown', (wasi) => wasi.call('sock_shutdown', 77, 1)],
];

let machine: TestMachine;
let directory: string;
let here: Handle;
let there: Handle;
let close: () => void;

beforeAll(async () => {
  const module = await probeModule(false);
  directory = fs.mkdtempSync(join(os.tmpdir(), 'damselfly-wasi-'));
  machine = testMachine({ flavour: 'up-debug' });
  machine.fs.mkdirSync('/d');
  for (const [root, to] of [
    [`${directory}/d`, fs],
    ['/d', machine.fs],
  ] as const) {
    to.mkdirSync(`${root}/sub`, { recursive: true });
    to.writeFileSync(`${root}/a`, 'hello');
    to.writeFileSync(`${root}/sub/b`, 'b');
    to.symlinkSync('a', `${root}/link`);
    to.symlinkSync('loop', `${root}/loop`);
    to.symlinkSync('../x', `${root}/up`);
  }
  const process = machine.process();
  for (let fd = 0; fd < 3; fd++) process.fs.openSync('/dev/null', 'r+');
  const guest = new WasiGuest(process, module, { preopens: { '/sandbox': '/d' } });
  here = new Handle(guest.instance.exports);
  const wasi = new WASI({ version: 'preview1', preopens: { '/sandbox': `${directory}/d` } });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
  wasi.initialize(instance);
  there = new Handle(instance.exports);
  close = () => {
    guest.close();
    process.exit();
  };
});

afterAll(() => {
  close();
  machine.close();
  fs.rmSync(directory, { recursive: true });
});

it.each(ACTS)('%s', (_, act) => {
  expect(act(here)).toEqual(act(there));
});

describe('differences', () => {
  it.each(DIFFERENCES)('%s', (_, act) => {
    expect(act(here)).not.toEqual(act(there));
  });
});
