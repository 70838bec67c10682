/**
 * What every command is made with: its declarations and its function give a Program that parses
 * its arguments, answers --help, words its errors, and has an exit status.
 */
import { AT_FDCWD, O_CLOEXEC } from '../../../assembly/abi/flags.ts';
import { defer } from '#platform';
import type { Input, Program, ProgramContext } from '../../programs/program.ts';
import type { NodeFs } from '../../syscalls/fs/types.ts';
import type { Process } from '../../syscalls/process.ts';
import { Failure, strerror } from './errors.ts';
import { type Description, helpText } from './help.ts';
import { type Arguments, type OptionTable, type ParseOptions, parse } from './options.ts';
import { quotedIfNeeded } from './quote.ts';
import type { Time } from './stat.ts';

const TURN_BYTES = 1024 * 1024;

/** A command at work: its context, its name, the status it will exit with. */
export class Tool {
  readonly context: ProgramContext;
  /** What it is called in messages. */
  readonly name: string;
  /** Raised by {@link warn}. */
  status = 0;
  #moved = 0;

  constructor(context: ProgramContext, name: string) {
    this.context = context;
    this.name = name;
  }

  get fs(): NodeFs {
    return this.context.fs;
  }

  get process(): Process {
    return this.context.process;
  }

  get env(): Readonly<Record<string, string>> {
    return this.context.env;
  }

  /** The machine's time. */
  now(): Time {
    this.process.exports.clock_ms();
    const ms = this.process.dataF64[0];
    const seconds = Math.floor(ms / 1000);
    return { seconds, nanoseconds: Math.floor((ms - seconds * 1000) * 1e6) };
  }

  /** The mask of new files' permissions. */
  umask(): number {
    const mask = this.process.umask(0);
    this.process.umask(mask);
    return mask;
  }

  /** Write to standard output. */
  async out(data: string | Uint8Array): Promise<void> {
    await this.context.stdout.write(data);
    await this.moved(data.length);
  }

  /** So many bytes went by: now and then everybody else gets a turn, signals and timers too. */
  async moved(bytes: number): Promise<void> {
    this.#moved += bytes;
    if (this.#moved < TURN_BYTES) return;
    this.#moved = 0;
    await new Promise<void>(defer);
  }

  /** "NAME: message" on standard error, nothing else. */
  async say(message: string): Promise<void> {
    await this.context.stderr.write(`${this.name}: ${message}\n`);
  }

  /** The same, and the command will fail, with status 1 unless told. */
  async warn(message: string, status = 1): Promise<void> {
    this.status = Math.max(this.status, status);
    await this.say(message);
  }

  /** A failed call: "NAME: about: No such file or directory". */
  async failed(about: string, error: unknown, status = 1): Promise<void> {
    await this.warn(`${about}: ${strerror(error)}`, status);
  }

  /** Open a file; waits for a fifo's other end. flags: the machine's O_*. @throws SyscallError */
  open(path: string, flags: number, mode = 0o666): Promise<number> {
    return this.process.openatLater(AT_FDCWD, path, flags | O_CLOEXEC, mode);
  }

  /** Run `use` on an open file, and close it. "-" is standard input. @throws SyscallError */
  async reading<T>(path: string, use: (input: Input, fd: number) => Promise<T>): Promise<T> {
    if (path === '-') return use(this.context.stdin, 0);
    const fd = await this.open(path, 0);
    try {
      return await use(this.context.input(fd), fd);
    } finally {
      this.process.close(fd);
    }
  }
}

export interface CommandSpec<O extends OptionTable> extends Description, ParseOptions {
  options: O;
  /** Bring words into a form that the table can tell (head -5, chmod -x). */
  prepare?: (args: readonly string[]) => readonly string[];
  /** "Try 'NAME --help'" begins with the name, as diffutils has it. */
  triesNamed?: boolean;
}

/** The exit status, if it is not the tool's. */
export type Run<O extends OptionTable> = (
  tool: Tool,
  args: Arguments<O>,
) => number | undefined | Promise<number | undefined>;

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

/** A program from a command's declarations and its function. */
export function command<O extends OptionTable>(spec: CommandSpec<O>, run: Run<O>): Program {
  const { prepare = (args) => args } = spec;
  const table: O & OptionTable = { ...spec.options };
  return (context) =>
    atWork(
      context,
      async (tool) => {
        const args = prepare(context.argv.slice(1));
        if (await helped(tool, spec, args)) return 0;
        return (await run(tool, parse<O>(table, args, spec))) ?? tool.status;
      },
      spec.triesNamed,
    );
}

/** --help as the first option; with arguments of another command behind, only there. */
async function helped(
  tool: Tool,
  spec: Description & ParseOptions,
  args: readonly string[],
): Promise<boolean> {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const at = own.indexOf('--help');
  if (at < 0 || (spec.stopAtOperand && own.slice(0, at).some((arg) => !arg.startsWith('-')))) return false;
  await tool.out(helpText(tool.name, spec));
  return true;
}

/** Run a command's function: its Failures become messages and exit statuses. */
export async function atWork(
  context: ProgramContext,
  run: (tool: Tool) => Promise<number>,
  triesNamed = false,
): Promise<number> {
  const tool = new Tool(context, baseName(context.argv[0] ?? 'command'));
  try {
    return await run(tool);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await tool.say(error.message);
    const lead = triesNamed ? `${tool.name}: ` : '';
    if (error.usage) await context.stderr.write(`${lead}Try '${tool.name} --help' for more information.\n`);
    return error.status;
  }
}

/** A command whose words are an expression (find, test): it parses them itself. */
export function expressionCommand(
  spec: Description,
  run: (tool: Tool, words: readonly string[]) => Promise<number>,
): Program {
  return (context) =>
    atWork(context, async (tool) => {
      const words = context.argv.slice(1);
      if (words.length === 1 && words[0] === '--help') {
        await tool.out(helpText(tool.name, spec));
        return 0;
      }
      return run(tool, words);
    });
}

export function missingOperand(): Failure {
  return new Failure('missing operand', 1, true);
}

/** At most `most` operands, at least `least`. @throws Failure as GNU words it */
export function checkOperands(
  operands: readonly string[],
  least: number,
  most = Number.POSITIVE_INFINITY,
): void {
  if (operands.length < least) {
    const last = operands.at(-1);
    throw last === undefined ? missingOperand() : new Failure(`missing operand after '${last}'`, 1, true);
  }
  if (operands.length > most) throw new Failure(`extra operand ${quotedExtra(operands[most])}`, 1, true);
}

function quotedExtra(text: string): string {
  const shown = quotedIfNeeded(text);
  return shown === text ? `'${text}'` : shown;
}
