/** The coordinator's end of a contestant's process. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { askChild, ChildEnded } from './ask.ts';
import type { ContestantName, Plan, Reply, Request, ScalingPoint, Slice } from './types.ts';

type Done = Extract<Reply, { type: 'done' }>;

/** The heap that memfs needs for a million files, MiB. */
const HEAP_MIB = 8192;

export class ContestantProcess {
  readonly name: ContestantName;
  version = '';
  /** Why it is out of the race, or null while it runs. */
  lost: string | null = null;
  readonly #child: ChildProcess;

  private constructor(name: ContestantName) {
    this.name = name;
    const worker = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#child = fork(fileURLToPath(new URL(worker, import.meta.url)), {
      execArgv: [...process.execArgv, '--expose-gc', `--max-old-space-size=${HEAP_MIB}`],
      // What a peer prints is not part of our answer.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** Never fails: a contestant that cannot start is `lost`. */
  static async start(name: ContestantName, plan: Plan): Promise<ContestantProcess> {
    const started = new ContestantProcess(name);
    try {
      const { version } = await started.#ask({ type: 'open', contestant: name, plan });
      started.version = version ?? '';
    } catch (error) {
      started.#lose(error);
    }
    return started;
  }

  /** @throws Error why it cannot be built */
  async prepare(fixture: string): Promise<void> {
    await this.#ask({ type: 'prepare', fixture });
  }

  async measure(op: string, sliceMs: number, warmup: boolean): Promise<Slice | null> {
    return (await this.#ask({ type: 'measure', op, sliceMs, warmup })).slice ?? null;
  }

  async scale(names: number): Promise<ScalingPoint | null> {
    return (await this.#ask({ type: 'scale', names })).point ?? null;
  }

  /** Lets it tidy up, and ends it. */
  async close(): Promise<void> {
    if (this.lost === null) await this.#ask({ type: 'close' }).catch(() => {});
    if (this.#child.exitCode === null && this.#child.connected) this.#child.disconnect();
    this.#child.kill();
  }

  #lose(error: unknown): void {
    this.lost = error instanceof Error ? error.message : String(error);
    this.#child.kill();
  }

  async #ask(request: Request): Promise<Done> {
    if (this.lost !== null) throw new Error(this.lost);
    try {
      return await askChild(this.#child, request);
    } catch (error) {
      if (error instanceof ChildEnded) this.lost ??= error.message;
      throw error;
    }
  }
}
