/** Which machine the mocks of node:fs lead to. */
import type { NodeFs } from '../syscalls/fs/types.ts';

const offered = new Set<NodeFs>();

/** Let the mocks lead here until the function that is returned is called. */
export function offer(fs: NodeFs): () => void {
  offered.add(fs);
  return () => void offered.delete(fs);
}

/** The one that is there. @throws Error when there is none, or several. */
export function current(): NodeFs {
  const [fs, another] = offered;
  if (fs === undefined) {
    throw new Error('node:fs is mocked, and no machine is there for it: no test runs that has one');
  }
  if (another !== undefined) {
    throw new Error(
      'node:fs is mocked, and several machines are there for it: such tests cannot run at once',
    );
  }
  return fs;
}

/** What `find` finds in the one that is there, else `otherwise`. */
export function currentOr<T>(find: (fs: NodeFs) => T, otherwise: T): T {
  const [fs] = offered;
  return offered.size === 1 ? find(fs) : otherwise;
}
