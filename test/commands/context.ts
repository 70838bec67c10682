/** Runs one command of the machine's, and takes what it prints. */
import type { Environment, Input, Output, ProgramContext } from '../../host/programs/program.ts';
import type { Machine } from '../../host/index.ts';
import { commands } from '../../host/commands/index.ts';
import type { Process } from '../../host/syscalls/process.ts';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  stdin?: string;
  cwd?: string;
  env?: Environment;
  uid?: number;
  gid?: number;
  umask?: number;
}

function inputOf(process: Process, fd: number): Input {
  const readInto = (buffer: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) =>
      process.fs.read(fd, buffer, 0, buffer.length, null, (error, count) =>
        error ? reject(error) : resolve(count),
      ),
    );
  const read = async (max = 65536) => {
    const buffer = new Uint8Array(max);
    return buffer.subarray(0, await readInto(buffer));
  };
  const bytes = async () => {
    const chunks: Uint8Array[] = [];
    for (let chunk = await read(); chunk.length > 0; chunk = await read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return {
    fd,
    read,
    readInto,
    async *[Symbol.asyncIterator]() {
      for (let chunk = await read(); chunk.length > 0; chunk = await read()) yield chunk;
    },
    async *lines() {
      const lines = Buffer.from(await bytes())
        .toString()
        .split('\n');
      if (lines.at(-1) === '') lines.pop();
      yield* lines;
    },
    bytes,
    text: async () => Buffer.from(await bytes()).toString(),
  };
}

function outputOf(process: Process, fd: number): Output {
  return {
    fd,
    isTTY: false,
    write: (data) => {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      let done = 0;
      while (done < bytes.length) done += process.fs.writeSync(fd, bytes, done);
    },
    flush() {},
  };
}

export async function runCommand(
  machine: Machine,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Result> {
  const process = machine.process({ uid: options.uid ?? 0, gid: options.gid ?? 0 });
  const root = machine.init.fs;
  root.mkdirSync('/run', { recursive: true });
  root.writeFileSync('/run/in', options.stdin ?? '');
  for (const name of ['/run/out', '/run/err']) root.writeFileSync(name, '');
  root.chmodSync('/run/out', 0o666);
  root.chmodSync('/run/err', 0o666);
  process.openat(-100, '/run/in', 0);
  process.openat(-100, '/run/out', 0o2001);
  process.openat(-100, '/run/err', 0o2001);
  process.chdir(options.cwd ?? '/');
  process.umask(options.umask ?? 0o022);
  const missing = () => {
    throw new Error('not here');
  };
  const context: ProgramContext = {
    process,
    pid: process.pid,
    fs: process.fs,
    argv,
    env: { PATH: '/bin', TZ: 'UTC', LC_ALL: 'C', ...options.env },
    stdin: inputOf(process, 0),
    stdout: outputOf(process, 1),
    stderr: outputOf(process, 2),
    input: (fd) => inputOf(process, fd),
    output: (fd) => outputOf(process, fd),
    fork: missing,
    exec: missing,
    spawn: missing,
    wait: missing,
    waitNow: missing,
    exit: missing,
    ended: new AbortController().signal,
    onSignal() {},
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
  const entry = commands[argv[0]];
  let code: number;
  if (entry === undefined) return { code: 127, stdout: '', stderr: `${argv[0]}: not found\n` };
  const program = await entry.load();
  try {
    code = await program(context);
  } catch (error) {
    code = 1;
    process.fs.writeSync(2, `${(error as Error).stack}\n`);
  }
  process.exit();
  const text = (path: string) => root.readFileSync(path, 'latin1');
  return { code, stdout: text('/run/out'), stderr: text('/run/err') };
}
