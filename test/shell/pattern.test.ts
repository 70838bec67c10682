/** Patterns: against a naive matcher, and against dash's `case`, `#` and `%`. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapePattern, isPattern, Pattern, unescapePattern } from '../../host/shell/expand/pattern.ts';

/** The definition itself: exponential, and of `*`, `?` and characters only. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') {
    return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)));
  }
  return (
    text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && naive(pattern.slice(1), text.slice(1))
  );
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
const simple = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '?'), maxLength: 7 });
const bracket = fc
  .tuple(
    fc.constantFrom('', '!'),
    fc.constantFrom('a', 'ab', 'a-b', '-', 'a-', '[:alpha:]', '[:punct:]b', ']a', '!'),
  )
  .map(([not, set]) => `[${not}${set}]`);
const pattern = fc
  .array(fc.oneof(fc.constantFrom('a', 'b', '-', '*', '?', '\\*', '\\a', '['), bracket), { maxLength: 5 })
  .map((parts) => parts.join(''));

describe('matching', () => {
  it('is what its definition says', () => {
    fc.assert(
      fc.property(simple, text, (source, input) => {
        expect(Pattern.of(source).matches(input)).toBe(naive(source, input));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes off the shortest or longest prefix or suffix that matches, and nothing else', () => {
    fc.assert(
      fc.property(simple, text, (source, input) => {
        const ends = [...Array(input.length + 1).keys()];
        const prefixes = ends.filter((at) => naive(source, input.slice(0, at)));
        const suffixes = ends.filter((at) => naive(source, input.slice(at)));
        const compiled = Pattern.of(source);
        expect(compiled.withoutPrefix(input, false)).toBe(input.slice(prefixes[0] ?? 0));
        expect(compiled.withoutPrefix(input, true)).toBe(input.slice(prefixes.at(-1) ?? 0));
        expect(compiled.withoutSuffix(input, false)).toBe(input.slice(0, suffixes.at(-1) ?? input.length));
        expect(compiled.withoutSuffix(input, true)).toBe(input.slice(0, suffixes[0] ?? input.length));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees with dash, brackets and all', () => {
    const cases = fc.sample(fc.tuple(pattern, text), { numRuns: 1500, seed: 20 });
    const quoted = (value: string) => `'${value}'`;
    const script = cases.map(
      ([source, input]) =>
        `p=${quoted(source)} x=${quoted(input)}; case $x in $p) m=1;; *) m=0;; esac; echo "$m:\${x#$p}:\${x##$p}:\${x%$p}:\${x%%$p}"`,
    );
    const expected = execFileSync('dash', { input: script.join('\n'), encoding: 'utf8' }).split('\n');
    const found = cases.map(([source, input]) => {
      const compiled = Pattern.of(source);
      const parts = [
        compiled.matches(input) ? 1 : 0,
        compiled.withoutPrefix(input, false),
        compiled.withoutPrefix(input, true),
        compiled.withoutSuffix(input, false),
        compiled.withoutSuffix(input, true),
      ];
      return parts.join(':');
    });
    const differing = cases.flatMap(([source, input], i) =>
      found[i] === expected[i] ? [] : [`${source} on ${input}: ${found[i]}, dash ${expected[i]}`],
    );
    expect(differing).toEqual([]);
  });

  it('takes characters beyond 16 bits for one', () => {
    expect(Pattern.of('?').matches('😀')).toBe(true);
    expect(Pattern.of('[😀-😂]').matches('😁')).toBe(true);
    expect(Pattern.of('?').withoutPrefix('😀x', false)).toBe('x');
    expect(Pattern.of('??').withoutSuffix('x😀😀', false)).toBe('x');
  });

  it('takes time that grows with the text and the pattern, not their powers', () => {
    const source = '*a'.repeat(40);
    const input = 'a'.repeat(2000);
    const start = performance.now();
    expect(Pattern.of(`${source}b`).matches(input)).toBe(false);
    expect(Pattern.of(`${source}b`).withoutPrefix(input, true)).toBe(input);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('escaping', () => {
  it('makes any text a pattern that matches it alone', () => {
    const any = fc.string({
      unit: fc.constantFrom('a', '*', '?', '[', ']', '\\', '!', '^', '-', ':'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(any, any, (value, other) => {
        const escaped = escapePattern(value);
        expect(Pattern.of(escaped).matches(value)).toBe(true);
        expect(Pattern.of(escaped).matches(other)).toBe(value === other);
        expect(isPattern(escaped)).toBe(false);
        expect(unescapePattern(escaped)).toBe(value);
      }),
    );
  });
});
