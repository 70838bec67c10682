/** Builtins for variables, options and positional parameters. */
import { OPTIONS } from '../options.ts';
import type { Shell } from '../shell.ts';
import { isName, ReadonlyError } from '../variables.ts';
import { parseCount, parseOptions, quote } from './options.ts';

/** `name` or `name=value`. */
function split(shell: Shell, text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (!isName(name)) shell.fail(`${name}: bad variable name`);
  return [name, at < 0 ? undefined : text.slice(at + 1)];
}

function declare(attribute: 'exported' | 'readonly') {
  const command = attribute === 'exported' ? 'export' : 'readonly';
  return (shell: Shell, argv: readonly string[]): number => {
    const { letters, operands } = parseOptions(shell, argv, 'p');
    const { variables } = shell.state;
    if (letters.has('p') || operands.length === 0) {
      for (const [name, value] of variables.list(attribute)) {
        shell.write(`${command} ${name}${value === undefined ? '' : `=${quote(value)}`}\n`);
      }
      return 0;
    }
    for (const operand of operands) {
      const [name, value] = split(shell, operand);
      if (value !== undefined) shell.assign(name, value);
      if (attribute === 'exported') variables.export(name);
      else variables.makeReadonly(name);
    }
    return 0;
  };
}

export const exportVariables = declare('exported');
export const makeReadonly = declare('readonly');

export function local(shell: Shell, argv: readonly string[]): number {
  const { variables } = shell.state;
  if (!variables.inFunction) shell.fail('not in a function');
  for (const operand of argv.slice(1)) {
    if (operand === '-') continue;
    const [name, value] = split(shell, operand);
    variables.local(name);
    if (value !== undefined) shell.assign(name, value);
  }
  return 0;
}

export function unset(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'vf');
  const { functions, variables } = shell.state;
  for (const name of operands) {
    if (letters.has('f')) {
      functions.delete(name);
      continue;
    }
    if (!isName(name)) shell.fail(`${name}: bad variable name`);
    try {
      variables.unset(name);
    } catch (error) {
      if (error instanceof ReadonlyError) shell.fail(error.message);
      throw error;
    }
  }
  return 0;
}

export function set(shell: Shell, argv: readonly string[]): number {
  const { state } = shell;
  if (argv.length === 1) {
    for (const [name, value] of state.variables.list()) shell.write(`${name}=${quote(value ?? '')}\n`);
    return 0;
  }
  const rest = setOptions(shell, argv.slice(1));
  if (rest !== undefined) {
    state.positional = rest;
    state.getopts = { index: 1, offset: 0 };
  }
  return 0;
}

/**
 * Options as `set` and the shell's own command line have them.
 * @returns what follows them, or undefined if nothing does and no `--` said that this is meant
 */
export function setOptions(shell: Shell, args: readonly string[]): string[] | undefined {
  let at = 0;
  for (; at < args.length; at++) {
    const argument = args[at];
    if (argument === '--') return args.slice(at + 1);
    if (argument === '-') {
      shell.state.options.set('xtrace', false);
      shell.state.options.set('verbose', false);
      at++;
      break;
    }
    if (!/^[-+]./s.test(argument)) break;
    const on = argument[0] === '-';
    for (const letter of argument.slice(1)) {
      if (letter !== 'o') {
        if (!shell.state.options.setLetter(letter, on)) shell.fail(`Illegal option ${argument[0]}${letter}`);
        continue;
      }
      const name = args[at + 1];
      if (name === undefined) {
        showOptions(shell, on);
        continue;
      }
      at++;
      if (!shell.state.options.setName(name, on)) shell.fail(`Illegal option ${argument[0]}o ${name}`);
    }
  }
  return at < args.length ? args.slice(at) : undefined;
}

function showOptions(shell: Shell, plainly: boolean): void {
  if (plainly) shell.write('Current option settings\n');
  for (const [, name] of OPTIONS) {
    const on = shell.state.options.has(name);
    if (plainly) shell.write(`${name.padEnd(16)}${on ? 'on' : 'off'}\n`);
    else shell.write(`set ${on ? '-' : '+'}o ${name}\n`);
  }
}

export function shift(shell: Shell, argv: readonly string[]): number {
  const count = argv.length > 1 ? parseCount(shell, argv[1]) : 1;
  const { positional } = shell.state;
  if (count > positional.length) shell.fail("can't shift that many");
  shell.state.positional = positional.slice(count);
  return 0;
}

/** `getopts optstring name [argument …]` */
export function getopts(shell: Shell, argv: readonly string[]): number {
  if (argv.length < 3) shell.fail('Usage: getopts optstring var [arg...]');
  const [, accepted, name] = argv;
  if (!isName(name)) shell.fail(`${name}: bad variable name`);
  const args = argv.length > 3 ? argv.slice(3) : shell.state.positional;
  const found = nextOption(shell, accepted, args);
  const { index, offset } = shell.state.getopts;
  shell.assign('OPTIND', String(index));
  shell.state.getopts = { index, offset };
  if (found.argument !== undefined) shell.assign('OPTARG', found.argument);
  else if (found.letter === '?') shell.state.variables.unset('OPTARG');
  else shell.assign('OPTARG', '');
  shell.assign(name, found.letter);
  return found.ended ? 1 : 0;
}

interface FoundOption {
  letter: string;
  argument?: string;
  ended?: boolean;
}

function nextOption(shell: Shell, accepted: string, args: readonly string[]): FoundOption {
  const at = shell.state.getopts;
  const silent = accepted.startsWith(':');
  if (at.offset === 0) {
    const argument = args[at.index - 1];
    if (argument === undefined || !/^-./s.test(argument)) return { letter: '?', ended: true };
    if (argument === '--') {
      at.index++;
      return { letter: '?', ended: true };
    }
    at.offset = 1;
  }
  const argument = args[at.index - 1] ?? '';
  const letter = argument[at.offset++] ?? '';
  const rest = argument.slice(at.offset);
  const known = letter === ':' ? -1 : accepted.indexOf(letter, silent ? 1 : 0);
  const takes = known >= 0 && accepted[known + 1] === ':';
  if (rest === '' || takes) {
    at.index++;
    at.offset = 0;
  }
  if (known < 0) {
    if (silent) return { letter: '?', argument: letter };
    complain(shell, `Illegal option -${letter}`);
    return { letter: '?' };
  }
  if (!takes) return { letter };
  if (rest !== '') return { letter, argument: rest };
  const value = args[at.index - 1];
  if (value !== undefined) {
    at.index++;
    return { letter, argument: value };
  }
  if (silent) return { letter: ':', argument: letter };
  complain(shell, `No arg for -${letter} option`);
  return { letter: '?' };
}

function complain(shell: Shell, message: string): void {
  if (shell.state.variables.get('OPTERR') !== '0') shell.complain(message);
}
