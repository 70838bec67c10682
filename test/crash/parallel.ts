/** Workloads explored by several threads, one each at a time. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { CrashOptions } from '../../host/devices/crash.ts';
import { type Explored, Explorer } from './explore.ts';
import type { Workload } from './record.ts';
import type { Kernel } from './volume.ts';

export interface Task {
  readonly workload: Workload;
  readonly options: CrashOptions;
  readonly round: number;
}

/** e2fsck looks at one disk of so many. */
const SAMPLE_EVERY = 500;

/** Explore tasks until `done`, which is told what came of each, says false. @throws what a thread does */
export async function explore(
  kernel: Kernel,
  tasks: Iterator<Task>,
  jobs: number,
  done: (task: Task, explored: Explored) => boolean,
): Promise<void> {
  let more = true;
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: kernel });
      let task: Task | undefined;
      const next = () => {
        task = more ? tasks.next().value : undefined;
        worker.postMessage(task);
      };
      worker.on('message', (explored: Explored) => {
        if (task !== undefined && more && !done(task, explored)) more = false;
        next();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      next();
    });
  await Promise.all(Array.from({ length: jobs }, work));
}

function serve(): void {
  const explorer = new Explorer(workerData as Kernel, SAMPLE_EVERY);
  parentPort?.on('message', (task: Task | undefined) => {
    if (task !== undefined) parentPort?.postMessage(explorer.explore(task.workload, task.options));
    else {
      explorer.end();
      parentPort?.close();
    }
  });
}

if (!isMainThread) serve();
