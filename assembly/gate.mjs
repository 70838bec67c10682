// The gate: what stands between a WASI guest and the kernel. Written once, here, as WebAssembly
// text, and assembled for each pair of memories that there can be:
//
//     gate-GK.wasm   G, K: is the guest's, is the kernel's memory shared (s) or not (u)? For engines with
//                    several memories in a module: bytes are copied from one to the other, nothing between.
//     gate-Gj.wasm   for the others: has the guest's memory alone, and JavaScript copies.
//     gate-guest.wasm  what a guest is linked with, since its memory, which a gate needs, may exist only
//                    when the guest does: functions that call through a table, filled when the gate is made.
//
// A gate's function calls the kernel's of the same name, with the guest's address in front. It checks
// first that what the kernel will write lies in the guest's memory (o4: a pointer to 4 bytes), so that a
// call with a bad pointer does nothing. What the kernel copies by itself it copies by the gate's copyin
// and copyout, which check each piece. A negative result is not the guest's: the call waits, and is
// issued again, or the process is gone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wabtInit from 'wabt';

/** Parameters of each function of wasi_snapshot_preview1: i i32, I i64, oN a pointer to N bytes to be written. */
const FUNCTIONS = {
  args_get: 'i i',
  args_sizes_get: 'o4 o4',
  environ_get: 'i i',
  environ_sizes_get: 'o4 o4',
  clock_res_get: 'i o8',
  clock_time_get: 'i I o8',
  fd_advise: 'i I I i',
  fd_allocate: 'i I I',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'i o24',
  fd_fdstat_set_flags: 'i i',
  fd_fdstat_set_rights: 'i I I',
  fd_filestat_get: 'i o64',
  fd_filestat_set_size: 'i I',
  fd_filestat_set_times: 'i I I i',
  fd_pread: 'i i i I o4',
  fd_prestat_get: 'i o8',
  fd_prestat_dir_name: 'i i i',
  fd_pwrite: 'i i i I o4',
  fd_read: 'i i i o4',
  fd_readdir: 'i i i I o4',
  fd_renumber: 'i i',
  fd_seek: 'i I i o8',
  fd_sync: 'i',
  fd_tell: 'i o8',
  fd_write: 'i i i o4',
  path_create_directory: 'i i i',
  path_filestat_get: 'i i i i o64',
  path_filestat_set_times: 'i i i i I I i',
  path_link: 'i i i i i i i',
  path_open: 'i i i i i I I i o4',
  path_readlink: 'i i i i i o4',
  path_remove_directory: 'i i i',
  path_rename: 'i i i i i i',
  path_symlink: 'i i i i i',
  path_unlink_file: 'i i i',
  poll_oneoff: 'i i i o4',
  proc_raise: 'i',
  random_get: 'i i',
  sched_yield: '',
  sock_accept: 'i i o4',
  sock_recv: 'i i i i o4 o2',
  sock_send: 'i i i i o4',
  sock_shutdown: 'i i',
};

/** The one function without a result: the process ends, which is the host's to do. */
const EXIT = 'proc_exit';

const types = (parameters) => parameters.split(' ').filter((each) => each !== '');
const wasmType = (parameter) => (parameter === 'I' ? 'i64' : 'i32');
const params = (parameters) => {
  const list = types(parameters).map(wasmType);
  return list.length === 0 ? '' : `(param ${list.join(' ')})`;
};

/** The shared numbers that a text needs, from the files that have them. */
function numbers(root, names) {
  const text = ['errno', 'wasi']
    .map((file) => readFileSync(join(root, 'assembly/abi', `${file}.ts`), 'utf8'))
    .join('\n');
  return Object.fromEntries(
    names.map((name) => {
      const found = new RegExp(`^export const ${name}(?:: [iu]32)? = (\\d+);`, 'm').exec(text);
      if (found === null) throw new Error(`assembly/abi has no ${name}`);
      return [name, Number(found[1])];
    }),
  );
}

function gateFunction(name, parameters, n) {
  const list = types(parameters);
  const checks = list
    .map((each, i) => ({ bytes: Number(each.slice(1)), i, out: each[0] === 'o' }))
    .filter(({ out }) => out)
    .map(
      ({ bytes, i }) =>
        `(if (call $outside (local.get ${i}) (i32.const ${bytes})) (then (return (i32.const ${n.WASI_EFAULT}))))`,
    );
  const given = list.map((_, i) => `(local.get ${i})`).join(' ');
  const before = name === 'sched_yield' ? '(call $yield)' : '';
  return `
  (func (export "${name}") ${params(parameters)} (result i32) (local $r i32)
    ${checks.join('\n    ')}
    ${before}
    (loop $again
      (local.set $r (call $${name} (global.get $guest) ${given}))
      (if (i32.lt_s (local.get $r) (i32.const 0))
        (then (call $slow (local.get $r)) (br $again))))
    (local.get $r))`;
}

