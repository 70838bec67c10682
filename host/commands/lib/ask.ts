/** Questions that a command asks before it does something. */
import type { Tool } from './command.ts';

/** One line of standard input, without more being taken than that line. */
async function answer(tool: Tool): Promise<string> {
  const byte = new Uint8Array(1);
  const bytes: number[] = [];
  while ((await tool.context.stdin.readInto(byte)) > 0 && byte[0] !== 10) bytes.push(byte[0]);
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Ask "NAME: QUESTION" on standard error; was the answer yes? */
export async function confirm(tool: Tool, question: string): Promise<boolean> {
  return ask(tool, `${tool.name}: ${question}`);
}

/** The same, asked in just these words. */
export async function ask(tool: Tool, question: string): Promise<boolean> {
  await tool.context.stdout.flush();
  await tool.context.stderr.write(question);
  return /^[yY]/.test(await answer(tool));
}
