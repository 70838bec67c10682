/** A machine's shell between this command's own standard input, output and error. */
import { SIGINT, SIGTERM } from '../../assembly/abi/signals.ts';
import type { Running, StartOptions, Userland } from '../programs/userland.ts';
import { loginEnvironment } from './login.ts';
import { EXIT_SIGPIPE, outputError } from './stdout.ts';

/**
 * Run `argv` with what this process reads, and write what it writes. ^C and SIGTERM are handed on to it,
 * or, with `until`, are somebody else's, and its input ends when that is aborted.
 * @returns its exit code; that of a program that SIGPIPE ended when nobody reads what it writes any more
 */
export async function runBetween(
  userland: Userland,
  argv: readonly string[],
  home: string,
  until?: AbortSignal,
): Promise<number> {
  return between(
    (streams) => userland.start(argv, { ...streams, cwd: home, env: loginEnvironment() }),
    until,
  );
}

/** The same for what `start` starts with these streams. */
export async function between(
  start: (streams: Pick<StartOptions, 'stdin' | 'stdout' | 'stderr'>) => Running,
  until?: AbortSignal,
): Promise<number> {
  const out = new Sink(process.stdout);
  const err = new Sink(process.stderr);
  const running = start({
    stdin: until === undefined ? process.stdin : untilAborted(process.stdin, until),
    stdout: (bytes) => out.put(bytes),
    stderr: (bytes) => err.put(bytes),
  });
  const interrupt = () => running.kill(SIGINT);
  const terminate = () => running.kill(SIGTERM);
  if (until === undefined) {
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
  }
  try {
    const { code } = await running.done;
    // The last of it may have failed only now.
    const broken = out.broken ?? err.broken;
    if (broken !== undefined) throw broken;
    return code;
  } catch (error) {
    if (error !== out.broken && error !== err.broken) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return EXIT_SIGPIPE;
    throw outputError(error as Error);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', terminate);
    // Nobody reads it any more; it must not keep this process.
    process.stdin.destroy();
  }
}

/** What a stream gives, up to where a signal is aborted: it may be waited for in vain then. */
async function* untilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const source = stream[Symbol.asyncIterator]();
  const end = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  while (!signal.aborted) {
    const next = await Promise.race([source.next(), end]);
    if (next === undefined || next.done) return;
    yield next.value;
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
