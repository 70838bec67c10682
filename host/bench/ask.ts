/** Requests to a process that measures, and its replies: one at a time. */
import type { ChildProcess, Serializable } from 'node:child_process';

/** What such a process says: what it was asked for, or why it cannot have it. */
export type ChildReply<Done extends { type: 'done' }> = Done | { type: 'failed'; reason: string };

/** It ended instead of answering. */
export class ChildEnded extends Error {}

/** @throws ChildEnded; Error with the reason that the process gives */
export function askChild<Done extends { type: 'done' }>(
  child: ChildProcess,
  request: Serializable,
): Promise<Done> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) => {
      child.off('message', onMessage);
      reject(new ChildEnded(`its process ended (${signal ?? code})`));
    };
    const onMessage = (message: unknown) => {
      const reply = message as ChildReply<Done>;
      child.off('exit', onExit);
      if (reply.type === 'done') resolve(reply);
      else reject(new Error(reply.reason));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
    child.send(request);
  });
}
