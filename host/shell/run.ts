/** Runs the tree: lists, loops, conditions, pipelines, subshells. Simple commands are in simple.ts. */
import { ExitShell, ShellError } from './errors.ts';
import type { Pattern } from './expand/pattern.ts';
import { CommandAssembler } from './input.ts';
import { Redirections, redirectForGood } from './redirect.ts';
import { EXIT, NORMAL, type Shell, type Status, TESTED } from './shell.ts';
import { runSimple } from './simple.ts';
import type {
  AndOr,
  Case,
  For,
  If,
  List,
  ListItem,
  Node,
  Pipeline,
  Redirected,
  Subshell,
  Time,
  While,
} from './syntax/ast.ts';
import { ShellSyntaxError } from './syntax/errors.ts';
import { parseShell } from './syntax/parse.ts';
import { reportTimes } from './times.ts';

/** Run a node: its status, which is `$?` then. */
export function run(shell: Shell, node: Node, flags: number): Status {
  const status = runNode(shell, node, flags);
  if (typeof status !== 'number') return status.then((value) => done(shell, node, flags, value));
  return done(shell, node, flags, status);
}

function done(shell: Shell, node: Node, flags: number, status: number): number {
  const { state } = shell;
  state.status = status;
  if (status !== 0 && state.options.errexit && (flags & TESTED) === 0 && checksExit(node)) {
    throw new ExitShell(status);
  }
  return status;
}

/** Those whose failure `set -e` looks at; what is inside the others has been looked at already. */
function checksExit({ kind }: Node): boolean {
  return kind === 'simple' || kind === 'pipeline' || kind === 'subshell' || kind === 'redirected';
}

function runNode(shell: Shell, node: Node, flags: number): Status {
  switch (node.kind) {
    case 'simple':
      return runSimple(shell, node, flags);
    case 'list':
      return runList(shell, node, flags, 0);
    case 'andor':
      return runAndOr(shell, node, flags);
    case 'not':
      return negate(run(shell, node.body, TESTED));
    case 'if':
      return runIf(shell, node, flags);
    case 'while':
      return runWhile(shell, node, flags);
    case 'for':
      return runFor(shell, node, flags);
    case 'case':
      return runCase(shell, node, flags);
    case 'pipeline':
      return runPipeline(shell, node);
    case 'subshell':
      return runSubshell(shell, node, flags);
    case 'redirected':
      return runRedirected(shell, node, flags);
    case 'function':
      shell.state.functions.set(node.name, node.body);
      return 0;
    default:
      return runTime(shell, node, flags);
  }
}

function negate(status: Status): Status {
  if (typeof status !== 'number') return status.then((value) => (value === 0 ? 1 : 0));
  return status === 0 ? 1 : 0;
}

// ── lists ────────────────────────────────────────────────────────────────────────────────────

function runList(shell: Shell, list: List, flags: number, from: number): Status {
  const { items } = list;
  let status = 0;
  if (shell.state.options.noexec && !shell.interactive) return 0;
  for (let i = from; i < items.length; i++) {
    const last = i === items.length - 1;
    const result = runItem(shell, items[i], last ? flags : flags & ~EXIT);
    if (typeof result !== 'number') return restOfList(shell, list, flags, i, result);
    status = result;
    if (shell.jump !== undefined) return status;
    if (shell.traps.pending) return restOfList(shell, list, flags, i, result);
  }
  return status;
}

async function restOfList(
  shell: Shell,
  list: List,
  flags: number,
  index: number,
  result: Status,
): Promise<number> {
  const status = await result;
  shell.traps.collect();
  if (shell.traps.pending) await shell.traps.runPending();
  if (shell.jump !== undefined || index === list.items.length - 1) return status;
  return runList(shell, list, flags, index + 1);
}

function runItem(shell: Shell, item: ListItem, flags: number): Status {
  if (item.background) return startBackground(shell, item);
  return run(shell, item.node, flags);
}

