/** Builtins about processes and signals: wait, jobs, fg, bg, kill, trap. */
import { SIGTERM } from '../../../assembly/abi/signals.ts';
import { describe, isEnded, isInterrupted, isSyscallError } from '../errors.ts';
import type { Job } from '../jobs.ts';
import type { Shell } from '../shell.ts';
import { signalDescription, signalList, signalName, signalNumber } from '../signals.ts';
import { setForeground } from '../terminal.ts';
import { parseCount, parseOptions, quote } from './options.ts';

const SIGNAL_BASE = 128;
const UNKNOWN = 127;

export async function wait(shell: Shell, argv: readonly string[]): Promise<number> {
  const { operands } = parseOptions(shell, argv, '');
  const { jobs } = shell;
  let status = 0;
  const wanted = operands.length === 0 ? [...jobs.list] : operands.map((each) => named(shell, each));
  for (const job of wanted) {
    if (job === undefined) {
      status = UNKNOWN;
      continue;
    }
    for (const pid of job.pids) {
      if (job.ended.has(pid)) continue;
      try {
        job.ended.set(pid, await jobs.waitOnce(pid));
      } catch (error) {
        if (!isInterrupted(error)) throw error;
        shell.traps.checkInterrupt();
        // A trapped signal: its action runs after `wait`, which says which it was.
        return SIGNAL_BASE + (shell.traps.first ?? 0);
      }
    }
    status = operands.length === 0 ? 0 : jobs.status(job);
    jobs.remove(job);
  }
  return status;
}

function named(shell: Shell, spec: string): Job | undefined {
  if (!spec.startsWith('%')) parseCount(shell, spec);
  const job = shell.jobs.find(spec);
  if (job === undefined && spec.startsWith('%')) shell.fail(`No such job: ${spec}`);
  return job;
}

/** A job's line: `[1] + Running   sleep 10`. */
export function jobLine(shell: Shell, job: Job, withPids = false): string {
  const { list } = shell.jobs;
  const mark = job === list.at(-1) ? '+' : job === list.at(-2) ? '-' : ' ';
  const pids = withPids ? `${job.pids.join(' ')} ` : '';
  return `[${job.id}] ${mark} ${pids}${stateOf(shell, job).padEnd(withPids ? 26 - pids.length : 26)} ${job.text}`.trimEnd();
}

function stateOf(shell: Shell, job: Job): string {
  if (!shell.jobs.isDone(job)) return 'Running';
  const last = job.ended.get(job.pids.at(-1) ?? 0);
  if (last === undefined || last.code === 0) return 'Done';
  return last.signal === 0 ? `Done(${last.code})` : signalDescription(last.signal);
}

export function jobs(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'lp');
  shell.jobs.poll();
  const shown = operands.length === 0 ? [...shell.jobs.list] : operands.map((each) => theJob(shell, each));
  for (const job of shown) {
    shell.write(letters.has('p') ? `${job.pids[0]}\n` : `${jobLine(shell, job, letters.has('l'))}\n`);
    if (shell.jobs.isDone(job)) shell.jobs.remove(job);
  }
  return 0;
}

function theJob(shell: Shell, spec: string | undefined): Job {
  const job = shell.jobs.find(spec ?? '%+');
  if (job === undefined) shell.fail(spec === undefined ? 'No current job' : `No such job: ${spec}`);
  return job;
}

export async function fg(shell: Shell, argv: readonly string[]): Promise<number> {
  const job = theJob(shell, argv[1]);
  shell.write(`${job.text}\n`);
  await shell.flush();
  if (job.group !== 0 && shell.terminal !== undefined)
    setForeground(shell.process, shell.terminal, job.group);
  const status = await shell.jobs.waitForeground(job);
  shell.jobs.remove(job);
  return status;
}

/** Nothing is ever stopped here, so what is in the background runs there already. */
export function bg(shell: Shell, argv: readonly string[]): number {
  for (const spec of argv.length > 1 ? argv.slice(1) : [undefined]) {
    const job = theJob(shell, spec);
    shell.write(`[${job.id}] ${job.text}\n`);
  }
  return 0;
}

export function kill(shell: Shell, argv: readonly string[]): number {
  let signal: number = SIGTERM;
  let at = 1;
  const first = argv[1];
  if (first === '-l' || first === '-L') return listSignals(shell, argv.slice(2));
  if (first === '-s') {
    signal = theSignal(shell, argv[2] ?? '');
    at = 3;
  } else if (first !== undefined && /^-./.test(first) && first !== '--') {
    signal = theSignal(shell, first.slice(1));
    at = 2;
  }
  if (argv[at] === '--') at++;
  const targets = argv.slice(at);
  if (targets.length === 0) {
    shell.fail('Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]');
  }
  let status = 0;
  for (const target of targets) status = send(shell, target, signal) ? status : 1;
  shell.traps.collect();
  return status;
}

function theSignal(shell: Shell, text: string): number {
  const signal = signalNumber(text);
  if (signal === undefined) shell.fail(`invalid signal number or name: ${text}`);
  return signal;
}

function send(shell: Shell, target: string, signal: number): boolean {
  const { process } = shell;
  try {
    if (target.startsWith('%')) {
      const job = theJob(shell, target);
      if (job.group !== 0) process.kill(-job.group, signal);
      else for (const pid of job.pids) if (!job.ended.has(pid)) process.kill(pid, signal);
      return true;
    }
    if (!/^-?\d+$/.test(target)) shell.fail(`Illegal number: ${target}`);
    process.kill(Number(target), signal);
    return true;
  } catch (error) {
    if (!isSyscallError(error) || isEnded(error)) throw error;
    shell.warn(error.code === 'EPERM' ? 'Operation not permitted' : describe(error));
    return false;
  }
}

function listSignals(shell: Shell, numbers: readonly string[]): number {
  if (numbers.length === 0) {
    for (const [, name] of signalList()) shell.write(`${name}\n`);
    return 0;
  }
  for (const text of numbers) {
    const number = signalNumber(String(Number(text) > SIGNAL_BASE ? Number(text) - SIGNAL_BASE : text));
    if (number === undefined) shell.fail(`invalid signal number or exit status: ${text}`);
    shell.write(`${/^\d/.test(text) ? signalName(number) : number}\n`);
  }
  return 0;
}

export function trap(shell: Shell, argv: readonly string[]): number {
  const { operands } = parseOptions(shell, argv, '');
  if (operands.length === 0) {
    for (const [signal, action] of [...shell.state.traps].sort(([a], [b]) => a - b)) {
      shell.write(`trap -- ${quote(action)} ${signalName(signal)}\n`);
    }
    return 0;
  }
  const [first] = operands;
  // A number first, or one operand, resets.
  const resets = operands.length === 1 || /^\d+$/.test(first);
  const action = resets || first === '-' ? undefined : first;
  for (const text of resets ? operands : operands.slice(1)) {
    const signal = signalNumber(text);
    if (signal === undefined) {
      shell.complain(`trap: ${text}: bad trap`);
      return 1;
    }
    shell.traps.set(signal, action);
  }
  return 0;
}
