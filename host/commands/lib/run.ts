/** Becoming another program, and running others as children. */
import { ENOENT } from '../../../assembly/abi/errno.ts';
import type { ChildSetup, Environment, ExitStatus } from '../../programs/program.ts';
import type { Tool } from './command.ts';
import { errnoOf, strerror } from './errors.ts';
import { quoted } from './quote.ts';

/** Exit statuses of who runs others: it could not be run, it was not found. */
export const CANNOT_RUN = 126;
export const NOT_FOUND = 127;

async function said(tool: Tool, file: string, error: unknown, what: string): Promise<number> {
  await tool.say(`${what}${quoted(file)}: ${strerror(error)}`);
  return errnoOf(error) === ENOENT ? NOT_FOUND : CANNOT_RUN;
}

/** Become a program. @returns its exit code; 126 or 127, and a message, if it cannot be run */
export async function become(
  tool: Tool,
  argv: readonly string[],
  { env = tool.env, what = 'failed to run command ' }: { env?: Environment; what?: string } = {},
): Promise<number> {
  try {
    return await tool.context.exec(argv[0], argv, env);
  } catch (error) {
    return said(tool, argv[0], error, what);
  }
}

/** Run a program and wait for it. @returns how it ended; 126 or 127 if it cannot be run */
export async function runChild(
  tool: Tool,
  argv: readonly string[],
  { env, setup, what = '' }: { env?: Environment; setup?: ChildSetup; what?: string } = {},
): Promise<ExitStatus> {
  let pid: number;
  try {
    pid = await tool.context.spawn(argv[0], argv, { env, setup });
  } catch (error) {
    return { pid: 0, code: await said(tool, argv[0], error, what), signal: 0 };
  }
  return tool.context.wait(pid);
}
