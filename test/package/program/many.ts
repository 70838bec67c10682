/** As many tests as there are machines, each with a little work; run on memfs too. */
import { expect } from 'vitest';
import { test } from 'damselfly/vitest';

const TESTS = 1000;

for (let n = 0; n < TESTS; n++) {
  test(`${n}`, async ({ fs }) => {
    expect(fs.readdirSync('/tmp')).toEqual([]);
    fs.mkdirSync('/tmp/a/b', { recursive: true });
    fs.writeFileSync('/tmp/a/b/file', `text ${n}`);
    await fs.promises.rename('/tmp/a/b/file', '/tmp/a/file');
    expect(await fs.promises.readFile('/tmp/a/file', 'utf8')).toBe(`text ${n}`);
    fs.rmSync('/tmp/a/b', { recursive: true });
    expect(fs.readdirSync('/tmp/a')).toEqual(['file']);
  });
}
