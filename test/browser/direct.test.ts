/** The package in Chromium without anything between: in a worker, and in the page itself. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flavour } from '../../host/machine/kernels.ts';
import { browserPath, NO_BROWSER, openBrowser, openPage } from './chromium.ts';
import { buildPages, ISOLATION, serveDirectory } from './site.ts';

declare function inWorker(flavour: Flavour): Promise<unknown>;
declare function inPage(flavour: Flavour): Promise<unknown>;

const USED = {
  text: 'shared bytes ✓',
  link: 'größe',
  real: '/tmp/größe/✓',
  names: ['✓'],
  entries: ['✓'],
  read: [6, '..shared........'],
  random: [4096, true],
  directory: true,
  blob: ['text/plain', 'shared bytes ✓'],
  stream: 'through a stream ✓',
  missing: "ENOENT: no such file or directory, open '/nö'",
  unreal: "ENOENT: no such file or directory, lstat '/tmp/nö'",
  removed: expect.stringContaining('Path is a directory: rm returned EISDIR'),
  made: '/tmp/ö',
  attributes: ['user.nämé'],
  mounts: true,
  frames: true,
};
const PLAIN = { ...USED, kind: '[object ArrayBuffer]' };
const SHARED = { ...USED, kind: '[object SharedArrayBuffer]' };
/** Whoever may block waits out a synchronous call's time; who may not is told so. */
const BLOCKS = { waits: 'no error but ' };
const CANNOT_BLOCK = { waits: expect.stringContaining('EDEADLK') };

if (browserPath() === undefined) describe('direct', () => it.skip(`in a browser [${NO_BROWSER}]`));
else describe('direct', direct);

function direct(): void {
  let pages: Awaited<ReturnType<typeof buildPages>>;
  let browser: Browser;

  beforeAll(async () => {
    pages = await buildPages('direct');
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    pages?.remove();
  });

  async function visit<T>(
    isolated: boolean,
    use: (page: Awaited<ReturnType<typeof openPage>>) => Promise<T>,
  ) {
    const site = await serveDirectory(pages.directory, isolated ? ISOLATION : {});
    const opened = await openPage(browser, `${site.url}direct.html`);
    try {
      const result = await use(opened);
      expect(opened.problems).toEqual([]);
      return result;
    } finally {
      await opened.page.close();
      await site.close();
    }
  }

  it.each(['up', 'up-debug'] as const)('%s', async (flavour) => {
    const both = await visit(false, async ({ page }) => [
      await page.evaluate((name) => inWorker(name), flavour),
      await page.evaluate((name) => inPage(name), flavour),
    ]);
    expect(both).toEqual([
      { ...PLAIN, ...CANNOT_BLOCK },
      { ...PLAIN, ...CANNOT_BLOCK },
    ]);
  });

  it.each(['smp', 'smp-debug'] as const)('%s on an isolated page', async (flavour) => {
    const both = await visit(true, async ({ page }) => [
      await page.evaluate((name) => inWorker(name), flavour),
      await page.evaluate((name) => inPage(name), flavour),
    ]);
    expect(both).toEqual([
      { ...SHARED, ...BLOCKS },
      { ...SHARED, ...CANNOT_BLOCK },
    ]);
  });

  it('a page cannot boot at once, and is told so', async () => {
    const told = await visit(false, ({ page }) => page.evaluate('atOnce()'));
    expect(told).toContain('bootSync: the kernel cannot be read synchronously here');
  });
}
