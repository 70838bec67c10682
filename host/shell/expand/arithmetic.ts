/**
 * Arithmetic: C's operators on 64-bit signed integers. A value is a number where that is exact and
 * a bigint beyond; what overflows wraps around.
 */

export interface ArithmeticVariables {
  get(name: string): string | undefined;
  /** May throw. */
  set(name: string, value: string): void;
  /** What to do about a variable that is not set; returns its value. */
  unset(name: string): string;
}

export class ArithmeticError extends Error {}

type Value = number | bigint;
type Evaluate = (variables: ArithmeticVariables) => Value;

const BITS = 64;

function wrap(value: bigint): Value {
  const wrapped = BigInt.asIntN(BITS, value);
  const small = Number(wrapped);
  return Number.isSafeInteger(small) ? small : wrapped;
}

const NUMBER = /^[ \t\n]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[ \t\n]*$/;

/** A number as C writes it, or undefined. What is too large becomes the largest there is. */
function parseNumber(text: string): Value | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, digits] = match;
  const octal = digits.length > 1 && digits[0] === '0' && !/[xX]/.test(digits);
  const plain = octal ? `0o${digits.slice(1)}` : digits;
  const small = Number(plain);
  if (Number.isSafeInteger(small)) return sign === '-' ? 0 - small : small;
  const large = sign === '-' ? -BigInt(plain) : BigInt(plain);
  const max = (1n << 63n) - 1n;
  return wrap(large > max ? max : large < -max - 1n ? -max - 1n : large);
}

type Binary = (a: Value, b: Value) => Value;

/** An operator by doubles where the result is exact, and by bigints otherwise. */
function exact(fast: (a: number, b: number) => number, slow: (a: bigint, b: bigint) => bigint): Binary {
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = fast(a, b);
      if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
    }
    return wrap(slow(BigInt(a), BigInt(b)));
  };
}

const isInt32 = (a: Value, b: Value) =>
  (a as number) === ((a as number) | 0) && (b as number) === ((b as number) | 0);

function bitwise(fast: (a: number, b: number) => number, slow: (a: bigint, b: bigint) => bigint): Binary {
  return (a, b) =>
    typeof a === 'number' && typeof b === 'number' && isInt32(a, b)
      ? fast(a, b)
      : wrap(slow(BigInt(a), BigInt(b)));
}

const compare =
  (test: (a: Value, b: Value) => boolean): Binary =>
  (a, b) =>
    test(a, b) ? 1 : 0;

function nonzero(divide: Binary): Binary {
  return (a, b) => {
    if (b === 0) throw new ArithmeticError('division by zero');
    return divide(a, b);
  };
}

const shiftBy = (b: bigint) => b & 63n;

