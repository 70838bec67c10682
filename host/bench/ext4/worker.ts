/** The process that a contestant of the ext4 rows runs in. */
import { openDiskSubject } from './contestants.ts';
import { DiskSteps, type DiskSubject } from './steps.ts';
import { loadTree } from './tree.ts';
import type { DiskReply, DiskRequest } from './types.ts';

let subject: DiskSubject | null = null;
let steps: DiskSteps | null = null;

async function serve(request: DiskRequest): Promise<DiskReply> {
  switch (request.type) {
    case 'open': {
      const { contestant, plan } = request;
      const tree = loadTree(plan);
      subject = await openDiskSubject(contestant, plan);
      steps = new DiskSteps(subject, tree, plan.seqBytes);
      return { type: 'done', tree: tree.facts };
    }
    case 'step':
      if (steps === null) throw new Error('not open');
      globalThis.gc?.();
      return { type: 'done', ms: steps.run(request.op) };
    case 'close':
      close();
      return { type: 'done' };
  }
}

function close(): void {
  const open = subject;
  subject = null;
  open?.close();
}

process.on('message', (request: DiskRequest) => {
  serve(request)
    .catch(
      (error: unknown): DiskReply => ({
        type: 'failed',
        reason: error instanceof Error ? error.message : String(error),
      }),
    )
    .then((reply) => {
      process.send?.(reply);
      if (request.type === 'close') process.disconnect();
    });
});

// The coordinator is gone: nothing stays mounted.
process.on('disconnect', close);
