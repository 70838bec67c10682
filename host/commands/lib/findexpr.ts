/** find's expressions: parsed into functions that are asked of each file. */
import type { Tool } from './command.ts';
import { Failure } from './errors.ts';
import { actionOf } from './findactions.ts';
import { testOf } from './findtests.ts';
import type { Info } from './stat.ts';

/** A file that the walk has come to. */
export interface Visit {
  readonly path: string;
  /** The starting point it is below. */
  readonly start: string;
  readonly depth: number;
  readonly info: Info;
  /** -prune: what is in it is not visited. */
  pruned: boolean;
}

export interface FindOptions {
  minDepth: number;
  maxDepth: number;
  depthFirst: boolean;
  oneFileSystem: boolean;
}

export type Predicate = (visit: Visit) => boolean | Promise<boolean>;

/** -quit was met. */
export class Quit extends Error {}

/** What parsing a test or an action can use. */
export interface Parsing {
  readonly tool: Tool;
  readonly links: 'P' | 'L' | 'H';
  readonly options: FindOptions;
  /** The next word, for the primary's argument. @throws Failure if there is none */
  argument(): string;
  /** Words up to one that ends them; that one is taken too. */
  until(ends: (word: string, before: string | undefined) => boolean): string[];
  /** Something is done at the end. */
  atEnd(work: () => Promise<void>): void;
  /** There is an action, so that nothing is printed without being asked for. */
  acts(): void;
}

class Parser {
  readonly words: readonly string[];
  readonly parsing: Parsing;
  at = 0;
  hasAction = false;
  readonly ends: (() => Promise<void>)[] = [];

  constructor(tool: Tool, words: readonly string[], links: 'P' | 'L' | 'H', options: FindOptions) {
    this.words = words;
    this.parsing = {
      tool,
      links,
      options,
      argument: () => {
        const word = this.words[this.at++];
        if (word === undefined) throw new Failure(`missing argument to \`${this.words[this.at - 2]}'`);
        return word;
      },
      until: (ends) => {
        const name = this.words[this.at - 1];
        const taken: string[] = [];
        for (;;) {
          const word = this.words[this.at++];
          if (word === undefined) throw new Failure(`missing argument to \`${name}'`);
          if (ends(word, taken.at(-1))) return [...taken, word];
          taken.push(word);
        }
      },
      atEnd: (work) => void this.ends.push(work),
      acts: () => {
        this.hasAction = true;
      },
    };
  }

  list(): Predicate {
    let left = this.or();
    while (this.words[this.at] === ',') {
      this.at++;
      const [before, right] = [left, this.or()];
      left = async (visit) => {
        await before(visit);
        return right(visit);
      };
    }
    return left;
  }

  or(): Predicate {
    let left = this.and();
    while (this.words[this.at] === '-o' || this.words[this.at] === '-or') {
      this.at++;
      const [before, right] = [left, this.and()];
      left = async (visit) => (await before(visit)) || right(visit);
    }
    return left;
  }

  and(): Predicate {
    let left = this.not();
    for (;;) {
      const word = this.words[this.at];
      if (word === undefined || word === ')' || word === ',' || word === '-o' || word === '-or') return left;
      if (word === '-a' || word === '-and') this.at++;
      const [before, right] = [left, this.not()];
      left = async (visit) => (await before(visit)) && right(visit);
    }
  }

  not(): Predicate {
    const word = this.words[this.at++];
    if (word === '!' || word === '-not') {
      const inner = this.not();
      return async (visit) => !(await inner(visit));
    }
    if (word === '(') {
      if (this.words[this.at] === ')')
        throw new Failure('invalid expression; empty parentheses are not allowed.');
      const inner = this.list();
      if (this.words[this.at++] !== ')')
        throw new Failure("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
      return inner;
    }
    return this.primary(word);
  }

  primary(word: string | undefined): Predicate {
    if (word === undefined) throw new Failure("expected an expression after `-o' or similar");
    if (/^(-o|-or|-a|-and|,)$/.test(word)) {
      throw new Failure(
        `invalid expression; you have used a binary operator '${word}' with nothing before it.`,
      );
    }
    const found = testOf(word, this.parsing) ?? actionOf(word, this.parsing);
    if (found !== undefined) return found;
    if (word === ')') throw new Failure("invalid expression; you have too many ')'");
    if (word.startsWith('-')) throw new Failure(`unknown predicate \`${word}'`);
    throw new Failure(`paths must precede expression: \`${word}'`);
  }
}

/** @throws Failure */
export async function parseExpression(
  tool: Tool,
  words: readonly string[],
  links: 'P' | 'L' | 'H',
): Promise<{
  evaluate: (visit: Visit) => Promise<boolean>;
  options: FindOptions;
  finish: () => Promise<void>;
}> {
  const options: FindOptions = {
    minDepth: 0,
    maxDepth: Number.POSITIVE_INFINITY,
    depthFirst: false,
    oneFileSystem: false,
  };
  const parser = new Parser(tool, words, links, options);
  let expression: Predicate = () => true;
  if (words.length > 0) {
    expression = parser.list();
    if (parser.at < words.length) {
      throw new Failure(
        words[parser.at] === ')'
          ? "you have too many ')'"
          : `paths must precede expression: \`${words[parser.at]}'`,
      );
    }
  }
  const evaluate = async (visit: Visit) => {
    const picked = await expression(visit);
    if (picked && !parser.hasAction) await tool.out(`${visit.path}\n`);
    return picked;
  };
  const finish = async () => {
    for (const work of parser.ends) await work();
  };
  return { evaluate, options, finish };
}
