/**
 * A guest that does what it is told: it imports every function of WASI and exports each under the same
 * name, with a memory that tests read and write. The same guest runs on a machine and under node:wasi.
 */
import wabtInit from 'wabt';

/** Parameters of each function: i is i32, I is i64. */
export const SIGNATURES: Readonly<Record<string, string>> = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'iIi',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_dir_name: 'iii',
  fd_prestat_get: 'ii',
  fd_pwrite: 'iiiIi',
  fd_read: 'iiii',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  fd_seek: 'iIii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  proc_raise: 'i',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
};

export interface ProbeOptions {
  /** 64 KiB pages at first, and at most. */
  pages?: number;
  maximum?: number;
  shared?: boolean;
}

/** The probe's text. */
export function probeText({ pages = 4, maximum = 16, shared = false }: ProbeOptions = {}): string {
  const functions = Object.entries(SIGNATURES).map(([name, list]) => {
    const params =
      list === '' ? '' : `(param ${[...list].map((c) => (c === 'I' ? 'i64' : 'i32')).join(' ')})`;
    return { name, params, args: [...list].map((_, i) => `(local.get ${i})`).join(' ') };
  });
  return `(module
    ${functions
      .map(
        ({ name, params }) =>
          `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${params} (result i32)))`,
      )
      .join('\n')}
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") ${pages} ${maximum} ${shared ? 'shared' : ''})
    ${functions
      .map(
        ({ name, params, args }) =>
          `(func (export "${name}") ${params} (result i32) (call $${name} ${args}))`,
      )
      .join('\n')}
    (func (export "proc_exit") (param i32) (call $proc_exit (local.get 0)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "_initialize"))
  )`;
}

const FEATURES = { threads: true, bulk_memory: true };

/** Assemble WAT. */
export async function assemble(text: string): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(await assembleBytes(text));
}

export async function assembleBytes(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await wabtInit();
  const module = wabt.parseWat('guest.wat', text, FEATURES);
  const { buffer } = module.toBinary({});
  module.destroy();
  return new Uint8Array(buffer);
}
