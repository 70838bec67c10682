/** What a shell knows, and what a process forked from it starts with. */
import type { Node } from './syntax/ast.ts';
import { Options } from './options.ts';
import type { Variables } from './variables.ts';

/** What `getopts` is at: which argument, and which character of it. */
export interface GetoptsPosition {
  index: number;
  offset: number;
}

export class ShellState {
  /** `$0` */
  name: string;
  positional: readonly string[] = [];
  readonly variables: Variables;
  readonly functions: Map<string, Node>;
  readonly aliases: Map<string, string>;
  options: Options;
  /** `$?` */
  status = 0;
  /** `$!` */
  lastBackground: number | undefined;
  /** `$$`: the pid of the shell that was started, in its subshells too. */
  readonly shellPid: number;
  /** Commands by signal number, 0 for EXIT. '' ignores the signal. */
  readonly traps: Map<number, string>;
  /** Where commands were found, by name. */
  readonly hash: Map<string, string>;
  getopts: GetoptsPosition = { index: 1, offset: 0 };
  /** The working directory as it was gone to, symbolic links kept. */
  cwd = '';

  constructor(
    name: string,
    variables: Variables,
    shellPid: number,
    from?: Pick<ShellState, 'functions' | 'aliases' | 'options' | 'traps' | 'hash'>,
  ) {
    this.name = name;
    this.variables = variables;
    this.shellPid = shellPid;
    this.functions = new Map(from?.functions);
    this.aliases = new Map(from?.aliases);
    this.options = from?.options.clone() ?? new Options();
    this.hash = new Map(from?.hash);
    // A subshell keeps what is ignored; what was caught is as it was before.
    this.traps = new Map([...(from?.traps ?? [])].filter(([, action]) => action === ''));
  }

  /** The state of a process forked from this one. */
  fork(): ShellState {
    const copy = new ShellState(this.name, this.variables.clone(), this.shellPid, this);
    copy.positional = this.positional;
    copy.status = this.status;
    copy.lastBackground = this.lastBackground;
    copy.getopts = { ...this.getopts };
    copy.cwd = this.cwd;
    return copy;
  }
}