const BINARY: Readonly<Record<string, Binary>> = {
  '*': exact(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '/': nonzero(
    exact(
      (a, b) => Math.trunc(a / b),
      (a, b) => a / b,
    ),
  ),
  '%': nonzero(
    exact(
      (a, b) => a % b,
      (a, b) => a % b,
    ),
  ),
  '+': exact(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  '-': exact(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  '<<': (a, b) => wrap(BigInt(a) << shiftBy(BigInt(b))),
  '>>': (a, b) => wrap(BigInt(a) >> shiftBy(BigInt(b))),
  '<': compare((a, b) => a < b),
  '<=': compare((a, b) => a <= b),
  '>': compare((a, b) => a > b),
  '>=': compare((a, b) => a >= b),
  '==': compare((a, b) => a === b),
  '!=': compare((a, b) => a !== b),
  '&': bitwise(
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  '^': bitwise(
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  '|': bitwise(
    (a, b) => a | b,
    (a, b) => a | b,
  ),
};

/** From the loosest to the tightest. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

const PRECEDENCE = new Map(LEVELS.flatMap((level, i) => level.map((operator) => [operator, i] as const)));
const ASSIGN = /^(?:[*/%+\-&^|]|<<|>>)?=$/;
const TOKEN =
  /[ \t\n]*(?:([A-Za-z_]\w*)|(\d\w*)|(<<=|>>=|\+\+|--|&&|\|\||<<|>>|[<>=!*/%+\-&^|]=|[-+*/%<>=!~&^|?:(),]))/y;
const DEPTH_MAX = 500;

class Parser {
  readonly #text: string;
  #at = 0;
  /** The token that is next; '' at the end. */
  #token = '';
  #type: 'name' | 'number' | 'operator' | 'end' = 'end';
  #start = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next();
  }

  parse(): Evaluate {
    if (this.#typed('end')) return () => 0;
    const whole = this.#comma();
    if (!this.#typed('end')) this.#fail('expecting EOF');
    return whole;
  }

  #fail(what: string): never {
    throw new ArithmeticError(what);
  }

  #next(): void {
    this.#start = this.#at;
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) {
      if (this.#text.slice(this.#at).trim() !== '') this.#fail('expecting EOF');
      this.#token = '';
      this.#type = 'end';
      return;
    }
    this.#at = TOKEN.lastIndex;
    const [, name, number, operator] = match;
    this.#token = name ?? number ?? operator;
    this.#type = name !== undefined ? 'name' : number !== undefined ? 'number' : 'operator';
  }

  #typed(type: string): boolean {
    return this.#type === type;
  }

  #is(operator: string): boolean {
    return this.#typed('operator') && this.#token === operator;
  }

  #take(operator: string): boolean {
    if (!this.#is(operator)) return false;
    this.#next();
    return true;
  }

  #comma(): Evaluate {
    let left = this.#assignment();
    while (this.#take(',')) {
      const first = left;
      const second = this.#assignment();
      left = (variables) => {
        first(variables);
        return second(variables);
      };
    }
    return left;
  }

  #assignment(): Evaluate {
    if (++this.#depth > DEPTH_MAX) this.#fail('nested too deeply');
    try {
      if (this.#typed('name')) {
        const before = this.#start;
        const name = this.#token;
        this.#next();
        if (this.#typed('operator') && ASSIGN.test(this.#token)) {
          const operator = this.#token.slice(0, -1);
          this.#next();
          return assign(name, operator, this.#assignment());
        }
        this.#at = before;
        this.#next();
      }
      return this.#conditional();
    } finally {
      this.#depth--;
    }
  }

  #conditional(): Evaluate {
    const condition = this.#binary(0);
    if (!this.#take('?')) return condition;
    const then = this.#comma();
    if (!this.#take(':')) this.#fail("expecting ':'");
    const otherwise = this.#assignment();
    return (variables) => (condition(variables) !== 0 ? then(variables) : otherwise(variables));
  }

  #binary(level: number): Evaluate {
    let left = this.#unary();
    for (;;) {
      const precedence = this.#typed('operator') ? PRECEDENCE.get(this.#token) : undefined;
      if (precedence === undefined || precedence < level) return left;
      const operator = this.#token;
      this.#next();
      left = combine(operator, left, this.#binary(precedence + 1));
    }
  }

  #unary(): Evaluate {
    if (!this.#typed('operator') || !/^(?:[-+!~]|\+\+|--)$/.test(this.#token)) return this.#primary();
    if (++this.#depth > DEPTH_MAX) this.#fail('nested too deeply');
    const operator = this.#token;
    this.#next();
    if ((operator === '++' || operator === '--') && this.#typed('name')) {
      const name = this.#token;
      this.#next();
      this.#depth--;
      return assign(name, operator[0], () => 1);
    }
    const operand = this.#unary();
    this.#depth--;
    if (operator === '-') return (variables) => BINARY['-'](0, operand(variables));
    if (operator === '!') return (variables) => (operand(variables) === 0 ? 1 : 0);
    if (operator === '~') return (variables) => BINARY['-'](-1, operand(variables));
    // Two signs, if it is not an increment.
    return operand;
  }

  #primary(): Evaluate {
    const token = this.#token;
    if (this.#typed('number')) {
      const value = parseNumber(token);
      if (value === undefined) this.#fail('expecting EOF');
      this.#next();
      return () => value;
    }
    if (this.#typed('name')) {
      this.#next();
      if (this.#is('++') || this.#is('--')) {
        const operator = this.#token[0];
        this.#next();
        return (variables) => {
          const before = lookup(variables, token);
          variables.set(token, String(BINARY[operator](before, 1)));
          return before;
        };
      }
      return (variables) => lookup(variables, token);
    }
    if (!this.#take('(')) this.#fail('expecting primary');
    const inner = this.#comma();
    if (!this.#take(')')) this.#fail("expecting ')'");
    return inner;
  }
}

function lookup(variables: ArithmeticVariables, name: string): Value {
  const text = variables.get(name) ?? variables.unset(name);
  if (text.trim() === '') return 0;
  const value = parseNumber(text);
  if (value === undefined) throw new IllegalNumber(text);
  return value;
}

/** A variable's value is no number. */
export class IllegalNumber extends Error {
  constructor(text: string) {
    super(`Illegal number: ${text}`);
  }
}

function assign(name: string, operator: string, right: Evaluate): Evaluate {
  const apply = operator === '' ? undefined : BINARY[operator];
  return (variables) => {
    const operand = right(variables);
    const value = apply === undefined ? operand : apply(lookup(variables, name), operand);
    variables.set(name, String(value));
    return value;
  };
}

function combine(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  if (operator === '&&') return (variables) => (left(variables) !== 0 && right(variables) !== 0 ? 1 : 0);
  if (operator === '||') return (variables) => (left(variables) !== 0 || right(variables) !== 0 ? 1 : 0);
  const apply = BINARY[operator];
  return (variables) => {
    const value = left(variables);
    return apply(value, right(variables));
  };
}

const CACHE_MAX = 500;
const cache = new Map<string, Evaluate>();

/**
 * The value of an expression, as text. Empty is 0.
 * @throws ArithmeticError, IllegalNumber, what `variables` throws
 */
export function evaluateArithmetic(text: string, variables: ArithmeticVariables): string {
  try {
    let expression = cache.get(text);
    if (expression === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear();
      expression = new Parser(text).parse();
      cache.set(text, expression);
    }
    return String(expression(variables));
  } catch (error) {
    if (error instanceof ArithmeticError) {
      throw new ArithmeticError(`arithmetic expression: ${error.message}: "${text}"`);
    }
    throw error;
  }
}
