/** The table of builtins. */
import { cd, pwd, times, ulimit, umask } from './directory.ts';
import {
  breakLoop,
  continueLoop,
  evaluate,
  exec,
  exit,
  failQuietly,
  returnFrom,
  source,
  succeed,
} from './flow.ts';
import { echo, read } from './io.ts';
import { bg, fg, jobs, kill, trap, wait } from './jobs.ts';
import { alias, describers, hash, unalias } from './names.ts';
import { printf } from './printf.ts';
import { test } from './test.ts';
import type { Builtin, BuiltinFunction } from './types.ts';
import { exportVariables, getopts, local, makeReadonly, set, shift, unset } from './variables.ts';

export type { Builtin } from './types.ts';

const { type, command } = describers(() => builtins);

const SPECIAL: Readonly<Record<string, BuiltinFunction>> = {
  '.': source,
  ':': succeed,
  break: breakLoop,
  continue: continueLoop,
  eval: evaluate,
  exec,
  exit,
  export: exportVariables,
  readonly: makeReadonly,
  return: returnFrom,
  set,
  shift,
  times,
  trap,
  unset,
};

const REGULAR: Readonly<Record<string, BuiltinFunction>> = {
  '[': test,
  alias,
  bg,
  cd,
  command,
  echo,
  false: failQuietly,
  fg,
  getopts,
  hash,
  jobs,
  kill,
  local,
  printf,
  pwd,
  read,
  test,
  true: succeed,
  type,
  ulimit,
  umask,
  unalias,
  wait,
};

export const builtins: ReadonlyMap<string, Builtin> = new Map([
  ...Object.entries(SPECIAL).map(([name, run]): [string, Builtin] => [name, { run, special: true }]),
  ...Object.entries(REGULAR).map(([name, run]): [string, Builtin] => [name, { run, special: false }]),
]);
