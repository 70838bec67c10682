/** Simple commands: expansion, redirections, assignments; then a function, a builtin or a program. */
import { after } from '../syscalls/fs/data.ts';
import { builtins, type Builtin } from './builtins/index.ts';
import { decodeBytes } from '../syscalls/bytes.ts';
import { describe, isEnded, isSyscallError, Replaced, ShellError } from './errors.ts';
import { DEFAULT_PATH, findCommand } from './lookup.ts';
import { Redirections, redirectForGood } from './redirect.ts';
import { run } from './run.ts';
import { EXIT, type Shell, type Status, TESTED } from './shell.ts';
import type { Node, Simple } from './syntax/ast.ts';
import { parseHereText } from './syntax/parse.ts';
import type { Variables } from './variables.ts';
import type { Environment } from '../programs/program.ts';

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
/** Functions in functions. */
const CALLS_MAX = 5000;
/** How many calls the host's stack may hold before it is left. */
const CALLS_PER_STACK = 40;

export function runSimple(shell: Shell, node: Simple, flags: number): Status {
  shell.line = node.line;
  shell.substituted = undefined;
  const argv = shell.expander.fields(node.words);
  if (argv instanceof Promise) return argv.then((fields) => runExpanded(shell, node, fields, flags));
  return runExpanded(shell, node, argv, flags);
}

function runExpanded(shell: Shell, node: Simple, argv: string[], flags: number): Status {
  if (node.redirects.length > 0) return runRedirected(shell, node, argv, flags);
  return runAssigned(shell, node, argv, flags);
}

/** With redirections around it. */
async function runRedirected(shell: Shell, node: Simple, argv: string[], flags: number): Promise<number> {
  const special = argv.length > 0 && builtins.get(argv[0])?.special === true;
  const stays =
    (argv.length === 1 && argv[0] === 'exec') || ((flags & EXIT) !== 0 && shell.state.traps.size === 0);
  const redirections = new Redirections(shell, true);
  try {
    if (argv[0] === 'exec' || stays) await redirectForGood(shell, node.redirects);
    else await redirections.apply(node.redirects);
  } catch (error) {
    if (!(error instanceof ShellError) || special) throw error;
    return shell.failed(error);
  }
  try {
    return await runAssigned(shell, node, argv, flags);
  } catch (error) {
    // Said while standard error is where the command has it.
    if (error instanceof ShellError) shell.failed(error);
    throw error;
  } finally {
    redirections.restore();
  }
}

/** With its assignments expanded. */
function runAssigned(shell: Shell, node: Simple, argv: string[], flags: number): Status {
  if (node.assignments.length === 0) {
    trace(shell, [], argv);
    return dispatch(shell, argv, [], flags);
  }
  const [{ name, value }] = node.assignments;
  if (node.assignments.length > 1 || argv.length > 0) return runAllAssigned(shell, node, argv, flags);
  return after(shell.expander.text(value), (text) => {
    shell.assign(name, text);
    trace(shell, [[name, text]], argv);
    return shell.substituted ?? 0;
  });
}

async function runAllAssigned(shell: Shell, node: Simple, argv: string[], flags: number): Promise<number> {
  const values: [string, string][] = [];
  const { variables } = shell.state;
  const before: [string, ReturnType<Variables['save']>][] = [];
  try {
    for (const { name, value } of node.assignments) {
      const text = await shell.expander.text(value);
      values.push([name, text]);
      // Later ones see the earlier ones.
      if (argv.length > 0) before.push([name, variables.save(name)]);
      shell.assign(name, text);
    }
  } finally {
    for (const [name, variable] of before.reverse()) variables.restore(name, variable);
  }
  trace(shell, values, argv);
  if (argv.length === 0) return shell.substituted ?? 0;
  return dispatch(shell, argv, values, flags);
}

function trace(shell: Shell, assignments: readonly [string, string][], argv: readonly string[]): void {
  if (!shell.state.options.xtrace) return;
  const written = shell.state.variables.get('PS4') ?? '+ ';
  // A trace does not wait: a command substitution stays as it is written.
  const expanded = written.includes('$(') || written.includes('`') ? written : expandTrace(shell, written);
  const prompt = typeof expanded === 'string' ? expanded : written;
  const words = [...assignments.map(([name, value]) => `${name}=${value}`), ...argv];
  shell.writeNow(shell.traceFd, `${prompt}${words.join(' ')}\n`);
}

