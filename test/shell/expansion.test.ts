/** Field splitting against dash by random IFS, values and words; bytes that are no text. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, decodeBytes, encodeBytes } from '../../host/syscalls/bytes.ts';
import { Expander, type ExpansionHost } from '../../host/shell/expand/expand.ts';
import type { Simple } from '../../host/shell/syntax/ast.ts';
import { parseShell } from '../../host/shell/syntax/parse.ts';

interface Setting {
  ifs: string;
  x: string;
  y: string;
  positional: string[];
}

/** The fields of words, with nothing of a shell around. */
function fields(words: string, { ifs, x, y, positional }: Setting): readonly string[] {
  const variables: Record<string, string | undefined> = { x, y };
  const host: ExpansionHost = {
    positional,
    ifs,
    nounset: false,
    noglob: true,
    parameter: (name) => (/^\d/.test(name) ? positional[Number(name) - 1] : variables[name]),
    assign: (name, value) => {
      variables[name] = value;
    },
    substitute: async () => '',
    arithmetic: (text) => text,
    home: () => '/home',
    glob: () => [],
    fail: (message) => {
      throw new Error(message);
    },
  };
  const node = parseShell(`c ${words}`).list.items[0].node as Simple;
  const result = new Expander(host).fields(node.words.slice(1));
  if (result instanceof Promise) throw new Error('nothing here waits');
  return result;
}

const value = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ':', '\t', '*'), maxLength: 6 });
// § stands for $, which would look like a placeholder in a string.
const piece = fc
  .constantFrom(
    '§x',
    '"§x"',
    '§y',
    '"§y"',
    'w',
    '""',
    "''",
    '"q q"',
    '§@',
    '"§@"',
    '§*',
    '"§*"',
    '§1',
    '"§1"',
    ' ',
    '§{x:-d e}',
    '"§{x:-d e}"',
    '§{x:+"a b" c}',
    '§{n-§x}',
    '§{n:-"§y"}',
    '§{x#a}',
    '"§{y%:}"',
    '§{n:=§x}',
    '"§{n+set}"',
  )
  .map((each) => each.replaceAll('§', '$'));
const setting = fc.record({
  ifs: fc.constantFrom(' \t\n', ':', ' :', '', ': ', 'a', '\t:'),
  x: value,
  y: value,
  // Delimiters in "$@" beside other expansions are where shells go different ways.
  positional: fc.array(fc.string({ unit: fc.constantFrom('p', 'q', '*'), minLength: 1, maxLength: 3 }), {
    maxLength: 3,
  }),
});

/** After "$@" in the same word, dash takes white space of IFS for delimiters that make empty fields. */
function confusesDash(word: string): boolean {
  return word.includes('"$@"') && word.replace('"$@"', '').includes('$');
}

describe('fields', () => {
  it('are what dash makes of the same words', () => {
    const words = fc
      .array(piece, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(''))
      .filter((word) => !word.split(' ').some(confusesDash));
    const cases = fc.sample(fc.tuple(words, setting), { numRuns: 2500, seed: 11 });
    const quote = (text: string) => `'${text}'`;
    const script = cases.map(
      ([word, { ifs, x, y, positional }]) =>
        `unset n; set --; x=${quote(x)} y=${quote(y)} IFS=${quote(ifs)}; set -- ${positional.map(quote).join(' ')}; show ${word}`,
    );
    const show = `show() { unset IFS; printf '%d' $#; for f do printf '<%s>' "$f"; done; echo; }\nset -f\n`;
    const dash = execFileSync('dash', { input: show + script.join('\n'), encoding: 'utf8' }).split('\n');
    const differing = cases.flatMap(([word, options], i) => {
      const found = fields(word, options);
      const shown = `${found.length}${found.map((each) => `<${each}>`).join('')}`;
      return shown === dash[i] ? [] : [`${word} with ${JSON.stringify(options)}: ${shown}, dash ${dash[i]}`];
    });
    expect(differing).toEqual([]);
  });
});

describe('bytes', () => {
  it('survive as text, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(Array.from(encodeBytes(decodeBytes(bytes)))).toEqual(Array.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('are text where they are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeBytes(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  it('order names', () => {
    const byBytes = (a: string, b: string) =>
      Buffer.compare(Buffer.from(encodeBytes(a)), Buffer.from(encodeBytes(b)));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(byBytes(a, b));
      }),
    );
  });
});
