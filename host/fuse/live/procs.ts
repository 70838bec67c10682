/**
 * What /proc tells of the host's threads: by their status files, since reading a stat file waits while a
 * program is being replaced by another, which may be what waits for us.
 */
import fs from 'node:fs';

function fieldOf(file: string, name: string): string | undefined {
  try {
    return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(fs.readFileSync(file, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/** This thread, as Linux counts them. */
export function ownTid(): number {
  return Number(fs.readlinkSync('/proc/thread-self').split('/').at(-1));
}

/** Does this thread of ours wait for something? */
export function isAsleep(tid: number): boolean {
  return fieldOf(`/proc/self/task/${tid}/status`, 'State') === 'S';
}

/** Was this process, or thread, started by `ancestor` or what that started? */
export function descendsFrom(pid: number, ancestor: number): boolean {
  for (let at = pid, steps = 0; at > 1 && steps < 64; steps++) {
    const parent = Number(fieldOf(`/proc/${at}/status`, 'PPid'));
    if (parent === ancestor) return true;
    if (!(parent > 1)) return false;
    at = parent;
  }
  return false;
}