/** Copies of pieces of records are loads and stores: an engine makes a call out of memory.copy. */
function copyFunction(name, to, from, n) {
  const at = (memory) => (memory === 'guest' ? '$u' : '$k');
  const move = (type, load, store) =>
    `(${type}.${store} $${to} (local.get ${at(to)}) (${type}.${load} $${from} (local.get ${at(from)})))`;
  const step = (bytes) => `
        (local.set $u (i32.add (local.get $u) (i32.const ${bytes})))
        (local.set $k (i32.add (local.get $k) (i32.const ${bytes})))
        (local.set $len (i32.sub (local.get $len) (i32.const ${bytes})))`;
  return `
  (func (export "${name}") (param $u i32) (param $k i32) (param $len i32) (result i32)
    (if (call $outside (local.get $u) (local.get $len)) (then (return (i32.const ${n.EFAULT}))))
    (if (i32.gt_u (local.get $len) (i32.const 64))
      (then
        (memory.copy $${to} $${from} (local.get ${at(to)}) (local.get ${at(from)}) (local.get $len))
        (return (i32.const 0))))
    (block $words
      (loop $word
        (br_if $words (i32.lt_u (local.get $len) (i32.const 8)))
        ${move('i64', 'load', 'store')}${step(8)}
        (br $word)))
    (block $bytes
      (loop $byte
        (br_if $bytes (i32.eqz (local.get $len)))
        ${move('i32', 'load8_u', 'store8')}${step(1)}
        (br $byte)))
    (i32.const 0))`;
}

/** Without a second memory: the guest's is checked here, JavaScript copies. */
function jsCopyFunction(name, n) {
  return `
  (func (export "${name}") (param $u i32) (param $k i32) (param $len i32) (result i32)
    (if (call $outside (local.get $u) (local.get $len)) (then (return (i32.const ${n.EFAULT}))))
    (call $js_${name} (local.get $u) (local.get $k) (local.get $len)))`;
}

/** @param guest, kernel 's' shared, 'u' not; a kernel of 'j': its memory is out of reach */
function gateText(guest, kernel, n) {
  const memory = (name, kind) =>
    `(import "memory" "${name}" (memory $${name} ${kind === 's' ? '1 65536 shared' : '0'}))`;
  const js = kernel === 'j';
  const names = Object.keys(FUNCTIONS);
  return `(module
  (type $copy (func (param i32 i32 i32) (result i32)))
  ${memory('guest', guest)}
  ${js ? '' : memory('kernel', kernel)}
  (import "host" "guest" (global $guest i32))
  (import "host" "wait" (func $wait (result i32)))
  (import "host" "gone" (func $gone (param i32)))
  (import "host" "exit" (func $exit (param i32)))
  (import "host" "yield" (func $yield))
  ${js ? '(import "host" "copyin" (func $js_copyin (type $copy)))' : ''}
  ${js ? '(import "host" "copyout" (func $js_copyout (type $copy)))' : ''}
  (import "kernel" "wasi_resume" (func $resume (param i32 i32) (result i32)))
  ${names
    .map((name) => {
      const list = ['i32', ...types(FUNCTIONS[name]).map(wasmType)].join(' ');
      return `(import "kernel" "wasi_${name}" (func $${name} (param ${list}) (result i32)))`;
    })
    .join('\n  ')}

  ;; Do \`len\` bytes at \`at\` reach out of the guest's memory, whatever the sum is in 32 bits?
  (func $outside (param $at i32) (param $len i32) (result i32)
    (i64.gt_u
      (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $len)))
      (i64.shl (i64.extend_i32_u (memory.size $guest)) (i64.const 16))))

  ;; The call waits: when the host says that its turn has come, it goes on with what it left in its
  ;; Lwp (0: that is current already). Or there is nobody to make it any more.
  (func $slow (param $r i32)
    (local $lwp i32)
    (if (i32.ne (local.get $r) (i32.const -${n.ERESTART}))
      (then (call $gone (local.get $r)) (return)))
    (local.set $lwp (call $wait))
    (if (local.get $lwp) (then (drop (call $resume (global.get $guest) (local.get $lwp))))))
  ${js ? jsCopyFunction('copyin', n) : copyFunction('copyin', 'kernel', 'guest', n)}
  ${js ? jsCopyFunction('copyout', n) : copyFunction('copyout', 'guest', 'kernel', n)}
  ${names.map((name) => gateFunction(name, FUNCTIONS[name], n)).join('')}
  (func (export "${EXIT}") (param i32) (call $exit (local.get 0)) unreachable)
)`;
}

function guestText() {
  const all = [
    ...Object.entries(FUNCTIONS).map(([name, list]) => [name, list, '(result i32)']),
    [EXIT, 'i', ''],
  ];
  return `(module
  (table (export "table") ${all.length} funcref)
  ${all
    .map(
      ([name, list, result], i) => `(func (export "${name}") ${params(list)} ${result}
    (call_indirect ${params(list)} ${result} ${types(list)
      .map((_, at) => `(local.get ${at})`)
      .join(' ')} (i32.const ${i})))`,
    )
    .join('\n  ')}
)`;
}

/** Write the gates to `out`. */
export async function buildGates(root, out) {
  const wabt = await wabtInit();
  const features = { multi_memory: true, threads: true, bulk_memory: true };
  const n = numbers(root, ['EFAULT', 'ERESTART', 'WASI_EFAULT']);
  const texts = { guest: guestText() };
  for (const guest of 'us') for (const kernel of 'usj') texts[guest + kernel] = gateText(guest, kernel, n);
  mkdirSync(out, { recursive: true });
  for (const [name, text] of Object.entries(texts)) {
    const module = wabt.parseWat(`gate-${name}.wat`, text, features);
    module.validate(features);
    writeFileSync(join(out, `gate-${name}.wasm`), module.toBinary({}).buffer);
    module.destroy();
  }
}
