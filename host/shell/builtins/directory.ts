/** Builtins about the process: working directory, mask, limits, times. */
import { RLIMIT_FSIZE, RLIMIT_NOFILE } from '../../../assembly/abi/flags.ts';
import { isEnded, isSyscallError } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { parseOptions } from './options.ts';

const PERMISSIONS = 0o777;

/** A path without `.`, `..` and doubled slashes; `..` takes the name before it away. */
function normal(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

/** `-L` and `-P`: the last one counts. */
function physical(argv: readonly string[]): boolean {
  let last = '';
  for (const argument of argv.slice(1)) {
    if (!/^-[LP]+$/.test(argument)) break;
    last = argument.at(-1) ?? '';
  }
  return last === 'P';
}

function kernelCwd(shell: Shell): string {
  return shell.process.cwd();
}

export function cd(shell: Shell, argv: readonly string[]): number {
  const { operands } = parseOptions(shell, argv, 'LP');
  const { variables } = shell.state;
  let target: string = operands[0] ?? variables.get('HOME') ?? '';
  if (target === '' && operands.length === 0) return 0;
  let print = false;
  if (target === '-') {
    target = variables.get('OLDPWD') ?? shell.fail('OLDPWD not set');
    print = true;
  }
  const isPhysical = physical(argv);
  for (const { path, show } of places(shell, target)) {
    if (!change(shell, path, isPhysical)) continue;
    if (print || show) shell.write(`${shell.state.cwd}\n`);
    return 0;
  }
  return shell.fail(`can't cd to ${target}`);
}

/** Where a directory may be: by CDPATH, then here. */
function* places(shell: Shell, target: string): Generator<{ path: string; show: boolean }> {
  if (!/^(\/|\.\.?(\/|$))/.test(target)) {
    for (const prefix of shell.state.variables.get('CDPATH')?.split(':') ?? []) {
      const here = prefix === '' || prefix === '.';
      yield { path: here ? target : `${prefix.replace(/\/$/, '')}/${target}`, show: !here };
    }
  }
  yield { path: target, show: false };
}

function change(shell: Shell, target: string, isPhysical: boolean): boolean {
  const { state } = shell;
  const logical = target.startsWith('/') ? target : `${state.cwd}/${target}`;
  const path = isPhysical || state.cwd === '' ? target : normal(logical);
  try {
    // `a/..` needs an `a`, though the path that is gone to has none.
    if (path !== target && /(^|\/)[^/.][^/]*\/(.*\/)?\.\.(\/|$)/.test(target)) {
      shell.context.fs.statSync(target);
    }
    shell.process.chdir(path);
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    return false;
  }
  shell.assign('OLDPWD', state.cwd);
  state.cwd = isPhysical || state.cwd === '' ? kernelCwd(shell) : path;
  shell.assign('PWD', state.cwd);
  return true;
}

export function pwd(shell: Shell, argv: readonly string[]): number {
  parseOptions(shell, argv, 'LP');
  shell.write(`${physical(argv) || shell.state.cwd === '' ? kernelCwd(shell) : shell.state.cwd}\n`);
  return 0;
}

/** The working directory when the shell starts: PWD if that is it. */
export function initialDirectory(shell: Shell): void {
  const { variables } = shell.state;
  const given = variables.get('PWD');
  let cwd = '';
  try {
    cwd = kernelCwd(shell);
    if (given?.startsWith('/') && !/\/\.\.?(\/|$)/.test(given)) {
      const there = shell.context.fs.statSync(given);
      const here = shell.context.fs.statSync('.');
      if (there.dev === here.dev && there.ino === here.ino) cwd = given;
    }
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
  }
  shell.state.cwd = cwd;
  variables.set('PWD', cwd);
}

// ── umask ────────────────────────────────────────────────────────────────────────────────────

export function umask(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'S');
  const before = shell.process.umask(0);
  shell.process.umask(before);
  const [mode] = operands;
  if (mode === undefined) {
    shell.write(`${letters.has('S') ? symbolic(before) : before.toString(8).padStart(4, '0')}\n`);
    return 0;
  }
  if (/^\d/.test(mode)) {
    if (!/^[0-7]+$/.test(mode)) shell.fail(`Illegal number: ${mode}`);
    shell.process.umask(Number.parseInt(mode, 8) & PERMISSIONS);
    return 0;
  }
  const allowed = applyMode(~before & PERMISSIONS, mode);
  if (allowed === undefined) shell.fail(`Illegal mode: ${mode}`);
  shell.process.umask(~allowed & PERMISSIONS);
  return 0;
}

