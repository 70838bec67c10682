/** WASI programs in the shell: cases for any Node, with a runner or without (guests.test.ts). */
import assert from 'node:assert/strict';
import { boot, type Machine } from '../../host/index.ts';
import { standardPrograms } from '../../host/programs/standard.ts';
import { Userland } from '../../host/programs/userland.ts';
import { canSuspend } from '../../host/wasi/guest.ts';
import { assembleBytes } from '../wasi/probe.ts';

const WASI = (names: Record<string, string>) =>
  Object.entries(names)
    .map(([name, parameters]) => {
      const result = name === 'proc_exit' ? '' : '(result i32)';
      return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) ${result}))`;
    })
    .join('\n');

/** Copies 0 to 1 to the end; exits with the errno of a write that failed. */
export const CAT = `(module
  ${WASI({ fd_read: 'i32 i32 i32 i32', fd_write: 'i32 i32 i32 i32', proc_exit: 'i32' })}
  (memory (export "memory") 1)
  (func (export "_start") (local $e i32)
    (loop $again
      (i32.store (i32.const 16) (i32.const 256))
      (i32.store (i32.const 20) (i32.const 4096))
      (local.set $e (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 32)))
      (if (local.get $e) (then (call $proc_exit (local.get $e))))
      (if (i32.eqz (i32.load (i32.const 32))) (then (return)))
      (i32.store (i32.const 20) (i32.load (i32.const 32)))
      (local.set $e (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))
      (if (local.get $e) (then (call $proc_exit (local.get $e))))
      (br $again))))`;

/** Writes its arguments, each with a NUL behind it, to 1 and its variables to 2. */
const ARGS = `(module
  ${WASI({
    fd_write: 'i32 i32 i32 i32',
    args_sizes_get: 'i32 i32',
    args_get: 'i32 i32',
    environ_sizes_get: 'i32 i32',
    environ_get: 'i32 i32',
  })}
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 0) (i32.const 20)))
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (i32.store (i32.const 16) (i32.const 4096))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)))
    (drop (call $environ_sizes_get (i32.const 0) (i32.const 20)))
    (drop (call $environ_get (i32.const 1024) (i32.const 4096)))
    (drop (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 32)))))`;

/** Exits with 41 + the argument count. */
export const CODE = `(module
  ${WASI({ args_sizes_get: 'i32 i32', proc_exit: 'i32' })}
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (call $proc_exit (i32.add (i32.const 41) (i32.load (i32.const 0))))))`;

/** Says "x" on 1, and traps. */
const TRAP = `(module
  ${WASI({ fd_write: 'i32 i32 i32 i32' })}
  (memory (export "memory") 1)
  (data (i32.const 0) "\\08\\00\\00\\00\\02\\00\\00\\00x\\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    unreachable))`;

/** Makes the file that its first argument names, as a libc does: among its directories by the longest name that fits. */
export const TOUCH = `(module
  ${WASI({
    path_open: 'i32 i32 i32 i32 i32 i64 i64 i32 i32',
    fd_prestat_get: 'i32 i32',
    proc_exit: 'i32',
  })}
  (memory (export "memory") 1)
  (data (i32.const 0) "made")
  (func (export "_start") (local $fd i32)
    (local.set $fd (i32.const 3))
    (block $end (loop $again
      (br_if $end (call $fd_prestat_get (local.get $fd) (i32.const 64)))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br $again)))
    (call $proc_exit (call $path_open (i32.sub (local.get $fd) (i32.const 1)) (i32.const 0) (i32.const 0) (i32.const 4)
      (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))))`;

const PROGRAMS = { cat: CAT, args: ARGS, code: CODE, trap: TRAP, touch: TOUCH };

const WRONG: Readonly<Record<string, string | Uint8Array>> = {
  library: '(module (memory (export "memory") 1) (func (export "_initialize")))',
  foreign: '(module (import "env" "f" (func)) (memory (export "memory") 1) (func (export "_start")))',
  bare: '(module (func (export "_start")))',
  component: Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0),
  garbage: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99, 1, 1),
  cut: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1),
};

export interface Scene {
  machine: Machine;
  sh: (line: string, input?: string) => Promise<{ code: number; stdout: string; stderr: string }>;
}

export interface GuestCase {
  name: string;
  act(scene: Scene): Promise<void>;
}

export async function play({ act }: GuestCase): Promise<void> {
  const machine = await boot({ flavour: 'up-debug' });
  try {
    const userland = new Userland(machine, standardPrograms);
    for (const [name, program] of Object.entries({ ...PROGRAMS, ...WRONG })) {
      const bytes = typeof program === 'string' ? await assembleBytes(program) : program;
      machine.fs.writeFileSync(`/bin/${name}.wasm`, bytes, { mode: 0o755 });
    }
    await act({ machine, sh: (line, input) => userland.run(line, { input, cwd: '/' }) });
    // whatever it did, nobody is left
    assert.deepEqual(
      machine.fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
      ['1'],
    );
  } finally {
    machine.shutdown();
  }
}

