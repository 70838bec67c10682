/** Arithmetic: against dash, by random expressions, and at the edges of 64 bits. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArithmeticError, evaluateArithmetic } from '../../host/shell/expand/arithmetic.ts';

function evaluate(expression: string, variables: Record<string, string> = {}): string {
  return evaluateArithmetic(expression, {
    get: (name) => variables[name],
    set: (name, value) => {
      variables[name] = value;
    },
    unset: () => '',
  });
}

const BINARY = '+ - * / % << >> < <= > >= == != & ^ | && ||'.split(' ');
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      '0',
      '1',
      '2',
      '7',
      '010',
      '0x1f',
      '63',
      '64',
      '4294967296',
      '9007199254740993',
      'x',
      'y',
      '-3',
    ),
    fc
      .tuple(tie('expression'), fc.constantFrom(...BINARY), tie('expression'))
      .map(([a, o, b]) => `${a} ${o} ${b}`),
    tie('expression').map((a) => `(${a})`),
    fc.tuple(fc.constantFrom('-', '+', '!', '~'), tie('expression')).map(([o, a]) => `${o} (${a})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc
      .tuple(fc.constantFrom('=', '+=', '-=', '*=', '|=', '^='), tie('expression'))
      .map(([o, a]) => `(z ${o} ${a})`),
  ),
}));

/** -2^63 / -1 ends dash by a signal; a shift by a negative count is undefined in C. */
const isUndefined = (text: string) => /<<|>>/.test(text) && /-|~|\/|%|=/.test(text);

describe('expressions', () => {
  it('have the values that dash gives them', () => {
    const cases = fc
      .sample(expression, { numRuns: 1500, seed: 7 })
      .filter((each) => each.length < 300 && !isUndefined(each));
    const script = cases.map(
      (each) => `( x=5 y=-7 z=3; echo "$(( ${each} )) $z" ) 2>/dev/null || echo error`,
    );
    const dash = execFileSync('dash', { input: script.join('\n'), encoding: 'utf8', timeout: 60_000 }).split(
      '\n',
    );
    const differing = cases.flatMap((each, i) => {
      const variables: Record<string, string> = { x: '5', y: '-7', z: '3' };
      let here: string;
      try {
        here = `${evaluate(` ${each} `, variables)} ${variables.z}`;
      } catch (error) {
        expect(error).toBeInstanceOf(ArithmeticError);
        here = 'error';
      }
      return here === dash[i] ? [] : [`${each}: ${here}, dash ${dash[i]}`];
    });
    expect(cases.length).toBeGreaterThan(500);
    expect(differing).toEqual([]);
  });

  it('wrap around at 64 bits', () => {
    expect(evaluate('9223372036854775807 + 1')).toBe('-9223372036854775808');
    expect(evaluate('-9223372036854775807 - 2')).toBe('9223372036854775807');
    expect(evaluate('3037000500 * 3037000500')).toBe('-9223372036709301616');
    expect(evaluate('1 << 64')).toBe('1');
    expect(evaluate('99999999999999999999')).toBe('9223372036854775807');
    expect(evaluate('-9223372036854775807 - 1 == 1 << 63')).toBe('1');
  });

  it('are exact where doubles are not', () => {
    fc.assert(
      fc.property(fc.bigInt(-(1n << 62n), 1n << 62n), fc.bigInt(-(1n << 62n), 1n << 62n), (a, b) => {
        expect(evaluate(`(${a}) + (${b})`)).toBe(String(BigInt.asIntN(64, a + b)));
        expect(evaluate(`(${a}) * (${b})`)).toBe(String(BigInt.asIntN(64, a * b)));
        expect(evaluate(`(${a}) & (${b})`)).toBe(String(a & b));
        if (b !== 0n) expect(evaluate(`(${a}) % (${b})`)).toBe(String(a % b));
      }),
    );
  });

  it('say what is wrong', () => {
    expect(() => evaluate('1 / 0')).toThrow('arithmetic expression: division by zero: "1 / 0"');
    expect(() => evaluate('1 +')).toThrow('arithmetic expression: expecting primary: "1 +"');
    expect(() => evaluate('08')).toThrow('arithmetic expression: expecting EOF: "08"');
    expect(() => evaluate('x', { x: 'word' })).toThrow('Illegal number: word');
    expect(() => evaluate('('.repeat(10_000))).toThrow('nested too deeply');
  });

  it('evaluate one side of &&, || and ? only', () => {
    const variables = { x: '1' };
    expect(evaluate('0 && (x = 2)', variables)).toBe('0');
    expect(evaluate('1 || (x = 2)', variables)).toBe('1');
    expect(evaluate('1 ? 5 : (x = 2)', variables)).toBe('5');
    expect(evaluate('0 && 1 / 0', variables)).toBe('0');
    expect(variables.x).toBe('1');
  });
});
