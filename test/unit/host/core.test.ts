/** What the host's core may import. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const host = fileURLToPath(new URL('../../../host', import.meta.url));
const core = ['machine', 'syscalls', 'platform', 'browser'].flatMap((directory) =>
  readdirSync(`${host}/${directory}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${directory}/${name}`),
);
// Types leave nothing behind in the program.
const imported = (text: string) =>
  [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'([^']+)'/gms)].map(([, from]) => from);

describe('the core imports nothing of Node’s', () => {
  test.each(core.filter((name) => name !== 'platform/node.ts'))('%s', (name) => {
    const modules = imported(readFileSync(`${host}/${name}`, 'utf8'));
    expect(modules.filter((from) => from.startsWith('node:'))).toEqual([]);
  });

  test('what Node lends is in one module', () => {
    expect(imported(readFileSync(`${host}/platform/node.ts`, 'utf8'))).toContain('node:stream');
  });

  test('both platforms offer the same names', async () => {
    const node = await import('../../../host/platform/node.ts');
    const web = await import('../../../host/platform/web.ts');
    expect(Object.keys(web).sort()).toEqual(Object.keys(node).sort());
  });
});
