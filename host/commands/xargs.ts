/** xargs: command lines built from standard input, run as children. */
import { AT_FDCWD, O_RDONLY } from '../../assembly/abi/flags.ts';
import { decodeBytes } from '../syscalls/bytes.ts';
import { wholeCharacters } from './lib/characters.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { quotedIfNeeded } from './lib/quote.ts';
import { ask } from './lib/ask.ts';

/** What a command line may be long, as GNU's default. */
const MAX_CHARS = 131072;

interface Word {
  readonly text: string;
  /** It was the last of its line. */
  readonly endsLine: boolean;
}

/** Characters of standard input, as they come. */
async function* characters(tool: Tool): AsyncGenerator<string> {
  for await (const chunk of wholeCharacters(tool.context.stdin)) yield decodeBytes(chunk);
}

async function* delimited(tool: Tool, delimiter: string): AsyncGenerator<Word> {
  let rest = '';
  for await (const text of characters(tool)) {
    const parts = (rest + text).split(delimiter);
    rest = parts.pop() ?? '';
    for (const part of parts) yield { text: part, endsLine: true };
  }
  if (rest !== '') yield { text: rest, endsLine: true };
}

/** Words in quotes and with backslashes; with `byLine` a line's blanks inside are kept. */
async function* quotedWords(tool: Tool, byLine: boolean): AsyncGenerator<Word> {
  let word = '';
  let isOpen = false;
  let quote = '';
  let escaped = false;
  let pending: string | undefined;
  for await (const text of characters(tool)) {
    for (const c of text) {
      if (escaped) {
        word += c;
        escaped = false;
      } else if (quote !== '') {
        if (c === '\n')
          throw new Failure(
            `unmatched ${quote === "'" ? 'single' : 'double'} quote; by default quotes are special to xargs unless you use the -0 option`,
          );
        if (c === quote) quote = '';
        else word += c;
      } else if (c === '\\') {
        escaped = true;
        isOpen = true;
      } else if (c === "'" || c === '"') {
        quote = c;
        isOpen = true;
      } else if (c === '\n' || (/\s/.test(c) && !(byLine && isOpen))) {
        if (c !== '\n' && !isOpen) continue;
        if (isOpen) {
          if (pending !== undefined) yield { text: pending, endsLine: false };
          pending = word;
          // A blank at a line's end carries it on to the next.
        }
        if (c === '\n' && pending !== undefined) {
          yield { text: pending, endsLine: true };
          pending = undefined;
        }
        word = '';
        isOpen = false;
      } else {
        word += c;
        isOpen = true;
      }
    }
  }
  if (quote !== '')
    throw new Failure(
      `unmatched ${quote === "'" ? 'single' : 'double'} quote; by default quotes are special to xargs unless you use the -0 option`,
    );
  if (pending !== undefined) yield { text: pending, endsLine: !isOpen };
  if (isOpen) yield { text: word, endsLine: true };
}

const options = {
  null: {
    short: '0',
    about: 'items are separated by a null, not whitespace; disables quote and backslash processing',
  },
  'arg-file': { short: 'a', value: 'FILE', about: 'read arguments from FILE, not standard input' },
  delimiter: {
    short: 'd',
    value: 'CHARACTER',
    about: 'items in input stream are separated by CHARACTER, not by whitespace',
  },
  E: { short: 'E', shortOnly: true, value: 'END', about: 'set logical EOF string' },
  I: {
    short: 'I',
    shortOnly: true,
    value: 'R',
    about: 'replace R in INITIAL-ARGS with names read from standard input, split at newlines',
  },
  'max-lines': {
    short: 'L',
    value: 'MAX-LINES',
    about: 'use at most MAX-LINES non-blank input lines per command line',
  },
  'max-args': { short: 'n', value: 'MAX-ARGS', about: 'use at most MAX-ARGS arguments per command line' },
  'max-procs': { short: 'P', value: 'MAX-PROCS', about: 'run at most MAX-PROCS processes at a time' },
  interactive: { short: 'p', about: 'prompt before running commands' },
  'no-run-if-empty': { short: 'r', about: 'if there are no arguments, then do not run COMMAND' },
  'max-chars': { short: 's', value: 'MAX-CHARS', about: 'limit length of command line to MAX-CHARS' },
  verbose: { short: 't', about: 'print commands before executing them' },
  exit: { short: 'x', about: 'exit if the size (see -s) is exceeded' },
} as const;

const DELIMITERS: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\0': '\0', '\\\\': '\\' };

function positive(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Failure(`invalid number "${text}" for -${option} option`, 1, true);
  if (Number(text) < 1 && option !== 'P')
    throw new Failure(`value ${text} for -${option} option should be >= 1`, 1, true);
  return Number(text);
}