const WHO: readonly [string, number][] = [
  ['u', 6],
  ['g', 3],
  ['o', 0],
];

function symbolic(mask: number): string {
  return WHO.map(([who, shift]) => {
    const bits = (~mask >> shift) & 7;
    return `${who}=${bits & 4 ? 'r' : ''}${bits & 2 ? 'w' : ''}${bits & 1 ? 'x' : ''}`;
  }).join(',');
}

/** chmod's symbolic modes, on what is allowed. */
function applyMode(allowed: number, mode: string): number | undefined {
  let result = allowed;
  for (const clause of mode.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
    if (match === null) return undefined;
    const who = match[1] === '' || match[1].includes('a') ? 'ugo' : match[1];
    for (const [, operator, permissions] of match[2].matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
      result = applyClause(result, who, operator, permissions);
    }
  }
  return result;
}

function applyClause(before: number, who: string, operator: string, permissions: string): number {
  let result = before;
  const copied = WHO.find(([name]) => name === permissions);
  let bits = copied === undefined ? 0 : (before >> copied[1]) & 7;
  if (permissions.includes('r')) bits |= 4;
  if (permissions.includes('w')) bits |= 2;
  if (/x/.test(permissions) || (permissions.includes('X') && (before & 0o111) !== 0)) bits |= 1;
  for (const [name, shift] of WHO) {
    if (!who.includes(name)) continue;
    if (operator === '=') result &= ~(7 << shift);
    if (operator === '-') result &= ~(bits << shift);
    else result |= bits << shift;
  }
  return result;
}

// ── limits and times ─────────────────────────────────────────────────────────────────────────

interface Limit {
  readonly letter: string;
  readonly resource: number;
  readonly name: string;
  /** Bytes, or things, of one unit. */
  readonly unit: number;
}

const LIMITS: readonly Limit[] = [
  { letter: 'f', resource: RLIMIT_FSIZE, name: 'file(blocks)', unit: 512 },
  { letter: 'n', resource: RLIMIT_NOFILE, name: 'nofiles', unit: 1 },
];
const NAME_WIDTH = 21;

export function ulimit(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'HSafn');
  const which = letters.has('H') ? 'hard' : letters.has('S') ? 'soft' : undefined;
  const shown = (limit: Limit) => {
    const [soft, hard] = shell.process.getrlimit(limit.resource);
    const value = which === 'hard' ? hard : soft;
    return value === Number.POSITIVE_INFINITY ? 'unlimited' : String(Math.floor(value / limit.unit));
  };
  if (letters.has('a')) {
    for (const limit of LIMITS) shell.write(`${limit.name.padEnd(NAME_WIDTH)}${shown(limit)}\n`);
    return 0;
  }
  const limit = LIMITS.find(({ letter }) => letters.has(letter)) ?? LIMITS[0];
  const [value] = operands;
  if (value === undefined) {
    shell.write(`${shown(limit)}\n`);
    return 0;
  }
  if (value !== 'unlimited' && !/^\d+$/.test(value)) shell.fail('bad number');
  const bytes = value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value) * limit.unit;
  const [soft, hard] = shell.process.getrlimit(limit.resource);
  try {
    shell.process.setrlimit(limit.resource, which === 'hard' ? soft : bytes, which === 'soft' ? hard : bytes);
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    shell.fail('error setting limit (Operation not permitted)');
  }
  return 0;
}

/** Nothing here counts the processor's time of a process. */
export function times(shell: Shell): number {
  shell.write('0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n');
  return 0;
}
