/**
 * Who has an image open: files beside it, since Node has no flock.
 *
 * A writer has `IMG.lock`, of which there can be one; each reader has an `IMG.lock.r` of its own. Each
 * makes its file first and looks for the other side's then, so of two that come at once at least one sees
 * the other; it goes away again, and says who is there.
 *
 * A file holds its process's id, when that process was started (where /proc tells), and the host's name.
 * One whose process is gone is stale and is removed by the next who comes; one of another host,
 * on a file system that is shared, is never taken for stale: its user removes it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** An image that somebody else has open. */
export class ImageBusyError extends Error {
  readonly code = 'EBUSY';
  readonly path: string;

  constructor(image: string, holder: string, lock: string) {
    super(`EBUSY: ${image} is open: ${holder}; if that cannot be, remove ${lock}`);
    this.name = 'ImageBusyError';
    this.path = image;
  }
}

interface Owner {
  pid: number;
  /** Clock ticks since the host's boot; empty where that is not known. */
  started: string;
  host: string;
}

const held = new Set<string>();
let counter = 0;

// A process that ends in any way but by a signal leaves nothing behind.
process.on('exit', () => {
  for (const file of held) fs.rmSync(file, { force: true });
});

/**
 * Lock an image. @returns a function that lets it go
 * @throws ImageBusyError; the host's errors when a writer's lock cannot be made
 */
export function lockImage(image: string, readOnly: boolean): () => void {
  const real = fs.realpathSync(image);
  return readOnly ? lockForReading(image, real) : lockForWriting(image, real);
}

function lockForWriting(image: string, real: string): () => void {
  const lock = `${real}.lock`;
  take(image, lock);
  const release = () => drop(lock);
  for (const reader of readers(real)) {
    const owner = read(reader);
    if (owner === undefined || clear(reader, owner)) continue;
    release();
    throw new ImageBusyError(image, `process ${owner.pid} on ${owner.host} reads it`, reader);
  }
  return release;
}

function lockForReading(image: string, real: string): () => void {
  const own = `${real}.lock.r.${process.pid}.${++counter}`;
  try {
    fs.writeFileSync(own, describe(), { flag: 'wx' });
  } catch (error) {
    // On a medium that cannot be written nobody writes the image either.
    if (['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return () => {};
    throw error;
  }
  held.add(own);
  const lock = `${real}.lock`;
  const writer = read(lock);
  if (writer !== undefined && !clear(lock, writer)) {
    drop(own);
    throw new ImageBusyError(image, `process ${writer.pid} on ${writer.host} writes to it`, lock);
  }
  return () => drop(own);
}

/** Make a writer's lock, in one step with what it holds. */
function take(image: string, lock: string): void {
  const own = `${lock}.${process.pid}.${++counter}`;
  fs.writeFileSync(own, describe(), { flag: 'wx' });
  try {
    for (let tries = 0; ; tries++) {
      try {
        fs.linkSync(own, lock);
        held.add(lock);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = read(lock);
      if (owner === undefined) continue;
      if (tries < 3 && clear(lock, owner)) continue;
      throw new ImageBusyError(image, `process ${owner.pid} on ${owner.host} writes to it`, lock);
    }
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Remove a lock whose owner is gone. False: it is not. */
function clear(lock: string, owner: Owner): boolean {
  if (isAlive(owner)) return false;
  const aside = `${lock}.stale.${process.pid}.${++counter}`;
  try {
    fs.renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  // Somebody else was quicker, and what was moved aside is theirs.
  const moved = read(aside);
  if (moved !== undefined && isAlive(moved)) fs.linkSync(aside, lock);
  fs.rmSync(aside, { force: true });
  return true;
}

function drop(file: string): void {
  held.delete(file);
  fs.rmSync(file, { force: true });
}

function readers(real: string): string[] {
  const prefix = `${path.basename(real)}.lock.r.`;
  const dir = path.dirname(real);
  return fs
    .readdirSync(dir)
    .filter((name) => name.startsWith(prefix))
    .map((name) => path.join(dir, name));
}

const describe = () => `${process.pid} ${startOf(process.pid) ?? '-'} ${os.hostname()}\n`;

function read(lock: string): Owner | undefined {
  let text: string;
  try {
    text = fs.readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [pid = '', started = '', host = ''] = text.trim().split(' ');
  return { pid: Number(pid), started, host };
}

function isAlive({ pid, started, host }: Owner): boolean {
  if (host !== os.hostname()) return host !== '';
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // The number may be another process's by now.
  const now = startOf(pid);
  return now === undefined || started === '-' || now === started;
}

/** When a process was started, where /proc tells: the 22nd field, counted behind the name in parentheses. */
function startOf(pid: number): string | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
