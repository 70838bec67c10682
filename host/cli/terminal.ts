/** The terminal that this command runs on: raw while a session uses it, as it was afterwards. */
import type { WindowSize } from '../terminal/session.ts';

export interface Keyboard {
  size(): WindowSize;
  /** Give the terminal back. */
  release(): void;
}

const DEFAULT_SIZE: WindowSize = { rows: 24, columns: 80 };

/** Is there a person at both ends? */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Every key goes to `typed` as it is pressed, ^C included. Only where {@link isInteractive}. */
export function takeKeyboard(
  typed: (bytes: Uint8Array) => void | Promise<void>,
  resized: (size: WindowSize) => void,
): Keyboard {
  const { stdin, stdout } = process;
  const size = () => ({
    rows: stdout.rows ?? DEFAULT_SIZE.rows,
    columns: stdout.columns ?? DEFAULT_SIZE.columns,
  });
  const onData = (bytes: Uint8Array) => {
    const written = typed(bytes);
    if (written === undefined) return;
    stdin.pause();
    // Whoever cannot take it any more ends the session.
    written.then(
      () => stdin.resume(),
      () => {},
    );
  };
  const onResize = () => resized(size());
  const release = () => {
    stdin.off('data', onData);
    stdout.off('resize', onResize);
    process.off('exit', release);
    stdin.setRawMode(false);
    stdin.pause();
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.resume();
  stdout.on('resize', onResize);
  // A terminal left raw is a terminal lost.
  process.once('exit', release);
  return { size, release };
}

/** Write to standard output, as fast as that takes it. */
export function show(bytes: Uint8Array): void | Promise<void> {
  if (process.stdout.write(bytes)) return undefined;
  return new Promise((resolve) => process.stdout.once('drain', () => resolve()));
}
