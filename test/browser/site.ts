/** Pages of the tests' own: bundled by Vite, and served with or without isolation. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';
import { repositoryRoot } from '../oracle/root.ts';

/** What makes a page cross-origin isolated, and so gives it shared memory. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface Site {
  url: string;
  close(): Promise<void>;
}

/** Serve a directory as it is. */
export async function serveDirectory(directory: string, headers: Record<string, string> = {}): Promise<Site> {
  const server = await preview({
    configFile: false,
    logLevel: 'silent',
    root: directory,
    build: { outDir: '.' },
    preview: { port: 0, host: '127.0.0.1', headers },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** Bundle the pages in site/ by name into a new directory. */
export async function buildPages(...names: string[]): Promise<{ directory: string; remove(): void }> {
  const root = join(repositoryRoot, 'test/browser/site');
  const directory = mkdtempSync(join(tmpdir(), 'damselfly-site-'));
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    worker: { format: 'es' },
    build: {
      outDir: directory,
      emptyOutDir: true,
      minify: false,
      target: 'es2022',
      rolldownOptions: { input: names.map((name) => join(root, `${name}.html`)) },
    },
  });
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
