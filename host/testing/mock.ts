/**
 * Modules that stand in for node:fs and node:fs/promises while programs are tested: what they
 * export leads, call by call, to the machine of the test that runs.
 */
import type { NodeFs, NodeFsPromises } from '../syscalls/fs/types.ts';
import { testMachine } from './machine.ts';
import { current, currentOr } from './offered.ts';

type Callable = (this: unknown, ...args: unknown[]) => unknown;
type Members = Record<string | symbol, unknown>;

/**
 * A function like `sample`, save that calling it calls what `find` finds in the current machine's fs,
 * and that it has the members of that one.
 */
function forward(sample: Callable, find: (fs: NodeFs) => Callable): Callable {
  // Not `sample` itself: a proxy must show its target's fixed members as they are.
  const target = function (this: unknown) {} as Callable;
  const own = new Set<string | symbol>();
  for (const key of ['name', 'length']) {
    const { value } = Object.getOwnPropertyDescriptor(sample, key) as PropertyDescriptor;
    Object.defineProperty(target, key, { value, configurable: true });
    own.add(key);
  }
  for (const key of Reflect.ownKeys(sample)) {
    // realpath.native, and the functions that promisify finds
    const member = (sample as unknown as Members)[key];
    if (typeof member !== 'function') continue;
    const value = forward(member as Callable, (fs) => (find(fs) as unknown as Members)[key] as Callable);
    Object.defineProperty(target, key, { value, writable: true, configurable: true });
    own.add(key);
  }
  return new Proxy(target, {
    apply: (_, self, args) => Reflect.apply(find(current()), self, args),
    construct: (_, args) => Reflect.construct(find(current()), args) as object,
    get: (_, key) => Reflect.get(own.has(key) ? target : currentOr(find, sample), key),
  });
}

/** An object with the members of `one`, where what differs in `other`, another process's, is forwarded. */
function forwardAll(one: object, other: object, find: (fs: NodeFs) => object): Members {
  const mock: Members = {};
  for (const [name, sample] of Object.entries(one)) {
    const fixed = sample === (other as Members)[name] || typeof sample !== 'function';
    mock[name] = fixed
      ? sample
      : forward(sample as Callable, (fs) => (find(fs) as Members)[name] as Callable);
  }
  return mock;
}

let mocks: { fs: NodeFs; promises: NodeFsPromises } | undefined;

function makeMocks(): { fs: NodeFs; promises: NodeFsPromises } {
  const machine = testMachine();
  try {
    const one = machine.init.fs;
    const other = machine.process().fs;
    const promises = forwardAll(one.promises, other.promises, (fs) => fs.promises);
    const fs = forwardAll(one, other, (fs) => fs);
    fs.promises = promises;
    return { fs: fs as unknown as NodeFs, promises: promises as unknown as NodeFsPromises };
  } finally {
    machine.shutdown();
  }
}

/**
 * A module to replace node:fs with. Its functions act on the machine that has offered its `fs`
 * (`TestMachine.offerFs`; the vitest fixture does it), and throw an Error when there is none, or
 * several.
 * @example
 * vi.mock('node:fs', async () => (await import('damselfly/vitest')).mockFs());
 */
export function mockFs(): NodeFs & { default: NodeFs } {
  mocks ??= makeMocks();
  return { ...mocks.fs, default: mocks.fs };
}

/** The same for node:fs/promises. */
export function mockFsPromises(): NodeFsPromises & { default: NodeFsPromises } {
  mocks ??= makeMocks();
  return { ...mocks.promises, default: mocks.promises };
}
