/** Guides whose examples are run: each prints what the comments behind its `console.log` say. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';

/**
 * Tests for the examples of a guide.
 * @param sources  what the package's entries are here
 */
export function testGuide(file: string, sources: Readonly<Record<string, string>>): void {
  const guide = fs.readFileSync(join(repositoryRoot, file), 'utf8');
  const examples = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code);

  let dir: string;
  beforeAll(() => {
    // Beside the sources, so that they are compiled like them.
    dir = fs.mkdtempSync(join(repositoryRoot, 'test/guide-'));
  });
  afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

  it.each(examples.map((code, index) => ({ name: `example ${index + 1}`, code, index })))(
    '$name',
    async ({ code, index }) => {
      const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
      expect(expected.length).toBeGreaterThan(0);
      const example = join(dir, `example${index}.ts`);
      fs.writeFileSync(
        example,
        code.replace(
          /from '(damselfly[^']*)'/g,
          (_, name) => `from '${join(repositoryRoot, sources[name])}'`,
        ),
      );
      const printed: string[] = [];
      const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
        printed.push(values.map(String).join(' ').trim());
      });
      try {
        await import(example);
      } finally {
        log.mockRestore();
      }
      expect(printed).toEqual(expected);
    },
  );
}
