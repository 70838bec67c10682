/** The thread that serves the pass-through: requests one by one, each to its operation, its answer back. */
import { workerData } from 'node:worker_threads';
import { EINVAL, ENOSYS } from '../../../assembly/abi/errno.ts';
import { deviceTransport } from '../../../host/fuse/device.ts';
import { FUSE_IN_HEADER, FUSE_OUT_HEADER } from '../../../host/fuse/protocol.ts';
import { Answer, NO_ANSWER, Request } from '../../../host/fuse/request.ts';
import { MAX_TRANSFER } from '../../../host/fuse/server.ts';
import { PASS_OPERATIONS, PassFs } from './passops.ts';

export interface PassConfig {
  /** A descriptor of /dev/fuse that is mounted. */
  readonly fd: number;
  /** The directory that is served. */
  readonly source: string;
}

function serve({ fd, source }: PassConfig): void {
  const transport = deviceTransport(fd);
  const request = new Request(new ArrayBuffer(MAX_TRANSFER + 4096));
  const answer = new Answer(MAX_TRANSFER);
  const pass = new PassFs(source, answer);
  for (;;) {
    const length = transport.read(request.bytes);
    if (length === 0) return;
    let result = -EINVAL;
    if (request.arrived(length)) {
      try {
        result = PASS_OPERATIONS.get(request.opcode)?.(pass, request) ?? -ENOSYS;
      } catch (error) {
        const { errno } = error as NodeJS.ErrnoException;
        if (errno === undefined) throw error;
        result = errno;
      }
    } else if (length < FUSE_IN_HEADER) continue;
    if (result === NO_ANSWER) continue;
    const body = Math.max(result, 0);
    answer.head(Math.min(result, 0), body, request.uniqueLow, request.uniqueHigh);
    transport.write(answer.bytes, FUSE_OUT_HEADER + body);
  }
}

serve(workerData as PassConfig);
