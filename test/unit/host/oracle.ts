/**
 * The same script on the machine's fs and on node:fs in a temp directory of the host; what each
 * returns or throws is reduced to plain data and compared.
 */
import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { NodeFs } from '../../../host/syscalls/fs/types.ts';
import { testMachine } from './machine.ts';

export type Fs = NodeFs;
/** `root`: an empty directory with the same path on both. */
export type Script = (fs: Fs, root: string) => unknown;

const host = nodeFs as unknown as Fs;
const machine = testMachine();
const base = nodeFs.mkdtempSync(join(tmpdir(), 'damselfly-'));
let cases = 0;

afterAll(() => {
  nodeFs.rmSync(base, { recursive: true, force: true });
});

/** A test that runs `script` on both and expects the same outcome. */
export function same(name: string, script: Script): void {
  // The host's disk may be slow.
  test(name, { timeout: 60_000 }, async () => {
    const root = join(base, `${++cases}`);
    host.mkdirSync(root);
    machine.fs.mkdirSync(root, { recursive: true });
    const expected = await outcome(host, root, script);
    const actual = await outcome(machine.fs, root, script);
    expect(actual).toEqual(expected);
  });
}

/** Many scripts that each may fail: `attempt` notes what came of each. */
export type Attempt = (what: string, work: () => unknown) => Promise<void>;

export function sameEach(
  name: string,
  script: (fs: Fs, root: string, attempt: Attempt) => Promise<void>,
): void {
  same(name, async (fs, root) => {
    const notes: unknown[] = [];
    await script(fs, root, async (what, work) => {
      notes.push([what, await outcome(fs, root, work)]);
    });
    return notes;
  });
}

async function outcome(fs: Fs, root: string, script: Script): Promise<unknown> {
  try {
    return { value: plain(await script(fs, root)) };
  } catch (error) {
    return { error: plainError(error) };
  }
}

export function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  return { name: error.name, message: error.message, code, errno, syscall, path, dest };
}

const TYPES = [
  'File',
  'Directory',
  'SymbolicLink',
  'FIFO',
  'CharacterDevice',
  'BlockDevice',
  'Socket',
] as const;

function typeOf(value: object): string {
  const tests = value as Record<string, () => boolean>;
  return TYPES.filter((type) => tests[`is${type}`]()).join();
}

/** Plain data: what two file systems can agree on. */
export function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('latin1')}`;
  if (value instanceof Error) return plainError(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if ('isSymbolicLink' in value && 'nlink' in value) {
    const { mode, uid, gid, nlink, size } = value as nodeFs.Stats;
    const type = typeOf(value);
    // A directory's size and link count are its file system's affair.
    return { type, mode, uid, gid, ...(type !== 'Directory' && { nlink, size }) };
  }
  if ('isSymbolicLink' in value && 'parentPath' in value) {
    const { name, parentPath } = value as nodeFs.Dirent;
    return { name: plain(name), parentPath, type: typeOf(value) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** A callback function's answer as a promise of its arguments. */
export function called(start: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => start((...args) => resolve(args)));
}

/** All that is in a tree: type, mode, size or target of each path, sorted. */
export function tree(fs: Fs, root: string): unknown[] {
  const found: unknown[] = [];
  const walk = (path: string) => {
    for (const name of fs.readdirSync(path).sort()) {
      const at = `${path}/${name}`;
      const stats = fs.lstatSync(at);
      const content = stats.isFile()
        ? fs.readFileSync(at, 'latin1')
        : stats.isSymbolicLink()
          ? fs.readlinkSync(at)
          : '';
      found.push([at, plain(stats), content]);
      if (stats.isDirectory()) walk(at);
    }
  };
  walk(root);
  return found;
}