/** `&` */
function startBackground(shell: Shell, { node, text }: ListItem): Status {
  const job = shell.jobs.create(text, true);
  const monitor = shell.state.options.has('monitor');
  const pid = shell.fork(async (child) => {
    if (!monitor) {
      const fd = await child.data.openLater('/dev/null', 0, 0);
      child.process.dup2(fd, 0);
      if (fd !== 0) child.process.close(fd);
    }
    return run(child, node, EXIT);
  }, job);
  job.pids.push(pid);
  shell.jobs.add(job);
  shell.state.lastBackground = pid;
  if (shell.interactive) shell.complain(`[${job.id}] ${pid}`);
  shell.state.status = 0;
  return 0;
}

function runAndOr(shell: Shell, { first, rest }: AndOr, flags: number): Status {
  const step = (index: number, result: Status): Status => {
    if (typeof result !== 'number') return result.then((value) => step(index, value));
    let status = result;
    for (let i = index; i < rest.length; i++) {
      if (shell.jump !== undefined) return status;
      const { and, node } = rest[i];
      if ((status === 0) !== and) continue;
      const last = i === rest.length - 1;
      const next = run(shell, node, last ? flags : (flags | TESTED) & ~EXIT);
      if (typeof next !== 'number') return next.then((value) => step(i + 1, value));
      status = next;
    }
    return status;
  };
  return step(0, run(shell, first, (flags | TESTED) & ~EXIT));
}

// ── conditions and loops ─────────────────────────────────────────────────────────────────────

function runIf(shell: Shell, node: If, flags: number): Status {
  const choose = (status: number): Status => {
    if (shell.jump !== undefined) return status;
    if (status === 0) return run(shell, node.consequent, flags);
    return node.otherwise === undefined ? 0 : run(shell, node.otherwise, flags);
  };
  const status = run(shell, node.condition, TESTED);
  return typeof status === 'number' ? choose(status) : status.then(choose);
}

/** A jump has come up in a loop: is the loop to be left? */
function leaves(shell: Shell): boolean {
  const { jump } = shell;
  if (jump === undefined) return false;
  if (jump.kind === 'return') return true;
  if (jump.levels > 1) {
    jump.levels--;
    return true;
  }
  shell.jump = undefined;
  return jump.kind === 'break';
}

async function runWhile(shell: Shell, { condition, body, until }: While, flags: number): Promise<number> {
  let status = 0;
  const inner = flags & TESTED;
  shell.loops++;
  try {
    for (;;) {
      const tested = run(shell, condition, TESTED);
      const result = typeof tested === 'number' ? tested : await tested;
      if (shell.jump !== undefined) {
        if (leaves(shell)) return status;
        continue;
      }
      if ((result === 0) === until) return status;
      const ran = run(shell, body, inner);
      status = typeof ran === 'number' ? ran : await ran;
      if (shell.jump !== undefined && leaves(shell)) return status;
      if (shell.tired) await shell.breathe();
    }
  } finally {
    shell.loops--;
  }
}

async function runFor(shell: Shell, node: For, flags: number): Promise<number> {
  shell.line = node.line;
  const values = node.words === undefined ? shell.state.positional : await shell.expander.fields(node.words);
  let status = 0;
  shell.loops++;
  try {
    for (const value of values) {
      shell.assign(node.name, value);
      const ran = run(shell, node.body, flags & TESTED);
      status = typeof ran === 'number' ? ran : await ran;
      if (shell.jump !== undefined && leaves(shell)) return status;
      if (shell.tired) await shell.breathe();
    }
    return status;
  } finally {
    shell.loops--;
  }
}

async function runCase(shell: Shell, { word, items, line }: Case, flags: number): Promise<number> {
  shell.line = line;
  shell.substituted = undefined;
  const text = await shell.expander.text(word);
  let through = false;
  let status = 0;
  for (const item of items) {
    if (!through && !(await matchesAny(shell, item.patterns, text))) continue;
    status =
      item.body.items.length === 0 ? 0 : await run(shell, item.body, item.through ? flags & ~EXIT : flags);
    through = item.through;
    if (!through || shell.jump !== undefined) return status;
  }
  return status;
}

async function matchesAny(
  shell: Shell,
  patterns: Case['items'][number]['patterns'],
  text: string,
): Promise<boolean> {
  for (const word of patterns) {
    const pattern: Pattern | Promise<Pattern> = shell.expander.pattern(word);
    if ((pattern instanceof Promise ? await pattern : pattern).matches(text)) return true;
  }
  return false;
}

