/**
 * Files that are WebAssembly modules: which are WASI programs, and what has been compiled of them.
 *
 * M1. A module is that of the bytes that the file has: it is found by the file's device, inode,
 *     size and times, and kept only when the file had not changed for so long that another change would
 *     have been given another time, on file systems with times of whole seconds too.
 */
import { EISDIR, ENOEXEC } from '../../assembly/abi/errno.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../../assembly/abi/flags.ts';
import type { SyscallError } from '../syscalls/errors.ts';
import type { Process } from '../syscalls/process.ts';

const MAGIC = [0, 0x61, 0x73, 0x6d];
/** The version of core modules; components have a layer beside theirs. */
const CORE = [1, 0, 0, 0];
const COMPONENT_LAYER = 1;
const HEADER_BYTES = MAGIC.length + CORE.length;
const PREVIEW1 = 'wasi_snapshot_preview1';
/** A file that was changed later than this before it was read may change again at the same time. */
const SETTLED_NS = 2_000_000_000n;
const NS_PER_MS = 1e6;
const MODULES_MAX = 32;

/** A file begins as a module does, and cannot be run. */
export class NoCommandError extends Error implements SyscallError {
  readonly code = 'ENOEXEC';
  readonly errno = -ENOEXEC;
  readonly syscall = 'execve';
  readonly path: string;
  /** What the file is instead. */
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`ENOEXEC: ${reason}, execve '${path}'`);
    this.name = 'NoCommandError';
    this.path = path;
    this.reason = reason;
  }
}

/** Does a file that begins so want to be a module? */
export function isModule(head: Uint8Array): boolean {
  return head.length >= MAGIC.length && MAGIC.every((byte, i) => head[i] === byte);
}

/** @throws NoCommandError, with what is missing, for what is no WASI program */
export function checkCommand(module: WebAssembly.Module, path: string): void {
  const imports = WebAssembly.Module.imports(module);
  const exports = WebAssembly.Module.exports(module);
  const foreign = imports.find(({ module: from }) => from !== PREVIEW1);
  if (foreign !== undefined) {
    const what = `it imports ${foreign.module}.${foreign.name}`;
    throw new NoCommandError(path, `not a program of WASI preview 1: ${what}`);
  }
  const has = (name: string, kind: string) =>
    exports.some((each) => each.name === name && each.kind === kind);
  if (!has('_start', 'function')) {
    const kind = has('_initialize', 'function') ? 'a WASI library' : 'a module, and no WASI command';
    throw new NoCommandError(path, `${kind}: it exports no function _start`);
  }
  if (!has('memory', 'memory')) throw new NoCommandError(path, 'not a WASI command: it exports no memory');
}

/** Compile a program. @throws NoCommandError for what is none */
export async function compileCommand(
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
): Promise<WebAssembly.Module> {
  if (!isModule(bytes)) throw new NoCommandError(path, 'not a WebAssembly module');
  if (!CORE.every((byte, i) => bytes[MAGIC.length + i] === byte)) {
    const isComponent = bytes.length >= HEADER_BYTES && bytes[HEADER_BYTES - 2] === COMPONENT_LAYER;
    throw new NoCommandError(
      path,
      isComponent
        ? 'a WebAssembly component, and not a program of WASI preview 1'
        : 'a module of an unknown version',
    );
  }
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch (error) {
    throw new NoCommandError(path, `not a valid module: ${error instanceof Error ? error.message : error}`);
  }
  checkCommand(module, path);
  return module;
}

/** The modules of one machine's files. */
export class ModuleCache {
  readonly #modules = new Map<string, WebAssembly.Module>();

  /**
   * The program in a file, which the process must be able to read.
   * @throws NoCommandError; SyscallError EACCES and what the lookup gives
   */
  async load(process: Process, path: string): Promise<WebAssembly.Module> {
    const { fs } = process;
    const fd = process.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    let key: string;
    let settled: boolean;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      const stat = fs.fstatSync(fd, { bigint: true });
      if (!stat.isFile()) throw process.failure(-EISDIR, 'execve', path);
      key = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
      const known = this.#modules.get(key);
      if (known !== undefined) return this.#keep(key, known);
      const nowNs = BigInt(Math.floor(process.cpu.realtimeMs() * NS_PER_MS));
      settled = stat.ctimeNs + SETTLED_NS < nowNs;
      bytes = Uint8Array.from(fs.readFileSync(fd));
    } finally {
      process.close(fd);
    }
    const module = await compileCommand(bytes, path);
    return settled ? this.#keep(key, module) : module;
  }

  /** The last used comes last; the first goes. */
  #keep(key: string, module: WebAssembly.Module): WebAssembly.Module {
    this.#modules.delete(key);
    this.#modules.set(key, module);
    for (const oldest of this.#modules.keys()) {
      if (this.#modules.size <= MODULES_MAX) break;
      this.#modules.delete(oldest);
    }
    return module;
  }
}
