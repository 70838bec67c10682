import type { Shell, Status } from '../shell.ts';

/** A command of the shell's own. @throws ShellError */
export type BuiltinFunction = (shell: Shell, argv: readonly string[]) => Status;

export interface Builtin {
  readonly run: BuiltinFunction;
  /** One of POSIX's special ones: found before functions, its errors end the shell. */
  readonly special: boolean;
}