/** Runs command lines, several at a time if asked for. */
class Runner {
  readonly tool: Tool;
  readonly atOnce: number;
  readonly verbose: boolean;
  readonly interactive: boolean;
  #running = 0;
  /** It says to stop: a child exited with 255, or died of a signal. */
  stop: number | undefined;

  constructor(tool: Tool, atOnce: number, verbose: boolean, interactive: boolean) {
    this.tool = tool;
    this.atOnce = atOnce;
    this.verbose = verbose;
    this.interactive = interactive;
  }

  async run(argv: readonly string[]): Promise<void> {
    const { tool } = this;
    const shown = argv.map(quotedIfNeeded).join(' ');
    if (this.interactive) {
      if (!(await ask(tool, `${shown}?...`))) return;
    } else if (this.verbose) await tool.context.stderr.write(`${shown}\n`);
    while (this.#running >= this.atOnce) await this.reap();
    if (this.stop !== undefined) return;
    try {
      await tool.context.spawn(argv[0], argv, {
        setup: async (child) => {
          // What is read here is not for the children.
          child.dup2(child.openat(AT_FDCWD, '/dev/null', O_RDONLY), 0);
        },
      });
      this.#running++;
    } catch (error) {
      const text = strerror(error);
      await tool.say(`${argv[0]}: ${text}`);
      this.stop = text === 'No such file or directory' ? 127 : 126;
      return;
    }
    if (this.atOnce === 1) await this.reap();
  }

  async reap(): Promise<void> {
    const { tool } = this;
    const { code, signal } = await tool.context.wait(-1);
    this.#running--;
    if (signal !== 0) {
      await tool.say(`command: terminated by signal ${signal}`);
      this.stop = 125;
    } else if (code === 255) {
      await tool.say('command: exited with status 255; aborting');
      this.stop = 124;
    } else if (code !== 0) tool.status = 123;
  }

  async finish(): Promise<void> {
    while (this.#running > 0) await this.reap();
  }
}

export const xargs = command(
  {
    summary: 'build and execute command lines from standard input',
    usage: ['[OPTION]... COMMAND [INITIAL-ARGS]...'],
    options,
    stopAtOperand: true,
    exits: {
      123: 'if any command exited with status 1-125',
      124: 'if a command exited with status 255',
      125: 'if a command was killed by a signal',
      126: 'if the command cannot be run',
      127: 'if the command is not found',
    },
  },
  async (tool, { options: given, operands, last }) => {
    const initial = operands.length === 0 ? ['echo'] : operands;
    const replace = last('I', 'max-lines', 'max-args') === 'I' ? given.I : undefined;
    const maxArgs = positive(given['max-args'], 'n');
    const maxLines = positive(given['max-lines'], 'L');
    const maxChars = positive(given['max-chars'], 's') ?? MAX_CHARS;
    const atOnce = positive(given['max-procs'], 'P') ?? 1;
    const runner = new Runner(
      tool,
      atOnce === 0 ? Number.POSITIVE_INFINITY : atOnce,
      given.verbose,
      given.interactive,
    );
    if (given['arg-file'] !== undefined) tool.process.dup2(await tool.open(given['arg-file'], 0), 0);
    const delimiter = given.null
      ? '\0'
      : given.delimiter === undefined
        ? undefined
        : (DELIMITERS[given.delimiter] ?? given.delimiter);
    const source =
      delimiter === undefined ? quotedWords(tool, replace !== undefined) : delimited(tool, delimiter);
    const base = initial.reduce((sum, word) => sum + word.length + 1, 0);
    let words: string[] = [];
    let size = base;
    let lines = 0;
    let ran = false;
    const flush = async () => {
      ran = true;
      await runner.run([...initial, ...words]);
      words = [];
      size = base;
      lines = 0;
    };
    for await (const { text, endsLine } of source) {
      if (given.E !== undefined && text === given.E) break;
      if (replace !== undefined) {
        ran = true;
        await runner.run(initial.map((word) => word.replaceAll(replace, text)));
      } else {
        if (size + text.length + 1 > maxChars) {
          if (words.length === 0 || given.exit) throw new Failure('argument line too long');
          await flush();
        }
        words.push(text);
        size += text.length + 1;
        if (endsLine) lines++;
        if (words.length === maxArgs || lines === maxLines) await flush();
      }
      if (runner.stop !== undefined) break;
    }
    const isLast = words.length > 0 || (!ran && !given['no-run-if-empty'] && replace === undefined);
    if (runner.stop === undefined && isLast) await flush();
    await runner.finish();
    return runner.stop;
  },
);
