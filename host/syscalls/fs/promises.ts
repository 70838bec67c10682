/**
 * `fs.promises`, and the table of operations that it shares with the functions with callbacks.
 */
import { hostConstants } from '#platform';
import { SA_DATA } from '../../../assembly/abi/layout.ts';
import { after } from './data.ts';
import { FileHandle, type HandleCalls } from './handle.ts';
import { named, promised } from './later.ts';
import { resolve } from './paths.ts';
import type { Calls } from './index.ts';
import { toPath } from './validate.ts';

/** Operations on names: each throws bad arguments, and returns its result or a promise of it. */
export function operations(calls: Calls) {
  const { names, files, trees, directories, cp } = calls;
  return {
    access: names.accessSync,
    appendFile: files.appendFile,
    chmod: names.chmodSync,
    chown: names.chownSync,
    copyFile: files.copyFileSync,
    cp: cp.cp,
    lchmod: names.lchmodSync,
    lchown: names.lchownSync,
    link: names.linkSync,
    lstat: names.lstatSync,
    lutimes: names.lutimesSync,
    mkdir: trees.mkdirSync,
    mkdtemp: files.mkdtempSync,
    opendir: calls.opendirSync,
    readdir: directories.readdirSync,
    readFile: files.readFile,
    readlink: names.readlinkSync,
    rename: names.renameSync,
    rm: trees.rm,
    rmdir: trees.rmdir,
    stat: names.statSync,
    statfs: names.statfsSync,
    symlink: names.symlinkSync,
    truncate: files.truncateSync,
    unlink: names.unlinkSync,
    utimes: names.utimesSync,
    writeFile: files.writeFile,
  };
}

export function promisesApi(calls: Calls, handles: HandleCalls): Record<string, unknown> {
  const api: Record<string, unknown> = {};
  for (const [name, operation] of Object.entries(operations(calls))) api[name] = promised(name, operation);

  // Where the callback form takes a descriptor this one takes a FileHandle.
  const onFile = (name: 'readFile' | 'writeFile' | 'appendFile') =>
    promised(name, (file: unknown, ...args: unknown[]) => {
      if (file instanceof FileHandle) return (file[name] as (...args: unknown[]) => unknown)(...args);
      return (calls.files[name] as (...args: unknown[]) => unknown)(toPath(file), ...args);
    });
  api.readFile = onFile('readFile');
  api.writeFile = onFile('writeFile');
  api.appendFile = onFile('appendFile');
  api.open = promised('open', (path: unknown, flags?: unknown, mode?: unknown) =>
    after(calls.io.open(path, flags, mode), (fd) => new FileHandle(handles, fd)),
  );
  api.realpath = promised('realpath', calls.names.realpathSync.native);
  api.truncate = promised('truncate', (path: unknown, len?: number) =>
    calls.files.truncateSync(toPath(path), len),
  );
  api.mkdtempDisposable = promised('mkdtempDisposable', (prefix: string, options?: unknown) => {
    const path = calls.files.mkdtempSync(prefix, options) as string;
    const full = resolve(workingDirectory(calls), path);
    const remove = () => calls.trees.rm(full, { recursive: true, force: true });
    return { path, remove, [asyncDispose]: remove };
  });
  api.glob = named('glob', (pattern: unknown, options?: unknown) => {
    const steps = calls.glob.globSteps(pattern, options);
    return (async function* () {
      yield* steps;
    })();
  });
  api.watch = named('watch', (path: unknown, options?: unknown) => calls.watching.events(path, options));
  api.constants = hostConstants;
  return api;
}

/** The same, synchronously. */
export function mkdtempDisposableSync(calls: Calls) {
  return (prefix: string, options?: unknown) => {
    const path = calls.files.mkdtempSync(prefix, options) as string;
    const full = resolve(workingDirectory(calls), path);
    const remove = () => calls.trees.rmSync(full, { recursive: true, force: true });
    return { path, remove, [dispose]: remove };
  };
}

// TypeScript's names for the symbols may be newer than the engine's.
const asyncDispose: symbol = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const dispose: symbol = Symbol.dispose ?? Symbol.for('nodejs.dispose');

function workingDirectory({ trap }: Calls): string {
  trap.enter();
  const length = trap.exports.sys_getcwd();
  if (length < 0) throw trap.failure(length, 'getcwd');
  return trap.text(SA_DATA, SA_DATA + length);
}