/** Numbers up to `count`, line by line, which is more than a pipe holds for 100,000. */
const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}\n`).join('');

export const GUEST_CASES: readonly GuestCase[] = [
  {
    name: 'arguments and variables, and the working directory among them',
    async act({ sh }) {
      const { code, stdout, stderr } = await sh(`cd /etc; A='b c' args.wasm 1 '' 'ü x'`);
      assert.equal(code, 0);
      assert.equal(stdout, 'args.wasm\x001\0\0ü x\0');
      assert.ok(stderr.split('\0').includes('A=b c'));
      assert.ok(stderr.split('\0').includes('PWD=/etc'));
    },
  },
  {
    name: 'exit codes, in $?, conditions and of the shell',
    async act({ sh }) {
      assert.equal(
        (await sh('code.wasm; echo $?; code.wasm a b || echo no; ! code.wasm && echo yes')).stdout,
        '42\nno\nyes\n',
      );
      assert.equal((await sh('exec code.wasm a')).code, 43);
      assert.equal((await sh('x=$(args.wasm 2>/dev/null | tr "\\0" .); echo "$x"')).stdout, 'args.wasm.\n');
    },
  },
  {
    name: 'redirections',
    async act({ sh, machine }) {
      assert.equal(
        (await sh('echo hello > /tmp/a; cat.wasm < /tmp/a > /tmp/b; cat.wasm < /tmp/a >> /tmp/b')).code,
        0,
      );
      assert.equal(machine.fs.readFileSync('/tmp/b', 'utf8'), 'hello\nhello\n');
      // EBADF of a closed descriptor, and a directory is never in its place
      assert.equal((await sh('cat.wasm < /tmp/a >&-')).code, 76);
      assert.equal((await sh('touch.wasm 3< /tmp/a 5< /tmp/a <&-; rm /made')).stderr, '');
      assert.equal((await sh('cat.wasm <<E\nhere\nE')).stdout, 'here\n');
    },
  },
  {
    name: 'relative names are those of the working directory',
    async act({ sh }) {
      assert.equal(
        (await sh('mkdir -p /home/d; cd /home/d; touch.wasm; ls /home/d; rm made')).stdout,
        'made\n',
      );
    },
  },
  {
    name: 'pipelines with commands on both sides, more than a pipe holds',
    async act({ sh }) {
      const { stdout, stderr } = await sh(
        'seq 100000 | cat.wasm | cat | cat.wasm | md5sum; seq 100000 | md5sum',
      );
      assert.equal(stderr, '');
      const [through, plain] = stdout.trim().split('\n');
      assert.equal(through, plain);
      assert.equal((await sh('cat.wasm', lines(50_000))).stdout, lines(50_000));
    },
  },
  {
    name: 'what a program does not read of a pipe is left there',
    async act({ sh }) {
      assert.equal(
        (await sh(`printf '1\\n2\\n' | while read -r x; do code.wasm $x; echo $x; done`)).stdout,
        '1\n2\n',
      );
    },
  },
  {
    name: 'a trap is told, and ends it as SIGABRT does; what it wrote before is there',
    async act({ sh }) {
      const { code, stdout, stderr } = await sh('trap.wasm; echo $?');
      assert.equal(code, 0);
      assert.equal(stdout, 'x\n134\n');
      assert.match(stderr, /^trap\.wasm: trap: unreachable\n/);
    },
  },
  {
    name: 'what is no program says what it is',
    async act({ sh }) {
      const reasons: Record<string, RegExp> = {
        library: /library\.wasm: a WASI library: it exports no function _start/,
        foreign: /foreign\.wasm: not a program of WASI preview 1: it imports env\.f/,
        bare: /bare\.wasm: not a WASI command: it exports no memory/,
        component: /component\.wasm: a WebAssembly component/,
        garbage: /garbage\.wasm: not a valid module: /,
        cut: /cut\.wasm: a module of an unknown version/,
      };
      for (const [name, reason] of Object.entries(reasons)) {
        const { code, stderr } = await sh(`${name}.wasm`);
        assert.equal(code, 126, name);
        assert.match(stderr, reason);
      }
      assert.equal((await sh('chmod 644 /bin/cat.wasm; /bin/cat.wasm')).code, 126);
    },
  },
  {
    name: 'a #! line can name one',
    async act({ sh }) {
      const { stdout } = await sh(
        `printf '#!/bin/args.wasm -x\\n' > /tmp/s; chmod 755 /tmp/s; /tmp/s y 2>/dev/null | tr '\\0' ' '`,
      );
      assert.equal(stdout, '/bin/args.wasm -x /tmp/s y ');
    },
  },
  {
    name: 'a file that changes is another program, at once',
    async act({ sh, machine }) {
      assert.equal((await sh('cp /bin/code.wasm /tmp/p; /tmp/p')).code, 42);
      assert.equal((await sh('cat /bin/args.wasm > /tmp/p; /tmp/p 2>/dev/null')).stdout, '/tmp/p\0');
      const old = machine.fs.readFileSync('/bin/code.wasm');
      old[old.lastIndexOf(41)] = 50;
      machine.fs.writeFileSync('/bin/code.wasm', old);
      assert.equal((await sh('code.wasm')).code, 51);
    },
  },
  {
    name: '/proc names it',
    async act({ machine }) {
      const child = await machine.spawn('/bin/cat.wasm', ['an argument'], { stdin: 'pipe' });
      const told = (file: string) => machine.fs.readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
      assert.equal(told('comm'), 'cat.wasm\n');
      assert.equal(told('cmdline'), '/bin/cat.wasm\0an argument\0');
      child.stdin.end();
      assert.equal((await child.wait()).code, 0);
    },
  },
  {
    name: canSuspend
      ? 'a program that waits lets others go on, and a signal ends it'
      : 'a program that would wait for ever is told EDEADLK',
    async act({ sh }) {
      if (canSuspend) {
        const { stdout } = await sh(
          'mkfifo /tmp/f; cat.wasm < /tmp/f > /tmp/o & sleep 0.05; exec 4> /tmp/f; echo hi >&4; sleep 0.05; cat /tmp/o; kill $!; wait $!; echo $?',
        );
        assert.equal(stdout, 'hi\n143\n');
        const endless = await sh('yes | cat.wasm | head -n 2');
        assert.equal(endless.stdout, 'y\ny\n');
      } else {
        // it has both ends itself
        assert.equal((await sh('mkfifo /tmp/f; cat.wasm <> /tmp/f')).code, 16);
      }
    },
  },
];
