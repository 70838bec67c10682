/**
 * What each thread of the stress does: random operations on one small tree, beside the other threads, and what must hold
 * whatever they do. It is a function's text (threads.ts), so it uses nothing but its arguments.
 *
 *     x/     names that are only made exclusively and removed: each creation won once
 *     r/     a file that is replaced by renames: a reader always finds it, and finds one version, whole
 *     a/     files with O_APPEND: every record whole, each thread's own in order
 *     p/     blocks of one value each: a pread never sees half of a pwrite
 *     l/     a counter in a file, added to by a read and a write, under a lock
 *     g/     anything goes: files, directories, links, symbolic links, renames, truncations, listings
 *     own/N  what only this thread touches: all of it is as it left it
 */
import type { Member } from '../../host/machine/join.ts';

export interface StressJob {
  base: string;
  seed: number;
  index: number;
  /** Stop at this many operations, or at this time (ms since 1970), whichever comes first. */
  operations: number;
  until: number;
  /** Words that all threads share: see the constants in stressBody. */
  shared: Int32Array<SharedArrayBuffer>;
}

export interface StressResult {
  done: Record<string, number>;
  appended: number[];
  added: number;
}

export const XNAMES = 6;
export const AFILES = 3;
export const RECORD = 48;
/** shared: creations less removals of each name of x/, then a word that says that somebody failed. */
export const SHARED_WORDS = XNAMES + 1;

