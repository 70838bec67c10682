/** Builtins that say what runs next: break, return, exit, eval, `.`, exec, and those that do nothing. */
import { decodeBytes } from '../../syscalls/bytes.ts';
import { describe, ExitShell, isEnded, isSyscallError } from '../errors.ts';
import { findCommand } from '../lookup.ts';
import { runText } from '../run.ts';
import { NORMAL, type Shell, type Status } from '../shell.ts';
import { denied, execute, notFound } from '../simple.ts';
import { parseCount, parseOptions } from './options.ts';

export const succeed = (): number => 0;
export const failQuietly = (): number => 1;

function jumpOut(kind: 'break' | 'continue') {
  return (shell: Shell, argv: readonly string[]): number => {
    const levels = argv.length > 1 ? parseCount(shell, argv[1]) : 1;
    if (levels === 0) shell.fail(`Illegal number: ${argv[1]}`);
    if (shell.loops > 0) shell.jump = { kind, levels: Math.min(levels, shell.loops) };
    return 0;
  };
}

export const breakLoop = jumpOut('break');
export const continueLoop = jumpOut('continue');

const CODE_MASK = 0xff;

function status(shell: Shell, argv: readonly string[]): number {
  return argv.length > 1 ? parseCount(shell, argv[1]) & CODE_MASK : shell.state.status;
}

export function returnFrom(shell: Shell, argv: readonly string[]): number {
  const code = status(shell, argv);
  if (shell.calls === 0 && shell.sourcing === 0) throw new ExitShell(code);
  shell.jump = { kind: 'return' };
  return code;
}

export function exit(shell: Shell, argv: readonly string[]): number {
  throw new ExitShell(status(shell, argv));
}

export function evaluate(shell: Shell, argv: readonly string[]): Status {
  const rest = argv[1] === '--' ? argv.slice(2) : argv.slice(1);
  return rest.length === 0 ? 0 : runText(shell, rest.join(' '));
}

/** `. file`: without a slash it is looked for in PATH. */
export async function source(shell: Shell, argv: readonly string[]): Promise<number> {
  const { operands } = parseOptions(shell, argv, '');
  const name = operands[0];
  if (name === undefined) return 0;
  const path = name.includes('/') ? name : readable(shell, name);
  if (path === undefined) shell.fail(`${name}: not found`);
  const text = decodeBytes(await readFile(shell, path));
  const { loops, builtin } = shell;
  shell.loops = 0;
  shell.sourcing++;
  shell.builtin = path;
  try {
    const code = await runText(shell, text, NORMAL, true);
    if (shell.jump?.kind !== 'return') return code;
    shell.jump = undefined;
    return shell.state.status;
  } finally {
    shell.sourcing--;
    shell.loops = loops;
    shell.builtin = builtin;
  }
}

function readable(shell: Shell, name: string): string | undefined {
  for (const directory of (shell.state.variables.get('PATH') ?? '').split(':')) {
    const path = directory === '' ? `./${name}` : `${directory}/${name}`;
    try {
      if (shell.context.fs.statSync(path).isFile()) return path;
    } catch (error) {
      if (isEnded(error)) throw error;
    }
  }
  return undefined;
}

async function readFile(shell: Shell, path: string): Promise<Uint8Array> {
  try {
    const fd = await shell.retry(() => shell.data.openLater(path, 0, 0));
    try {
      return await shell.readAll(fd);
    } finally {
      shell.process.close(fd);
    }
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    shell.fail(`cannot open ${path}: ${error.code === 'ENOENT' ? 'No such file' : describe(error)}`);
  }
}

/** `exec command`; redirections alone have been done by then. */
export async function exec(shell: Shell, argv: readonly string[]): Promise<number> {
  const { operands } = parseOptions(shell, argv, '');
  if (operands.length === 0) return 0;
  const file = findCommand(shell, operands[0]);
  let code: number;
  if (file === undefined) code = notFound(shell, operands[0]);
  else if (file === 'denied') code = denied(shell, operands[0]);
  else code = await execute(shell, file, operands, shell.state.variables.environment());
  if (shell.interactive) return code;
  throw new ExitShell(code);
}
