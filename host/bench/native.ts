/**
 * The C program among the contestants: built with the host's compiler, run on the same tmpfs, and
 * spoken to by lines. What the kernel beneath it takes is the floor for anything that traps.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { makeHostDir } from './contestants.ts';
import { statisticsOf } from './measure.ts';
import type { Plan, ScalingPoint, Slice } from './types.ts';

export class NativeProgram {
  readonly version: string;
  readonly #dir: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(version: string, dir: string, program: string, plan: Plan) {
    this.version = version;
    this.#dir = dir;
    const args = [dir, String(plan.bigNames), String(plan.seed)];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when there is no compiler, no source or no tmpfs */
  static open(plan: Plan): NativeProgram {
    const source = findSource();
    const build = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-bench-'));
    try {
      const program = path.join(build, 'native');
      execFileSync('cc', ['-O2', '-o', program, source], { stdio: ['ignore', 'ignore', 'pipe'] });
      const version = execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0];
      // The file may go once it runs.
      return new NativeProgram(version, makeHostDir(plan), program, plan);
    } finally {
      fs.rmSync(build, { recursive: true });
    }
  }

  /** @throws Error with the program's reason */
  async prepare(fixture: string): Promise<void> {
    await this.#ask(`prepare ${fixture}`);
  }

  /** null: it has no such operation. */
  async measure(op: string, sliceMs: number, warmupMs: number): Promise<Slice | null> {
    const answer = await this.#ask(
      `measure ${op} ${Math.round(sliceMs * 1e6)} ${Math.round(warmupMs * 1e6)}`,
    );
    return answer === '' ? null : statisticsOf(op, answer.split(' ').map(Number));
  }

  async scale(names: number): Promise<ScalingPoint> {
    const [create, lookup, list, remove] = (await this.#ask(`scale ${names}`)).split(' ').map(Number);
    return { names, create, lookup, list, remove };
  }

  close(): void {
    this.#child.stdin.end();
    this.#child.kill();
    fs.rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ask(question: string): Promise<string> {
    this.#child.stdin.write(`${question}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the C program ended');
    const line = String(value);
    if (line.startsWith('error ')) throw new Error(line.slice('error '.length));
    return line.replace(/^ok ?/, '');
  }
}

/** test/bench/native.c of the package this file belongs to, as source or as built. */
function findSource(): string {
  for (
    let dir = path.dirname(fileURLToPath(import.meta.url));
    dir !== path.dirname(dir);
    dir = path.dirname(dir)
  ) {
    const source = path.join(dir, 'test', 'bench', 'native.c');
    if (fs.existsSync(source)) return source;
  }
  throw new Error('test/bench/native.c is not in this package');
}
