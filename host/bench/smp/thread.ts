/** A thread of the rows of several CPUs: joins the machine, and does what it is told, when all are ready. */
import { parentPort, workerData } from 'node:worker_threads';
import { joinMachine, type Ticket } from '../../machine/join.ts';
import { GO, READY, type SmpDone, type SmpJob, type SmpOperation } from './types.ts';

/** Operations between two looks at the clock. */
const BATCH = 64;
const PAGE_BYTES = 4096;
const PAGES = 256;

const { ticket, index, shared } = workerData as {
  ticket: Ticket;
  index: number;
  shared: Int32Array<SharedArrayBuffer>;
};
const { fs } = joinMachine(ticket);
const own = `/bench/w${index}`;
const page = new Uint8Array(PAGE_BYTES);

/** Where the other thread works too, and where it does not. */
function operationOf(op: SmpOperation): (i: number) => void {
  switch (op) {
    case 'smp_stat_same':
      return () => void fs.statSync('/bench/same/dir/file');
    case 'smp_stat_sep':
      return () => void fs.statSync(`${own}/dir/file`);
    case 'smp_open_close_sep':
      return () => fs.closeSync(fs.openSync(`${own}/dir/file`, 'r'));
    case 'smp_create_unlink_sep': {
      const name = `${own}/dir/new`;
      return () => {
        fs.closeSync(fs.openSync(name, 'w'));
        fs.unlinkSync(name);
      };
    }
    default: {
      const fd = fs.openSync(op === 'smp_pread_same' ? '/bench/same/dir/file' : `${own}/dir/file`, 'r');
      return (i) => void fs.readSync(fd, page, 0, PAGE_BYTES, ((i * 37) % PAGES) * PAGE_BYTES);
    }
  }
}

const known = new Map<SmpOperation, (i: number) => void>();

parentPort?.on('message', ({ op, ms }: SmpJob) => {
  const run = known.get(op) ?? operationOf(op);
  known.set(op, run);
  const turn = Atomics.load(shared, GO);
  Atomics.add(shared, READY, 1);
  Atomics.notify(shared, READY);
  Atomics.wait(shared, GO, turn);
  const start = performance.now();
  let operations = 0;
  let now = start;
  do {
    for (let i = 0; i < BATCH; i++) run(operations + i);
    operations += BATCH;
    now = performance.now();
  } while (now - start < ms);
  const done: SmpDone = { operations, ms: now - start };
  parentPort?.postMessage(done);
});