// Everything below is one function, since that is what crosses to the thread.
export function stressBody({ fs, init }: Member, job: StressJob): StressResult {
  const { base, index, operations, until, shared } = job;
  const [XN, AF, REC, BLOCK, BLOCKS] = [6, 3, 48, 4096, 8];
  const HARMLESS =
    'ENOENT EEXIST ENOTEMPTY EISDIR ENOTDIR EINVAL ELOOP EBUSY EMLINK EXDEV ENOSPC ENOMEM EPERM'.split(' ');
  let state = job.seed >>> 0;
  const draw = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const done: Record<string, number> = {};
  const count = (name: string) => {
    done[name] = (done[name] ?? 0) + 1;
  };
  /** True if it was done; an error that others may cause is none. */
  const attempt = (name: string, run: () => void): boolean => {
    try {
      run();
      count(name);
      return true;
    } catch (error) {
      if (!HARMLESS.includes((error as { code: string }).code)) throw error;
      return false;
    }
  };
  const wrong = (what: string) => {
    throw new Error(`thread ${index}: ${what}`);
  };
  const out = new Uint8Array(BLOCK);
  const into = new Uint8Array(BLOCK * 2);

  // ── x/ ──
  const exclusive = () => {
    const n = draw(XN);
    const name = `${base}/x/n${n}`;
    const make = () => fs.closeSync(fs.openSync(name, 'wx'));
    if (attempt('create', make)) {
      if (Atomics.add(shared, n, 1) > 1) wrong(`${name} was made twice`);
    } else if (attempt('remove', () => fs.unlinkSync(name))) Atomics.sub(shared, n, 1);
  };

  // ── r/ ──
  const version = (n: number, size: number) => {
    const bytes = new Uint8Array(size).fill(n & 255);
    new DataView(bytes.buffer).setUint32(0, size);
    return bytes;
  };
  let version0 = 0;
  const replace = () => {
    const own = `${base}/r/new${index}`;
    fs.writeFileSync(own, version(++version0, 8 + draw(9000)));
    fs.renameSync(own, `${base}/r/file`);
    count('replace');
  };
  const look = () => {
    const bytes = fs.readFileSync(`${base}/r/file`);
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (bytes.length !== size) wrong(`r/file has ${bytes.length} bytes of a version of ${size}`);
    for (let i = 5; i < size; i++) if (bytes[i] !== bytes[4]) wrong(`r/file is of two versions at ${i}`);
    if (!fs.statSync(`${base}/r/file`).isFile()) wrong('r/file is no file');
    count('look');
  };

  // ── a/ ──
  const appended = new Array<number>(AF).fill(0);
  const record = new Uint8Array(REC);
  const fds = Array.from({ length: AF }, (_, i) => fs.openSync(`${base}/a/${i}`, 'a'));
  const append = () => {
    const n = draw(AF);
    record.fill(index);
    new DataView(record.buffer).setUint32(4, appended[n]);
    record[0] = 0xa5;
    record[REC - 1] = 0x5a;
    const write = () => {
      const wrote = fs.writeSync(fds[n], record);
      if (wrote !== REC) wrong(`${wrote} bytes appended`);
      appended[n]++;
    };
    attempt('append', write);
  };

  // ── p/ ──
  const blocks = fs.openSync(`${base}/p/blocks`, 'r+');
  const pwrite = () => {
    // across pages too, but each block by one call
    out.fill(1 + draw(255));
    fs.writeSync(blocks, out, 0, BLOCK, draw(BLOCKS) * BLOCK + 512);
    count('pwrite');
  };
  const pread = () => {
    const at = draw(BLOCKS);
    const n = fs.readSync(blocks, into, 0, BLOCK, at * BLOCK + 512);
    if (n !== BLOCK) wrong(`p/blocks: ${n} bytes at block ${at}`);
    for (let i = 1; i < n; i++)
      if (into[i] !== into[0]) wrong(`p/blocks: half of a write at ${at}, byte ${i}`);
    count('pread');
  };

  // ── l/ ──
  const counter = fs.openSync(`${base}/l/counter`, 'r+');
  let added = 0;
  const add = () => {
    init.flock(counter, 2);
    const word = new Uint32Array(1);
    const bytes = new Uint8Array(word.buffer);
    fs.readSync(counter, bytes, 0, 4, 0);
    word[0]++;
    fs.writeSync(counter, bytes, 0, 4, 0);
    init.flock(counter, 8);
    added++;
    count('locked');
  };

  // ── own/ ──
  const mine = new Map<string, Uint8Array>();
  const own = `${base}/own/${index}`;
  fs.mkdirSync(own, { recursive: true });
  const same = (name: string, bytes: Uint8Array) => {
    const got = fs.readFileSync(name);
    if (!got.equals(bytes)) wrong(`${name} changed: ${got.length} bytes of ${bytes.length}`);
  };
  const personal = () => {
    const name = `${own}/f${draw(12)}`;
    const what = draw(4);
    const known = mine.get(name);
    if (what === 0) {
      // a large one now and then, so that clean pages must be given back
      const bytes = new Uint8Array(draw(4) === 0 ? draw(200_000) : draw(20_000)).fill(1 + draw(255));
      if (attempt('own write', () => fs.writeFileSync(name, bytes))) mine.set(name, bytes);
      else mine.delete(name);
      if (!mine.has(name)) fs.rmSync(name, { force: true });
    } else if (known === undefined) {
      if (fs.existsSync(name)) wrong(`${name} came from nowhere`);
    } else if (what === 1) same(name, known);
    else if (what === 2) {
      const to = `${own}/f${draw(12)}`;
      fs.renameSync(name, to);
      mine.delete(name);
      mine.set(to, known);
    } else {
      fs.unlinkSync(name);
      mine.delete(name);
    }
    count('own');
  };

  // ── g/ ──
  const g = () =>
    `${base}/g/${'abc'[draw(3)]}${draw(3) === 0 ? '' : `/${'de'[draw(2)]}${draw(3) === 0 ? `/${'fg'[draw(2)]}` : ''}`}`;
  const sync = (name: string) => {
    if (draw(8) !== 0) return;
    const fd = fs.openSync(name, 'r');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  };
  const anything = () => {
    const [one, two] = [g(), g()];
    const kinds: [string, () => void][] = [
      ['write', () => fs.writeFileSync(one, new Uint8Array(draw(9000)).fill(index))],
      ['read', () => void fs.readFileSync(one)],
      ['unlink', () => fs.unlinkSync(one)],
      ['mkdir', () => fs.mkdirSync(one)],
      ['rmdir', () => fs.rmdirSync(one)],
      ['rename', () => fs.renameSync(one, two)],
      ['link', () => fs.linkSync(one, two)],
      ['symlink', () => fs.symlinkSync(two, one)],
      ['readlink', () => void fs.readlinkSync(one)],
      ['truncate', () => fs.truncateSync(one, draw(12_000))],
      ['append', () => fs.appendFileSync(one, 'more')],
      ['stat', () => void fs.statSync(one)],
      ['lstat', () => void fs.lstatSync(one)],
      ['list', () => void fs.readdirSync(one)],
      ['chmod', () => fs.chmodSync(one, draw(2) === 0 ? 0o755 : 0o711)],
      ['utimes', () => fs.utimesSync(one, draw(1000), draw(1000))],
      ['fsync', () => sync(one)],
    ];
    const [name, run] = kinds[draw(kinds.length)];
    attempt(name, run);
    if (draw(16) === 0) {
      const names = fs.readdirSync(`${base}/g`);
      if (new Set(names).size !== names.length) wrong(`a name twice in g/: ${names}`);
    }
  };

  const menu = [
    exclusive,
    exclusive,
    replace,
    look,
    look,
    append,
    pwrite,
    pread,
    pread,
    add,
    personal,
    personal,
  ];
  try {
    for (let i = 0; i < operations && Date.now() < until && Atomics.load(shared, XN) === 0; i++) {
      const what = draw(menu.length * 2);
      (menu[what] ?? anything)();
    }
    for (const [name, bytes] of mine) same(name, bytes);
    if (fs.readdirSync(own).length !== mine.size) wrong('own/ has other names');
  } catch (error) {
    Atomics.store(shared, XN, 1);
    throw error;
  }
  for (const fd of [...fds, blocks, counter]) fs.closeSync(fd);
  return { done, appended, added };
}
