/** What is wrong, what is only not complete, and what is Bash's alone. */
import { describe, expect, it } from 'vitest';
import type { ShellSyntaxError } from '../../host/shell/syntax/errors.ts';
import { expandAliases } from '../../host/shell/syntax/aliases.ts';
import { parseShell } from '../../host/shell/syntax/parse.ts';

function failure(source: string): ShellSyntaxError {
  try {
    parseShell(source);
  } catch (error) {
    return error as ShellSyntaxError;
  }
  throw new Error(`${source} was parsed`);
}

const INCOMPLETE = [
  'if true',
  'if true; then',
  'if true; then echo; else',
  'while :',
  'while :; do\n',
  'for i',
  'for i in a; do echo',
  'case x',
  'case x in',
  'case x in a) b;;',
  '(',
  '( a',
  '{',
  '{ a;',
  'f()',
  'f() {\n',
  'a |',
  'a &&',
  'a ||\n',
  'echo "a',
  "echo 'a",
  'echo $(a',
  'echo `a',
  'echo $((1+',
  'echo "$(a',
];
const WRONG = [
  'fi',
  'done',
  ')',
  '}',
  ';;',
  'then',
  'echo )',
  'if true; fi',
  'while :; done',
  'a && && b',
  '| a',
  '( )',
  '{ }',
  'f() b',
  'case x in a) ;; esac esac',
  'echo >',
  'a & & b',
  'echo $(fi)',
  'for 1 in a; do :; done',
  'echo >&word',
];
const BASH = [
  '[[ a ]]',
  '(( 1 ))',
  'a=(b c)',
  'cat <<< word',
  'cat <(ls)',
  'ls &> f',
  'a |& b',
  'select x in a; do :; done',
  'echo @(a|b)',
  'case x in x) a;;& y) b;; esac',
  'for ((i=0;i<3;i++)); do :; done',
  'coproc a',
];

describe('a text', () => {
  it.each(INCOMPLETE)('that is not complete: %j', (source) => {
    expect(failure(source).incomplete).toBe(true);
    expect(failure(`${source}\n`).incomplete).toBe(true);
  });

  it.each(WRONG)('that is wrong: %j', (source) => {
    expect(failure(source).incomplete).toBe(false);
    expect(failure(`echo first\n${source}\n`)).toMatchObject({ line: 2, incomplete: false });
  });

  it.each(BASH)("that is Bash's: %j", (source) => {
    expect(failure(source).incomplete).toBe(false);
  });

  it('with a here-document that is open goes on', () => {
    expect(parseShell('cat <<E\ntext\n').openHere).toBe(true);
    expect(parseShell('cat <<E\ntext\nE\n').openHere).toBe(false);
  });
});

describe('aliases', () => {
  const aliases = new Map(
    Object.entries({
      ll: 'ls -l',
      e: 'echo ',
      w: 'world',
      a: 'b',
      b: 'a',
      begin: '{',
      end: '}',
      two: 'x; y',
    }),
  );
  it.each([
    ['ll /', 'ls -l /'],
    ['echo ll', 'echo ll'],
    ['x=1 ll; ll | ll && (ll)', 'x=1 ls -l; ls -l | ls -l && (ls -l)'],
    ['e w w', 'echo  world w'],
    ['a', 'a'],
    ['\\ll "ll" \'ll\'', '\\ll "ll" \'ll\''],
    ['begin ll; end', '{ ls -l; }'],
    ['if ll; then two; fi', 'if ls -l; then x; y; fi'],
    ['echo $(ll)', 'echo $(ls -l)'],
  ])('in %j', (source, expected) => {
    expect(expandAliases(source, aliases)).toBe(expected);
  });
});