function expandTrace(shell: Shell, prompt: string): string | Promise<string> {
  return prompt.includes('$') ? shell.expander.text(parseHereText(prompt)) : prompt;
}

type Assigned = readonly (readonly [string, string])[];

function dispatch(shell: Shell, argv: string[], assigned: Assigned, flags: number): Status {
  if (argv.length === 0) return shell.substituted ?? 0;
  const name = argv[0];
  const builtin = builtins.get(name);
  if (builtin?.special) return runSpecial(shell, builtin, argv, assigned);
  const body = shell.state.functions.get(name);
  if (body !== undefined) return callFunction(shell, body, argv, assigned, flags);
  if (name === 'command') return runCommand(shell, argv, assigned, flags);
  if (builtin !== undefined) return runBuiltin(shell, builtin, argv, assigned);
  return runProgram(shell, argv, assigned, flags);
}

/** `command name …`: no functions, and no special builtins. */
function runCommand(shell: Shell, argv: string[], assigned: Assigned, flags: number): Status {
  let at = 1;
  let path: string | undefined;
  for (; at < argv.length && /^-p+$/.test(argv[at]); at++) path = DEFAULT_PATH;
  if (argv[at] === '--') at++;
  const rest = argv.slice(at);
  if (rest.length === 0) return 0;
  if (rest[0].startsWith('-')) {
    return runBuiltin(shell, builtins.get('command') as Builtin, argv, assigned);
  }
  if (rest[0] === 'command') return runCommand(shell, rest, assigned, flags);
  const builtin = builtins.get(rest[0]);
  if (builtin !== undefined) return runBuiltin(shell, builtin, rest, assigned);
  return runProgram(shell, rest, assigned, flags, path);
}

// ── builtins ─────────────────────────────────────────────────────────────────────────────────

/** Assignments before a special builtin stay; its errors end a shell that is not interactive. */
function runSpecial(shell: Shell, builtin: Builtin, argv: string[], assigned: Assigned): Status {
  for (const [name, value] of assigned) shell.assign(name, value);
  return call(shell, builtin, argv);
}

function runBuiltin(shell: Shell, builtin: Builtin, argv: string[], assigned: Assigned): Status {
  if (assigned.length === 0) return guarded(shell, builtin, argv);
  return withAssignments(shell, assigned, async () => guarded(shell, builtin, argv));
}

/** Its errors are its status. */
function guarded(shell: Shell, builtin: Builtin, argv: string[]): Status {
  const failed = (error: unknown): number => {
    if (error instanceof ShellError) return shell.failed(error);
    throw error;
  };
  try {
    const status = call(shell, builtin, argv);
    return typeof status === 'number' ? status : status.catch(failed);
  } catch (error) {
    return failed(error);
  }
}

function call(shell: Shell, builtin: Builtin, argv: string[]): Status {
  const outer = shell.builtin;
  shell.builtin = argv[0];
  let status: Status;
  try {
    status = builtin.run(shell, argv);
    if (typeof status === 'number') {
      const flushed = shell.flush();
      if (flushed === undefined) {
        shell.builtin = outer;
        return status;
      }
      const value = status;
      status = flushed.then(() => value);
    }
  } catch (error) {
    const failure = ended(shell, error);
    shell.builtin = outer;
    throw failure;
  }
  return finish(shell, status, outer);
}

async function finish(shell: Shell, pending: Promise<number>, outer: string | undefined): Promise<number> {
  try {
    const status = await pending;
    await shell.flush();
    return status;
  } catch (error) {
    throw ended(shell, error);
  } finally {
    shell.builtin = outer;
  }
}

/** What a builtin threw, as a shell's error. What it had put out is written if it can be. */
function ended(shell: Shell, error: unknown): unknown {
  if (isEnded(error)) return error;
  if (isSyscallError(error)) {
    shell.discardOutput();
    return shell.error(describe(error), 1);
  }
  if (error instanceof ShellError) shell.failed(error);
  try {
    // A full pipe here is written by those who read it; nothing else waits for it.
    Promise.resolve(shell.flush()).catch(() => {});
  } catch (failure) {
    if (isEnded(failure)) return failure;
  }
  return error;
}

