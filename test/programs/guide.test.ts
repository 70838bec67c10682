/** docs/programs.md: each of its examples runs as it stands there, and prints what it says. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';

const guide = fs.readFileSync(join(repositoryRoot, 'docs/programs.md'), 'utf8');
const examples = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);

let dir: string;
beforeAll(() => {
  // Beside the sources, so that they are compiled like them.
  dir = fs.mkdtempSync(join(import.meta.dirname, 'guide-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

it.each(examples.map((code, index) => ({ name: `example ${index + 1}`, code, index })))(
  '$name',
  async ({ code, index }) => {
    const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(expected.length).toBeGreaterThan(0);
    const file = join(dir, `example${index}.ts`);
    const sources = { damselfly: 'host/index.ts', 'damselfly/programs': 'host/programs/index.ts' };
    fs.writeFileSync(
      file,
      code.replace(
        /from '([^']+)'/g,
        (_, name: keyof typeof sources) => `from '${join(repositoryRoot, sources[name])}'`,
      ),
    );
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
      printed.push(values.map(String).join(' ').trim());
    });
    try {
      await import(file);
    } finally {
      log.mockRestore();
    }
    expect(printed).toEqual(expected);
  },
);
