/**
 * node:fs on one process of the machine.
 */
import { hostConstants } from '#platform';
import type { Trap } from '../trap.ts';
import { callbackApi } from './callbacks.ts';
import { cpCalls } from './cp.ts';
import { dataCalls } from './data.ts';
import { Dir, opendirCall } from './dir.ts';
import { Dirent } from './dirent.ts';
import { fileCalls } from './files.ts';
import { globCalls } from './glob.ts';
import type { HandleCalls } from './handle.ts';
import { ioCalls } from './io.ts';
import { named } from './later.ts';
import { nameCalls } from './names.ts';
import { mkdtempDisposableSync, promisesApi } from './promises.ts';
import { directoryCalls } from './readdir.ts';
import { BigIntStats, StatFs, Stats } from './stats.ts';
import { type StreamClasses, streamClasses } from './streams.ts';
import { treeCalls } from './tree.ts';
import type { NodeFs } from './types.ts';
import { checkObject, checkString } from './validate.ts';
import { watchCalls } from './watch.ts';
import { watchFileCalls } from './watchfile.ts';

/** All functions of one process, by topic. */
export type Calls = ReturnType<typeof makeCalls>;

function makeCalls(trap: Trap) {
  const names = nameCalls(trap);
  const data = dataCalls(trap);
  const io = ioCalls(data);
  const files = fileCalls(trap, data);
  const directories = directoryCalls(trap, names);
  const trees = treeCalls(trap, names, directories);
  return {
    trap,
    names,
    data,
    io,
    files,
    directories,
    trees,
    cp: cpCalls(trap, names, files, directories, trees),
    glob: globCalls(names, directories),
    opendirSync: opendirCall(trap, directories),
    watching: watchCalls({ trap, data, directories }),
    statWatching: watchFileCalls(trap, names),
  };
}

/**
 * `node:fs` for a process: its functions see what the process sees, with its credentials, working
 * directory and root. They may be taken out of the object and called alone.
 *
 * Errors are Node's: `Error`s with `code`, `errno`, `syscall`, `path` and `dest`, and `TypeError`s
 * and `RangeError`s for bad arguments. A synchronous call that would wait for ever throws EDEADLK.
 */
export function createFs(trap: Trap): NodeFs {
  const calls = makeCalls(trap);
  let classes: StreamClasses | undefined;
  const streams = () => (classes ??= streamClasses(handles));
  const { data, io, files, names } = calls;
  const handles: HandleCalls = { data, io, files, names, streams };
  const api = {
    ...callbackApi(calls),
    ...synchronous(calls),
    constants: hostConstants,
    Dir,
    Dirent,
    Stats,
    BigIntStats,
    StatFs,
    createReadStream: (path: unknown, options?: unknown) => new (streams().ReadStream)(path, options),
    createWriteStream: (path: unknown, options?: unknown) => new (streams().WriteStream)(path, options),
    openAsBlob: openAsBlob(calls),
    watch: calls.watching.watch,
    watchFile: calls.statWatching.watchFile,
    unwatchFile: calls.statWatching.unwatchFile,
    F_OK: hostConstants.F_OK,
    R_OK: hostConstants.R_OK,
    W_OK: hostConstants.W_OK,
    X_OK: hostConstants.X_OK,
  };
  for (const [name, value] of Object.entries(api)) {
    if (typeof value === 'function' && value.name === '') named(name, value as (...args: never[]) => unknown);
  }
  defineLate(api, { promises: () => promisesApi(calls, handles) });
  for (const name of ['ReadStream', 'WriteStream'] as const)
    defineLate(api, { [name]: () => streams()[name], [`File${name}`]: () => streams()[name] });
  // @types/node gives each function its list of overloads; ours take the same arguments in one
  // signature each. What the types promise is tested against node:fs itself.
  return api as unknown as NodeFs;
}

/**
 * Members that are made when they are first asked for, since most machines are never asked. They
 * are accessors in Node too.
 */
function defineLate(api: object, members: Record<string, () => unknown>): void {
  for (const [name, make] of Object.entries(members)) {
    let made: unknown;
    Object.defineProperty(api, name, {
      get: () => (made ??= make()),
      set: (value: unknown) => {
        made = value;
      },
      enumerable: true,
      configurable: true,
    });
  }
}

function synchronous({
  names,
  data,
  io,
  files,
  directories,
  trees,
  cp,
  glob,
  ...calls
}: Calls): Record<string, unknown> {
  const { modeOf: _, removeDir: __, lchmodSync: ___, ...nameFunctions } = names;
  return {
    ...nameFunctions,
    appendFileSync: files.appendFileSync,
    closeSync: data.closeSync,
    copyFileSync: files.copyFileSync,
    cpSync: cp.cpSync,
    fdatasyncSync: data.fdatasyncSync,
    fsyncSync: data.fsyncSync,
    ftruncateSync: data.ftruncateSync,
    globSync: glob.globSync,
    mkdirSync: trees.mkdirSync,
    mkdtempSync: files.mkdtempSync,
    mkdtempDisposableSync: mkdtempDisposableSync({
      names,
      data,
      io,
      files,
      directories,
      trees,
      cp,
      glob,
      ...calls,
    }),
    openSync: io.openSync,
    opendirSync: calls.opendirSync,
    readSync: io.readSync,
    readdirSync: directories.readdirSync,
    readFileSync: files.readFileSync,
    readvSync: io.readvSync,
    rmSync: trees.rmSync,
    rmdirSync: trees.rmdirSync,
    truncateSync: files.truncateSync,
    writeSync: io.writeSync,
    writeFileSync: files.writeFileSync,
    writevSync: io.writevSync,
  };
}

/** The file's bytes as they are now: a Blob here is a copy, which later writes do not change. */
function openAsBlob(calls: Calls) {
  return (path: string, options: { type?: string } = {}): Promise<Blob> => {
    checkObject(options, 'options');
    const type = options.type ?? '';
    checkString(type, 'options.type');
    return calls.files.readFile(path).then((bytes) => new Blob([new Uint8Array(bytes as Buffer)], { type }));
  };
}
