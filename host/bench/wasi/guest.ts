/**
 * The guest of the WASI rows, in WebAssembly text. Its loops are inside it, as a program's are; a call
 * that fails is a trap. It finds the directory preopened as descriptor 3, with dir/sub/file in it.
 */
import type { WasiOp } from './types.ts';

/** Bytes of dir/sub/file, which is read 4 KiB at a time. */
export const FILE_BYTES = 65536;
export const FILE_PATH = 'dir/sub/file';
/** The file that is written to grows by so many writes of 64 bytes, to 256 KiB; then it is cut to nothing. */
const WRITES = 4096;

/** The export that does an operation so many times. */
export const LOOPS: Readonly<Record<WasiOp, string>> = {
  wasi_pread_4k: 'pread',
  wasi_stat: 'stat',
  wasi_open_close: 'open_close',
  wasi_write_64: 'write',
};

/** Reading and writing, positions, attributes: what a libc asks for. */
const RIGHTS = 0x8e001ff;

const loop = (name: string, body: string) => `
  (func (export "${name}") (param $n i32) (local $i i32)
    (loop $again
      ${body}
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n)))))`;

const must = (call: string) => `(if ${call} (then unreachable))`;

const open = (path: number, length: number, oflags: number, out: number) =>
  `(call $path_open (i32.const 3) (i32.const 1) (i32.const ${path}) (i32.const ${length}) (i32.const ${oflags})
    (i64.const ${RIGHTS}) (i64.const 0) (i32.const 0) (i32.const ${out}))`;

export const GUEST_TEXT = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size"
    (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $file (mut i32) (i32.const 0))
  (global $out (mut i32) (i32.const 0))
  (data (i32.const 0x400) "${FILE_PATH}")
  (data (i32.const 0x500) "out")
  ;; iovecs: 4 KiB at 0x8000; 64 bytes at 0xa000
  (data (i32.const 0x600) "\\00\\80\\00\\00\\00\\10\\00\\00")
  (data (i32.const 0x610) "\\00\\a0\\00\\00\\40\\00\\00\\00")
  (func (export "_initialize")
    ${must(open(0x400, FILE_PATH.length, 0, 0x700))}
    (global.set $file (i32.load (i32.const 0x700)))
    ${must(open(0x500, 3, 1, 0x700))}
    (global.set $out (i32.load (i32.const 0x700))))
  ${loop(
    'pread',
    must(`(call $fd_pread (global.get $file) (i32.const 0x600) (i32.const 1)
      (i64.extend_i32_u (i32.shl (i32.and (local.get $i) (i32.const 15)) (i32.const 12))) (i32.const 0x710))`),
  )}
  ${loop(
    'stat',
    must(
      `(call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 0x400) (i32.const ${FILE_PATH.length}) (i32.const 0x800))`,
    ),
  )}
  ${loop('open_close', `${must(open(0x400, FILE_PATH.length, 0, 0x700))} ${must('(call $fd_close (i32.load (i32.const 0x700)))')}`)}
  ${loop(
    'write',
    `(if (i32.eqz (i32.rem_u (local.get $i) (i32.const ${WRITES})))
      (then ${must('(call $fd_filestat_set_size (global.get $out) (i64.const 0))')}
        ${must('(call $fd_seek (global.get $out) (i64.const 0) (i32.const 0) (i32.const 0x708))')}))
    ${must('(call $fd_write (global.get $out) (i32.const 0x610) (i32.const 1) (i32.const 0x710))')}`,
  )}
)`;
