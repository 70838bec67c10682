/** What is printed may find no reader, or no room: neither is a reason for a stack trace. */
import { writeSync } from 'node:fs';
import { CommandError, EXIT_FAILED } from './errors.ts';
import { SIGPIPE } from '../../assembly/abi/signals.ts';

export const EXIT_SIGPIPE = 128 + SIGPIPE;

let broken: NodeJS.ErrnoException | undefined;
let told = false;

/** From now on a stream that breaks is told of at the end, at the latest. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    broken ??= error;
  });
  // There is nowhere left to say so.
  process.stderr.on('error', () => {});
  process.on('exit', () => {
    if (broken === undefined) return;
    // A code that says what else failed stays.
    process.exitCode ||= broken.code === 'EPIPE' ? EXIT_SIGPIPE : EXIT_FAILED;
    if (!told && broken.code !== 'EPIPE') writeSync(2, `damselfly: ${outputError(broken).message}\n`);
  });
}

/** What to say of a stream that broke, by whoever ends with it. */
export function outputError(error: Error): CommandError {
  told = true;
  return new CommandError(`cannot write the output: ${error.message}`, EXIT_FAILED);
}
