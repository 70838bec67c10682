/** A machine's shell between this command's own standard input, output and error. */
import { SIGINT, SIGTERM } from '../../assembly/abi/signals.ts';
import type { Userland } from '../programs/userland.ts';
import { loginEnvironment } from './login.ts';

/** Run `argv` with what this process reads, and write what it writes. @returns its exit code */
export async function runBetween(userland: Userland, argv: readonly string[], home: string): Promise<number> {
  const running = userland.start(argv, {
    cwd: home,
    env: loginEnvironment(),
    stdin: process.stdin as AsyncIterable<Uint8Array>,
    stdout: (bytes) => put(process.stdout, bytes),
    stderr: (bytes) => put(process.stderr, bytes),
  });
  const interrupt = () => running.kill(SIGINT);
  const terminate = () => running.kill(SIGTERM);
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', terminate);
  try {
    return (await running.done).code;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', terminate);
    // Nobody reads it any more; it must not keep this process.
    process.stdin.destroy();
  }
}

function put(stream: NodeJS.WriteStream, bytes: Uint8Array): void | Promise<void> {
  if (stream.write(bytes)) return undefined;
  return new Promise((resolve) => stream.once('drain', () => resolve()));
}
