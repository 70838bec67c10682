/**
 * The program `sh`.
 *
 *     sh [-aCefImnuvxl] [-o option]… [file [argument…]]
 *     sh … -c commands [name [argument…]]
 *     sh … -s [argument…]
 */
import { EISDIR } from '../../assembly/abi/errno.ts';
import { F_DUPFD_CLOEXEC } from '../../assembly/abi/flags.ts';
import type { Program, ProgramContext } from '../programs/program.ts';
import { initialDirectory } from './builtins/directory.ts';
import { setOptions } from './builtins/variables.ts';
import { decodeBytes } from '../syscalls/bytes.ts';
import { describe, isEnded, isSyscallError, ShellError } from './errors.ts';
import { CommandAssembler, LineReader } from './input.ts';
import { DEFAULT_PATH } from './lookup.ts';
import { run, runText } from './run.ts';
import { EXIT, NORMAL, Shell } from './shell.ts';
import { ShellState } from './state.ts';
import { Variables } from './variables.ts';
import { isTerminal } from './terminal.ts';

const USAGE = 2;
/** Who, where, and whether root: of a shell that somebody types at. */
const INTERACTIVE_PS1 = '\\u@\\h:\\w\\$ ';
const CANNOT_OPEN = 2;
const SCRIPT_FD_MIN = 10;

interface Invocation {
  /** Options in the form that `set` takes. */
  readonly settings: string[];
  readonly login: boolean;
  readonly commands: string | undefined;
  readonly operands: readonly string[];
}

/** The command line. Returns what is wrong with it as text. */
function parseInvocation(argv: readonly string[]): Invocation | string {
  const settings: string[] = [];
  let login = argv[0]?.startsWith('-') ?? false;
  let takesCommands = false;
  let at = 1;
  for (; at < argv.length && /^[-+]./s.test(argv[at]); at++) {
    const argument = argv[at];
    if (argument === '--') {
      at++;
      break;
    }
    if (argument === '--help') return HELP;
    let letters = argument[0];
    for (const letter of argument.slice(1)) {
      if (letter === 'c') takesCommands = true;
      else if (letter === 'l') login = true;
      else letters += letter;
    }
    if (letters.length === 1) continue;
    settings.push(letters);
    if (letters.endsWith('o')) settings.push(argv[++at] ?? '');
  }
  if (argv[at] === '-') at++;
  if (takesCommands && at >= argv.length) return `${argv[0] ?? 'sh'}: 0: -c requires an argument\n`;
  const commands = takesCommands ? argv[at++] : undefined;
  return { settings, login, commands, operands: argv.slice(at) };
}

const HELP = `Usage: sh [OPTION]... [-c COMMANDS [NAME [ARGUMENT]...] | -s [ARGUMENT]... | FILE [ARGUMENT]...]
The POSIX shell. Without COMMANDS or FILE it reads standard input.

  -c            run COMMANDS
  -i            interactive, whatever standard input is
  -l            a login shell: reads /etc/profile and ~/.profile
  -s            read standard input
  -o OPTION     set -o OPTION
  -a -C -e -f -m -n -u -v -x
                as in set
      --help    show this help
`;

export const sh: Program = async (context) => {
  const invocation = parseInvocation(context.argv);
  if (typeof invocation === 'string') {
    const help = invocation === HELP;
    await (help ? context.stdout : context.stderr).write(invocation);
    return help ? 0 : USAGE;
  }
  const shell = createShell(context, invocation);
  return shell.asProcess(() => start(shell, invocation));
};

function createShell(context: ProgramContext, { commands, operands }: Invocation): Shell {
  const variables = Variables.from(context.env);
  const given = context.argv[0]?.replace(/^-/, '') ?? 'sh';
  const name = commands !== undefined ? (operands[0] ?? given) : given;
  const shell = new Shell(context, new ShellState(name, variables, context.pid));
  shell.line = 0;
  const defaults: Record<string, string> = {
    PATH: DEFAULT_PATH,
    PS1: context.process.ids().euid === 0 ? '# ' : '$ ',
  };
  for (const [variable, value] of Object.entries({ ...defaults, PS2: '> ', PS4: '+ ' })) {
    if (variables.get(variable) === undefined) variables.set(variable, value);
  }
  variables.set('IFS', ' \t\n');
  variables.set('OPTIND', '1');
  variables.set('PPID', String(context.process.ids().ppid));
  return shell;
}

async function start(shell: Shell, invocation: Invocation): Promise<number> {
  const { settings, commands, operands, login } = invocation;
  const { state } = shell;
  setOptions(shell, settings);
  initialDirectory(shell);
  const stdin = state.options.has('stdin');
  const file = commands === undefined && !stdin ? operands[0] : undefined;
  state.positional = commands !== undefined || file !== undefined ? operands.slice(1) : operands;
  if (file !== undefined) state.name = file;
  const wantsTerminal =
    state.options.has('interactive') ||
    (commands === undefined &&
      file === undefined &&
      isTerminal(shell.process, 0) &&
      isTerminal(shell.process, 2));
  if (wantsTerminal) {
    state.options.set('interactive', true);
    if (shell.context.env.PS1 === undefined) state.variables.set('PS1', INTERACTIVE_PS1);
  }
  if (login) await readProfiles(shell);
  if (commands !== undefined) {
    shell.line = 1;
    return runText(shell, commands, EXIT);
  }
  if (file !== undefined) return runFile(shell, file);
  state.options.set('stdin', true);
  if (wantsTerminal) {
    const { interact } = await import('./interactive/interact.ts');
    return interact(shell);
  }
  return runInput(shell, new LineReader(shell, 0));
}

/** What a login shell reads first. A file that is not there is none. */
async function readProfiles(shell: Shell): Promise<void> {
  const home = shell.state.variables.get('HOME') ?? '';
  for (const path of ['/etc/profile', `${home}/.profile`]) {
    let text: string;
    try {
      text = decodeBytes(shell.context.fs.readFileSync(path));
    } catch (error) {
      if (isEnded(error)) throw error;
      continue;
    }
    try {
      await runText(shell, text, NORMAL);
    } catch (error) {
      shell.failed(error);
    }
  }
}

/** A script in a file: the whole of it is read first. */
async function runFile(shell: Shell, path: string): Promise<number> {
  let fd: number;
  try {
    const opened = await shell.retry(() => shell.data.openLater(path, 0, 0));
    fd = shell.process.fcntl(opened, F_DUPFD_CLOEXEC, SCRIPT_FD_MIN);
    shell.process.close(opened);
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    const missing = error.code === 'ENOENT';
    const why = missing ? 'No such file' : describe(error);
    throw new ShellError(`${shell.context.argv[0] ?? 'sh'}: 0: cannot open ${path}: ${why}`, CANNOT_OPEN);
  }
  let bytes: Uint8Array;
  try {
    bytes = await shell.readAll(fd);
  } catch (error) {
    if (!isSyscallError(error) || error.errno !== -EISDIR) throw error;
    bytes = new Uint8Array(0);
  }
  shell.process.close(fd);
  shell.line = 1;
  return runText(shell, decodeBytes(bytes), EXIT, true);
}

/** Commands from standard input, which is read no further than each needs: they may read on. */
async function runInput(shell: Shell, reader: LineReader): Promise<number> {
  const assembler = new CommandAssembler(shell);
  let status = 0;
  for (;;) {
    const line = await reader.line();
    const list = line === undefined ? assembler.finish() : assembler.add(line);
    if (list !== undefined) {
      status = await run(shell, list, NORMAL);
      shell.jump = undefined;
    }
    if (line === undefined) return status;
  }
}
