/** A page and its machine in a worker: what crosses between them, in each flavour. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath, NO_BROWSER, openBrowser, openPage } from './chromium.ts';
import { buildPages, ISOLATION, serveDirectory, type Site } from './site.ts';

declare function play(name: string): Promise<unknown>;

const ENOENT = { type: 'Error', name: 'Error', code: 'ENOENT', errno: -2 };
const ESRCH = { type: 'Error', name: 'Error', code: 'ESRCH', errno: -3 };

/** What each scenario of site/proxy.ts must give, apart from the first, which knows its flavour. */
const EXPECTED: Record<string, unknown> = {
  bytes: {
    kept: [4, 'kept', true],
    given: [0, 'given'],
    middle: [6, 'middle'],
    shared: [6, btoa('shared')],
    url: 'kept',
    bytesPath: 'kept',
    names: ['given', 'kept', 'middle', 'shared'],
  },
  errors: {
    missing: {
      ...ENOENT,
      syscall: 'open',
      path: '/nö',
      message: "ENOENT: no such file or directory, open '/nö'",
    },
    refused: {
      ...ENOENT,
      code: 'EACCES',
      errno: -13,
      syscall: 'scandir',
      path: '/root',
      message: "EACCES: permission denied, scandir '/root'",
    },
    two: {
      ...ENOENT,
      syscall: 'rename',
      path: '/from',
      dest: '/to',
      message: "ENOENT: no such file or directory, rename '/from' -> '/to'",
    },
    argument: expect.objectContaining({ type: 'TypeError', name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
    range: expect.objectContaining({ type: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
    unclonable: expect.objectContaining({ name: 'DataCloneError' }),
    ram: expect.objectContaining({ type: 'RangeError', message: expect.stringContaining('ram must be') }),
    flavour: expect.objectContaining({
      type: 'RangeError',
      message: expect.stringContaining('flavour must be'),
    }),
  },
  stats: {
    stats: [true, false, 4, 2000, '1970-01-01T00:00:02.000Z'],
    big: [true, true, true],
    statfs: 4096,
    entries: ['/etc group true', '/etc hostname true', '/etc passwd true'],
  },
  files: {
    fd: true,
    wrote: 8,
    read: [3, true, '.one....'],
    readv: [4, 'tw', 'o\n\0\0'],
    own: [16384, 'one\n'],
    lines: ['one', 'two', 'three'],
    stream: ['one\ntwo\nthree\n'],
    whole: 'three\n',
    size: 14,
    closed: [
      -1,
      { type: 'Error', name: 'Error', message: 'file closed', code: 'EBADF', errno: -9, syscall: 'read' },
    ],
    lost: expect.objectContaining({ code: 'EBADF' }),
  },
  listing: {
    first: 'boolean',
    closed: 'ERR_DIR_CLOSED',
    count: 151,
    left: 100,
    glob: Array.from({ length: 10 }, (_, i) => `/tmp/d/f1${i}`),
    excluded: ['/tmp/d/e'],
    exclude: expect.objectContaining({ type: 'TypeError' }),
  },
  waiting: {
    silent: 'AbortError',
    read: 'through a fifo',
    watched: ['rename n'],
    ended: ['AbortError', 'ABORT_ERR'],
    stopped: ['AbortError', 'ABORT_ERR'],
    opened: { succeeded: undefined },
    before: 'ABORT_ERR',
  },
  processes: {
    pids: true,
    cwd: ['/tmp', '/tmp'],
    mode: '600',
    granted: 'granted',
    refused: 'EAGAIN',
    xattr: [['user.a'], 'value'],
    exited: 'ESRCH',
  },
  callbacks: {
    asked: ['/etc', '/etc/group', '/etc/hostname', '/etc/passwd'],
    copied: ['group', 'hostname'],
    shown: 'to whom it may concern\n',
  },
  snapshot: {
    kept: true,
    forked: 'before',
    original: 'after',
    waits: 'ESRCH',
    later: { ...ESRCH, syscall: 'readFile', message: 'ESRCH: no such process, readFile' },
  },
  clock: 1005,
  garbage: { booted: [], read: 'still there' },
  workers: {
    seen: [['f'], []],
    after: [],
    missing: expect.stringContaining('the worker could not be started'),
    panic: 'KernelPanic',
  },
};

if (browserPath() === undefined) describe('proxy', () => it.skip(`in a browser [${NO_BROWSER}]`));
else describe('proxy', proxies);

function proxies(): void {
  let pages: Awaited<ReturnType<typeof buildPages>>;
  let browser: Browser;
  const sites: Site[] = [];

  beforeAll(async () => {
    pages = await buildPages('proxy');
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of sites) await site.close();
    pages?.remove();
  });

  describe.each([
    { flavour: 'up-debug', headers: {} },
    { flavour: 'smp-debug', headers: ISOLATION },
  ])('$flavour in a worker', ({ flavour, headers }) => {
    let page: Page;
    let problems: string[];

    beforeAll(async () => {
      const site = await serveDirectory(pages.directory, headers);
      sites.push(site);
      ({ page, problems } = await openPage(browser, `${site.url}proxy.html?flavour=${flavour}`));
    });

    it('says what it is', async () => {
      const { names, ...facts } = (await page.evaluate(() => play('facts'))) as { names: string[] };
      expect(facts).toEqual({ flavour, ramBytes: 128 << 20, free: true, framesInUse: true, log: 'string' });
      const { fs } = await import('node:fs').then(({ promises }) => ({ fs: promises }));
      // lchmod is there in name alone, and a disposable directory would be lost with its page.
      const offered = Object.keys(fs).filter((name) => !['lchmod', 'mkdtempDisposable'].includes(name));
      expect(names).toEqual(expect.arrayContaining(offered));
    });

    it.each(Object.keys(EXPECTED))('%s', async (name) => {
      expect(await page.evaluate((scenario) => play(scenario), name)).toEqual(EXPECTED[name]);
    });

    it('every scenario is judged, and the page had no other trouble', async () => {
      const scenarios = (await page.evaluate('scenarios')) as string[];
      expect(scenarios.filter((name) => name !== 'facts')).toEqual(Object.keys(EXPECTED));
      expect(problems.filter((problem) => !problem.includes('not-there.js'))).toEqual([]);
    });
  });
}
