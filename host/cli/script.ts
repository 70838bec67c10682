/** A machine's shell between this command's own standard input, output and error. */
import { SIGINT, SIGPIPE, SIGTERM } from '../../assembly/abi/signals.ts';
import type { Userland } from '../programs/userland.ts';
import { CommandError, EXIT_FAILED } from './errors.ts';
import { loginEnvironment } from './login.ts';

const EXIT_SIGPIPE = 128 + SIGPIPE;

/** Run `argv` with what this process reads, and write what it writes. @returns its exit code; that of a
 *  program that SIGPIPE ended when nobody reads what it writes any more */
export async function runBetween(userland: Userland, argv: readonly string[], home: string): Promise<number> {
  const out = new Sink(process.stdout);
  const err = new Sink(process.stderr);
  const running = userland.start(argv, {
    cwd: home,
    env: loginEnvironment(),
    stdin: process.stdin as AsyncIterable<Uint8Array>,
    stdout: (bytes) => out.put(bytes),
    stderr: (bytes) => err.put(bytes),
  });
  const interrupt = () => running.kill(SIGINT);
  const terminate = () => running.kill(SIGTERM);
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  try {
    const { code } = await running.done;
    // The last of it may have failed only now.
    const broken = out.broken ?? err.broken;
    if (broken !== undefined) throw broken;
    return code;
  } catch (error) {
    if (error !== out.broken && error !== err.broken) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return EXIT_SIGPIPE;
    throw new CommandError(`cannot write the output: ${(error as Error).message}`, EXIT_FAILED);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', terminate);
    // Nobody reads it any more; it must not keep this process.
    process.stdin.destroy();
  }
}

/** A stream of this process's, which may break: its reader has gone. */
class Sink {
  readonly #stream: NodeJS.WriteStream;
  #fail: (error: Error) => void = () => {};
  broken: NodeJS.ErrnoException | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    // It stays: what is still on its way may fail after the last write.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.broken ??= error;
      this.#fail(error);
    });
  }

  put(bytes: Uint8Array): void | Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    if (this.#stream.write(bytes)) return undefined;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stream.once('drain', resolve);
    });
  }
}
