/** Builtins about commands by name: alias, type, command -v, hash. */
import { findCommand } from '../lookup.ts';
import type { Shell } from '../shell.ts';
import { parseOptions, quote } from './options.ts';
import type { Builtin } from './types.ts';

export const KEYWORDS: ReadonlySet<string> = new Set(
  '! { } case do done elif else esac fi for if in then until while'.split(' '),
);

export function alias(shell: Shell, argv: readonly string[]): number {
  const { aliases } = shell.state;
  const show = (name: string, value: string) => shell.write(`${name}=${quote(value)}\n`);
  if (argv.length === 1) {
    for (const name of [...aliases.keys()].sort()) show(name, aliases.get(name) as string);
    return 0;
  }
  let status = 0;
  for (const operand of argv.slice(1)) {
    const at = operand.indexOf('=');
    if (at > 0) aliases.set(operand.slice(0, at), operand.slice(at + 1));
    else {
      const value = aliases.get(operand);
      if (value !== undefined) show(operand, value);
      else {
        shell.complain(`alias: ${operand} not found`);
        status = 1;
      }
    }
  }
  return status;
}

export function unalias(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'a');
  const { aliases } = shell.state;
  if (letters.has('a')) aliases.clear();
  let status = 0;
  for (const name of operands) {
    if (aliases.delete(name)) continue;
    shell.complain(`unalias: ${name} not found`);
    status = 1;
  }
  return status;
}

/** Makes `type`, and `command -v` and `-V`, which need the table that they are in. */
export function describers(table: () => ReadonlyMap<string, Builtin>) {
  /** What a name stands for: [for -v, for -V], or undefined. */
  const describe = (shell: Shell, name: string): [string, string] | undefined => {
    const alias = shell.state.aliases.get(name);
    if (KEYWORDS.has(name)) return [name, `${name} is a shell keyword`];
    if (alias !== undefined) return [`alias ${name}=${quote(alias)}`, `${name} is an alias for ${alias}`];
    const builtin = table().get(name);
    if (builtin?.special) return [name, `${name} is a special shell builtin`];
    if (shell.state.functions.has(name)) return [name, `${name} is a shell function`];
    if (builtin !== undefined) return [name, `${name} is a shell builtin`];
    const known = shell.state.hash.has(name);
    const file = findCommand(shell, name);
    if (file === undefined || file === 'denied') return undefined;
    return [file, `${name} is ${known && !name.includes('/') ? 'a tracked alias for ' : ''}${file}`];
  };

  const type = (shell: Shell, argv: readonly string[]): number => {
    const { operands } = parseOptions(shell, argv, '');
    let status = 0;
    for (const name of operands) {
      const found = describe(shell, name);
      shell.write(`${found?.[1] ?? `${name}: not found`}\n`);
      if (found === undefined) status = 127;
    }
    return status;
  };

  const command = (shell: Shell, argv: readonly string[]): number => {
    const { letters, operands } = parseOptions(shell, argv, 'pvV');
    const [name] = operands;
    if (name === undefined) return 0;
    const found = describe(shell, name);
    if (found !== undefined) shell.write(`${letters.has('V') ? found[1] : found[0]}\n`);
    else if (letters.has('V')) shell.write(`${name}: not found\n`);
    return found === undefined ? 127 : 0;
  };
  return { type, command };
}

export function hash(shell: Shell, argv: readonly string[]): number {
  const { letters, operands } = parseOptions(shell, argv, 'r');
  const { hash: known } = shell.state;
  if (letters.has('r')) known.clear();
  if (argv.length === 1) {
    for (const path of known.values()) shell.write(`${path}\n`);
    return 0;
  }
  let status = 0;
  for (const name of operands) {
    known.delete(name);
    const found = findCommand(shell, name);
    if (found !== undefined && found !== 'denied') continue;
    shell.warn(`${name}: not found`);
    status = 1;
  }
  return status;
}
