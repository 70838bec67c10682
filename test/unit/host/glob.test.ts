import { describe, expect, test } from 'vitest';
import { testMachine } from './machine.ts';

const { fs } = testMachine();

for (const file of [
  'src/index.ts',
  'src/a/one.ts',
  'src/a/two.js',
  'src/a/b/three.ts',
  'src/.dot/hidden.ts',
  'docs/x.md',
  'other/b/three.ts',
]) {
  const at = `/g/${file}`;
  fs.mkdirSync(at.slice(0, at.lastIndexOf('/')), { recursive: true });
  fs.writeFileSync(at, '');
}
fs.symlinkSync('../src', '/g/docs/link');
fs.symlinkSync('..', '/g/src/a/b/up');

const glob = (pattern: string | string[], options = {}) =>
  fs.globSync(pattern, { cwd: '/g', ...options }).sort();

describe('glob', () => {
  test.each<[string | string[], string[]]>([
    ['*', ['docs', 'other', 'src']],
    ['src/*.ts', ['src/index.ts']],
    ['src/**/*.ts', ['src/a/b/three.ts', 'src/a/b/up/one.ts', 'src/a/one.ts', 'src/index.ts']],
    ['**/three.ts', ['other/b/three.ts', 'src/a/b/three.ts']],
    ['{src,other}/**/b', ['other/b', 'src/a/b', 'src/a/b/up/b']],
    ['src/a/', ['src/a/']],
    ['src/a/*/', ['src/a/b/']],
    ['src/a/[!t]*.ts', ['src/a/one.ts']],
    ['src/a/+(one|two).?s', ['src/a/one.ts', 'src/a/two.js']],
    ['src/.*/*', ['src/.dot/hidden.ts']],
    ['docs/link/*.ts', ['docs/link/index.ts']],
    ['docs/**', ['docs', 'docs/link', 'docs/x.md']],
    ['src/a/../index.ts', ['src/index.ts']],
    ['./src/index.ts', ['src/index.ts']],
    [
      ['*/x.md', 'docs/*.md', 'src/index.ts'],
      ['docs/x.md', 'src/index.ts'],
    ],
    ['/g/src/*.ts', ['/g/src/index.ts']],
    ['nothing/**', []],
    ['src/index.ts/**', []],
    ['!src', []],
  ])('%s', (pattern, expected) => {
    expect(glob(pattern).map((path) => path.replace(/\/$/, ''))).toEqual(
      expected.map((path) => path.replace(/\/$/, '')),
    );
  });

  test('"**" alone is everything that is not hidden', () => {
    expect(glob('**')).toEqual(
      [
        '.',
        'docs',
        'docs/link',
        'docs/x.md',
        'other',
        'other/b',
        'other/b/three.ts',
        'src',
        'src/a',
        'src/a/b',
      ].concat(['src/a/b/three.ts', 'src/a/b/up', 'src/a/one.ts', 'src/a/two.js', 'src/index.ts']),
    );
  });

  test('exclude by patterns and by function', () => {
    expect(glob('src/**/*.ts', { exclude: ['src/a/**'] })).toEqual(['src/index.ts']);
    expect(glob('src/**/*.ts', { exclude: (name: string) => name === 'b' })).toEqual([
      'src/a/one.ts',
      'src/index.ts',
    ]);
  });

  test('followSymlinks goes through links, round no cycle', () => {
    expect(glob('docs/**/three.ts', { followSymlinks: true })).toEqual(['docs/link/a/b/three.ts']);
  });

  test('withFileTypes', () => {
    const [entry] = fs.globSync('src/*.ts', { cwd: '/g', withFileTypes: true });
    expect([entry.name, entry.parentPath, entry.isFile()]).toEqual(['index.ts', '/g/src', true]);
  });

  test('callback and promise forms', async () => {
    const found = await new Promise((resolve) =>
      fs.glob('src/*.ts', { cwd: '/g' }, (_, matches) => resolve(matches)),
    );
    expect(found).toEqual(['src/index.ts']);
    const iterated: string[] = [];
    for await (const path of fs.promises.glob('src/*.ts', { cwd: '/g' })) iterated.push(path);
    expect(iterated).toEqual(['src/index.ts']);
  });

  test('bad arguments', () => {
    expect(() => fs.globSync(5 as unknown as string)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => fs.globSync('*', { exclude: 5 as unknown as string[] })).toThrow(/exclude/);
  });
});