// ── processes ────────────────────────────────────────────────────────────────────────────────

async function runPipeline(shell: Shell, { commands, text }: Pipeline): Promise<number> {
  const { process } = shell;
  const job = shell.jobs.create(text, false);
  let input: number | undefined;
  for (const [i, command] of commands.entries()) {
    const from = input;
    const pipe = i === commands.length - 1 ? undefined : process.pipe();
    const pid = shell.fork((child) => {
      if (from !== undefined) child.process.dup2(from, 0);
      if (pipe !== undefined) child.process.dup2(pipe.write, 1);
      for (const fd of [from, pipe?.read, pipe?.write])
        if (fd !== undefined && fd > 1) child.process.close(fd);
      return run(child, command, EXIT);
    }, job);
    job.pids.push(pid);
    if (from !== undefined) process.close(from);
    if (pipe !== undefined) process.close(pipe.write);
    input = pipe?.read;
  }
  return shell.jobs.waitForeground(job);
}

async function runSubshell(shell: Shell, { body, text }: Subshell, flags: number): Promise<number> {
  if ((flags & EXIT) !== 0 && shell.state.traps.size === 0) return run(shell, body, EXIT);
  const job = shell.jobs.create(text, false);
  job.pids.push(shell.fork((child) => run(child, body, EXIT | (flags & TESTED)), job));
  return shell.jobs.waitForeground(job);
}

async function runRedirected(shell: Shell, node: Redirected, flags: number): Promise<number> {
  shell.line = node.line;
  if ((flags & EXIT) !== 0 && shell.state.traps.size === 0) {
    try {
      await redirectForGood(shell, node.redirects);
    } catch (error) {
      if (error instanceof ShellError) return shell.failed(error);
      throw error;
    }
    return run(shell, node.body, flags);
  }
  const redirections = new Redirections(shell, false);
  try {
    await redirections.apply(node.redirects);
  } catch (error) {
    if (error instanceof ShellError) return shell.failed(error);
    throw error;
  }
  try {
    return await run(shell, node.body, flags & ~EXIT);
  } catch (error) {
    // Said while standard error is where the commands have it.
    if (error instanceof ShellError) shell.failed(error);
    throw error;
  } finally {
    redirections.restore();
  }
}

async function runTime(shell: Shell, { body }: Time, flags: number): Promise<number> {
  const start = performance.now();
  const status = await run(shell, body, flags & TESTED);
  reportTimes(shell, performance.now() - start);
  return status;
}

// ── text ─────────────────────────────────────────────────────────────────────────────────────

/** A syntax error as the error of the command that reads the text. */
function wellFormed<T>(shell: Shell, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ShellSyntaxError) throw shell.syntaxError(error);
    throw error;
  }
}

/** Does text have to be read line by line, because lines change how later ones are read? */
function lineByLine(shell: Shell, text: string): boolean {
  const { aliases, options } = shell.state;
  return aliases.size > 0 || options.has('verbose') || /\balias\b/.test(text);
}

/**
 * Run the commands of a text. What precedes a syntax error runs.
 * @param fromFile  `set -v` shows its lines
 * @throws ShellError for a syntax error
 */
export async function runText(
  shell: Shell,
  text: string,
  flags: number = NORMAL,
  fromFile = false,
): Promise<number> {
  if (!lineByLine(shell, text)) {
    let list: List | undefined;
    try {
      list = parseShell(text).list;
    } catch {
      // Below, with what is before the error.
    }
    if (list !== undefined) return list.items.length === 0 ? 0 : run(shell, list, flags);
  }
  let status = 0;
  const assembler = new CommandAssembler(shell, fromFile);
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const list = wellFormed(shell, () => assembler.add(line));
    if (list === undefined) continue;
    status = await run(shell, list, flags & ~EXIT);
    if (shell.jump !== undefined) return status;
  }
  const list = wellFormed(shell, () => assembler.finish());
  return list === undefined ? status : run(shell, list, flags & ~EXIT);
}