/** Run with variables that are as before afterwards, and are exported meanwhile. */
async function withAssignments(
  shell: Shell,
  assigned: Assigned,
  body: () => Promise<number>,
): Promise<number> {
  const { variables } = shell.state;
  const before: [string, ReturnType<Variables['save']>][] = [];
  try {
    for (const [name, value] of assigned) {
      before.push([name, variables.save(name)]);
      shell.assign(name, value);
      variables.export(name);
    }
    return await body();
  } finally {
    for (const [name, variable] of before.reverse()) variables.restore(name, variable);
  }
}

// ── functions ────────────────────────────────────────────────────────────────────────────────

function callFunction(shell: Shell, body: Node, argv: string[], assigned: Assigned, flags: number): Status {
  if (assigned.length === 0) return inFunction(shell, body, argv, flags);
  return withAssignments(shell, assigned, async () => inFunction(shell, body, argv, flags));
}

async function inFunction(shell: Shell, body: Node, argv: string[], flags: number): Promise<number> {
  const { state } = shell;
  const { positional, getopts } = state;
  const { loops, sourcing } = shell;
  if (shell.calls >= CALLS_MAX) throw shell.error('Maximum function recursion depth reached');
  shell.calls++;
  state.positional = argv.slice(1);
  state.getopts = { index: 1, offset: 0 };
  state.variables.enterFunction();
  shell.loops = 0;
  shell.sourcing = 0;
  try {
    if (shell.calls % CALLS_PER_STACK === 0) await undefined;
    const status = await run(shell, body, flags & TESTED);
    if (shell.jump?.kind !== 'return') return status;
    shell.jump = undefined;
    return state.status;
  } finally {
    shell.calls--;
    state.variables.leaveFunction();
    state.positional = positional;
    state.getopts = getopts;
    shell.loops = loops;
    shell.sourcing = sourcing;
  }
}

// ── programs ─────────────────────────────────────────────────────────────────────────────────

async function runProgram(
  shell: Shell,
  argv: string[],
  assigned: Assigned,
  flags: number,
  path?: string,
): Promise<number> {
  const temporary = assigned.find(([name]) => name === 'PATH')?.[1];
  const file = findCommand(shell, argv[0], path ?? temporary);
  if (file === undefined) return notFound(shell, argv[0]);
  if (file === 'denied') return denied(shell, argv[0]);
  const base = shell.state.variables.environment();
  const env = assigned.length === 0 ? base : { ...base, ...Object.fromEntries(assigned) };
  if ((flags & EXIT) !== 0 && shell.state.traps.size === 0) return execute(shell, file, argv, env);
  const job = shell.jobs.create(argv.join(' '), false);
  job.pids.push(shell.fork((child) => execute(child, file, argv, env), job));
  return shell.jobs.waitForeground(job);
}

export function notFound(shell: Shell, name: string): number {
  shell.warn(`${name}: not found`);
  return NOT_FOUND;
}

export function denied(shell: Shell, name: string): number {
  shell.warn(`${name}: Permission denied`);
  return NOT_EXECUTABLE;
}

/** Become a program, or say why not: the status then. @throws Replaced when it has run */
export async function execute(
  shell: Shell,
  file: string,
  argv: readonly string[],
  env: Environment,
): Promise<number> {
  // A name without a slash would be searched for again.
  const path = file.includes('/') ? file : `./${file}`;
  try {
    throw new Replaced(await shell.context.exec(path, argv, env));
  } catch (error) {
    if (!isSyscallError(error) || isEnded(error)) throw error;
    if (error.code === 'ENOENT') return notFound(shell, argv[0]);
    if (error.code !== 'ENOEXEC' || !isText(shell, path)) {
      shell.warn(`${argv[0]}: ${describe(error)}`);
      return NOT_EXECUTABLE;
    }
  }
  // Text without a `#!`: commands for a shell.
  throw new Replaced(await shell.context.exec('/bin/sh', ['sh', path, ...argv.slice(1)], env));
}

const HEAD_BYTES = 256;

/** Has the first line of a file no NUL in it? */
function isText(shell: Shell, path: string): boolean {
  let fd: number | undefined;
  try {
    fd = shell.data.open(path, 0, 0);
    const head = new Uint8Array(HEAD_BYTES);
    const count = shell.data.read(fd, head, 0, HEAD_BYTES, 0);
    return !decodeBytes(head.subarray(0, count)).split('\n')[0].includes('\0');
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    return false;
  } finally {
    if (fd !== undefined) shell.process.close(fd);
  }
}
