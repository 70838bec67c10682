/** The POSIX contract in Chromium: on the package's own machine in a worker, each flavour. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flavour } from '../../host/machine/kernels.ts';
import { declareCases } from '../contract/contract.ts';
import { tmpfsDifferences } from '../contract/known.ts';
import { browserPath, NO_BROWSER, openBrowser, openPage } from './chromium.ts';
import type { CaseResult } from './results.ts';
import { buildPages, ISOLATION, serveDirectory, type Site } from './site.ts';

declare function runContract(flavour: Flavour): Promise<CaseResult[]>;

if (browserPath() === undefined) describe('contract', () => it.skip(`in a browser [${NO_BROWSER}]`));
else describe('contract', contracts);

function contracts(): void {
  let pages: Awaited<ReturnType<typeof buildPages>>;
  let browser: Browser;
  const sites: Site[] = [];

  beforeAll(async () => {
    pages = await buildPages('contract');
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of sites) await site.close();
    pages?.remove();
  });

  /** All results of one flavour, by case. */
  async function run(flavour: Flavour, isolated: boolean): Promise<Map<string, CaseResult>> {
    const site = await serveDirectory(pages.directory, isolated ? ISOLATION : {});
    sites.push(site);
    const { page, problems } = await openPage(browser, `${site.url}contract.html`);
    expect(await page.evaluate('crossOriginIsolated')).toBe(isolated);
    const results = await page.evaluate((name) => runContract(name), flavour);
    expect(problems).toEqual([]);
    await page.close();
    return new Map(results.map((result) => [result.id, result]));
  }

  describe.each([
    { flavour: 'up-debug', isolated: false },
    { flavour: 'smp-debug', isolated: true },
  ] as const)('$flavour in Chromium', ({ flavour, isolated }) => {
    let results = new Map<string, CaseResult>();
    beforeAll(async () => {
      results = await run(flavour, isolated);
    });

    const judge = (id: string, skip: (reason: string) => void) => {
      const result = results.get(id);
      if (result?.skipped !== undefined) skip(result.skipped);
      expect(result).toEqual({ id });
    };
    declareCases(tmpfsDifferences, ({ id }, skip) => judge(id, skip));
    it('the machine shuts down, and nothing is left over', ({ skip }) => judge('shutdown', skip));
  });
}
