/** docs/browser.md, followed to the letter: its files, the packed package, its bundlers, and Chromium. */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';
import { browserPath, NO_BROWSER, openBrowser, openPage } from './chromium.ts';
import { ISOLATION, serveDirectory, type Site } from './site.ts';

const run = promisify(execFile);
const guide = fs.readFileSync(join(repositoryRoot, 'docs/browser.md'), 'utf8');
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** The guide's files: the blocks that begin by naming one. */
function guideFiles(): Map<string, string> {
  const blocks = guide.matchAll(/^```(?:html|js)\n(?:<!-- (\S+) -->|\/\/ (\S+\.js))\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, page, script, text]) => [page ?? script, text]));
}

/** The command of the guide that begins so, as its program's arguments. */
function command(start: string): string[] {
  const line = new RegExp(`^${start}.*$`, 'm').exec(guide)?.[0];
  if (line === undefined) throw new Error(`docs/browser.md does not say: ${start}`);
  return line.slice('npx '.length).split(' ');
}

/** What the page says, by the guide. */
function expectedOutput(): string {
  const text = /^```text\n(booted: [\s\S]*?)^```$/m.exec(guide)?.[1];
  if (text === undefined) throw new Error('docs/browser.md does not say what the page says');
  return text;
}

/** What the guide says is loaded, in KB of gzip, where it is so far off that it would mislead. */
function misstated(assets: string, page: string): string[] {
  const said =
    /The page loads some (\d+) KB\s+\(compressed\), the worker (\d+) KB and a kernel of (\d+) KB/.exec(guide);
  if (said === null) return ['docs/browser.md does not say how much is loaded'];
  const names = fs.readdirSync(assets);
  const found = (pattern: RegExp) => names.find((name) => pattern.test(name)) ?? page;
  const files = [page, found(/worker.*\.js$/), found(/^up-(?!debug).*\.wasm$/)];
  return files.flatMap((name, i) => {
    const size = gzipSync(fs.readFileSync(join(assets, name))).length / 1000;
    const stated = Number(said[i + 1]);
    return Math.abs(size - stated) > stated / 3 ? [`${name}: ${size} KB, and not ${stated}`] : [];
  });
}

if (browserPath() === undefined) describe('guide', () => it.skip(`in a browser [${NO_BROWSER}]`));
else describe('guide', followed);

function followed(): void {
  const base = fs.mkdtempSync(join(tmpdir(), 'damselfly-guide-'));
  const project = join(base, 'project');
  let browser: Browser;

  beforeAll(async () => {
    const pack = ['pack', '--ignore-scripts', '--pack-destination', base, '--loglevel=error'];
    const tarball = execFileSync('npm', pack, { cwd: repositoryRoot, encoding: 'utf8' }).trim();
    for (const [path, text] of guideFiles()) {
      const file = join(project, path);
      fs.mkdirSync(dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    }
    fs.writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    const install = [
      'install',
      '--prefer-offline',
      ...QUIET,
      join(base, tarball.split('\n').at(-1) as string),
    ];
    await run('npm', install, { cwd: project });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    fs.rmSync(base, { recursive: true, force: true });
  });

  /** A bundler of this repository's own, run in the project as the guide says. */
  const bundle = ([name, ...args]: string[]) =>
    run(process.execPath, [fs.realpathSync(join(repositoryRoot, 'node_modules/.bin', name)), ...args], {
      cwd: project,
    });

  /** What the page says when it is done. */
  async function said(url: string): Promise<string | null> {
    const { page, problems } = await openPage(browser, url);
    await page
      .getByText('done')
      .waitFor({ timeout: 50_000 })
      .catch((error) => problems.push(String(error)));
    const text = await page.textContent('#output');
    // Vite's server reloads a page when it has first seen what the page needs.
    expect(problems.filter((problem) => !problem.includes('net::ERR_ABORTED'))).toEqual([]);
    await page.close();
    return text;
  }

  async function saidAt(site: Site): Promise<string | null> {
    try {
      return await said(site.url);
    } finally {
      await site.close();
    }
  }

  it('names all the files', () => {
    expect([...guideFiles().keys()].sort()).toEqual([
      'index.html',
      'public/index.html',
      'src/machine.worker.js',
      'src/main.js',
      'vite.config.js',
    ]);
  });

  it('bundled by Vite, without and with isolation', async () => {
    // The built files do not depend on the configuration, which is about Vite's own servers.
    const { stdout } = await bundle(command('npx vite build').slice(0, 2));
    expect(stdout).toContain('built in');
    const output = join(project, 'dist');
    // It is the worker that carries the machine.
    const page = fs.readdirSync(join(output, 'assets')).find((name) => /^index-.*\.js$/.test(name)) as string;
    expect(fs.statSync(join(output, 'assets', page)).size).toBeLessThan(40_000);
    expect(misstated(join(output, 'assets'), page)).toEqual([]);
    expect(await saidAt(await serveDirectory(output))).toBe(expectedOutput());
    const isolated = expectedOutput().replace('booted: up', 'booted: smp');
    expect(await saidAt(await serveDirectory(output, ISOLATION))).toBe(isolated);
  });

  it("on Vite's own server, with the headers of its configuration", async () => {
    const server = await createServer({ root: project, logLevel: 'silent', server: { port: 0 } });
    try {
      await server.listen();
      const isolated = expectedOutput().replace('booted: up', 'booted: smp');
      expect(await said(server.resolvedUrls?.local[0] as string)).toBe(isolated);
    } finally {
      await server.close();
    }
  });

  it('bundled by webpack', async () => {
    const { stdout } = await bundle(command('npx webpack'));
    expect(stdout).not.toContain('ERROR');
    expect(await saidAt(await serveDirectory(join(project, 'public')))).toBe(expectedOutput());
  });
}
