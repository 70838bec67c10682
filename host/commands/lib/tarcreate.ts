/** The making half of tar. */
import {
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../../assembly/abi/flags.ts';
import type { TarJob } from '../tar.ts';
import { pack, type TarHeader, type TarPack } from '../../vendor/tar.ts';
import { strerror } from './errors.ts';
import { type Info, isDirectory, isLink, isRegular, join, lstat, major, minor, stat } from './stat.ts';
import { lineOf } from './tarlist.ts';
import { withBytes } from './tarnames.ts';
import { Users } from './users.ts';

const TYPES = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character-device'],
  [S_IFBLK, 'block-device'],
  [S_IFIFO, 'fifo'],
]);

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

class Archiver {
  readonly #job: TarJob;
  readonly #pack: TarPack;
  readonly #users: Users;
  readonly #archive: Identity;
  /** Names of files that have several: "dev:ino" → the first one archived. */
  readonly #links = new Map<string, string>();
  #stripped = false;

  constructor(job: TarJob, packer: TarPack, archive: Identity) {
    this.#job = job;
    this.#pack = packer;
    this.#users = new Users(job.tool.fs);
    this.#archive = archive;
  }

  async #member(path: string): Promise<string> {
    const { tool, args } = this.#job;
    if (args.options['absolute-names']) return path;
    const name = path.replace(/^\/+/, '');
    if (name !== path && !this.#stripped) {
      this.#stripped = true;
      await tool.say("Removing leading `/' from member names");
    }
    return name === '' ? './' : name;
  }

  async add(path: string): Promise<void> {
    const { tool, args } = this.#job;
    if (this.#job.excluded(path)) return;
    let info: Info;
    try {
      info = args.options.dereference ? stat(tool.process, path) : lstat(tool.process, path);
    } catch (error) {
      await this.#job.complain(`${path}: Cannot stat: ${strerror(error)}`);
      return;
    }
    const type = TYPES.get(info.mode & S_IFMT);
    if (type === undefined) {
      await tool.say(`${path}: socket ignored`);
      return;
    }
    if (isRegular(info) && info.dev === this.#archive.dev && info.ino === this.#archive.ino) {
      await tool.say(`${path}: file is the archive; not dumped`);
      return;
    }
    await this.#entry(path, info, type);
    if (!isDirectory(info) || args.options['no-recursion']) return;
    try {
      for (const name of tool.fs.readdirSync(path)) await this.add(join(path, name));
    } catch (error) {
      await this.#job.complain(`${path}: Cannot open: ${strerror(error)}`);
    }
  }

  #header(name: string, path: string, info: Info, type: string): TarHeader {
    const numeric = this.#job.args.options['numeric-owner'];
    return {
      name: type === 'directory' && !name.endsWith('/') ? `${name}/` : name,
      mode: info.mode & 0o7777,
      uid: info.uid,
      gid: info.gid,
      uname: numeric ? '' : (this.#users.byUid(info.uid)?.name ?? ''),
      gname: numeric ? '' : (this.#users.groupByGid(info.gid)?.name ?? ''),
      size: type === 'file' ? info.size : 0,
      mtime: new Date(info.mtime.seconds * 1000),
      type,
      linkname: isLink(info) ? this.#job.tool.fs.readlinkSync(path) : null,
      devmajor: type.endsWith('device') ? major(info.rdev) : 0,
      devminor: type.endsWith('device') ? minor(info.rdev) : 0,
    };
  }

  async #entry(path: string, info: Info, type: string): Promise<void> {
    const { tool, args } = this.#job;
    const name = await this.#member(path);
    const header = this.#header(name, path, info, type);
    const key = `${info.dev}:${info.ino}`;
    const first = this.#links.get(key);
    if (!isDirectory(info) && first !== undefined)
      Object.assign(header, { type: 'link', linkname: first, size: 0 });
    else if (!isDirectory(info) && info.nlink > 1) this.#links.set(key, name);
    let fd: number | undefined;
    if (header.type === 'file') {
      try {
        fd = await tool.open(path, O_RDONLY);
      } catch (error) {
        await this.#job.complain(`${path}: Cannot open: ${strerror(error)}`);
        return;
      }
    }
    if (args.options.verbose) {
      // The archive itself may be what standard output is for.
      const { stdout, stderr } = tool.context;
      await ((args.options.file ?? '-') === '-' ? stderr : stdout).write(`${lineOf(header, args, tool)}\n`);
    }
    try {
      await this.#content(header, fd, path);
    } finally {
      if (fd !== undefined) tool.process.close(fd);
    }
  }

  async #content(header: TarHeader, fd: number | undefined, path: string): Promise<void> {
    const done = deferred();
    const { before, header: written } = withBytes(header);
    for (const block of before) this.#pack.push(block);
    const sink = this.#pack.entry(written, (error) => (error ? done.reject(error) : done.resolve()));
    if (fd !== undefined) {
      const input = this.#job.tool.context.input(fd);
      let left = header.size;
      while (left > 0) {
        const chunk = await input.read(Math.min(left, 65536));
        if (chunk.length === 0) {
          await this.#job.complain(`${path}: File shrank by ${left} bytes; padding with zeros`);
          while (left > 0) {
            const zeros = new Uint8Array(Math.min(left, 65536));
            await put(sink, zeros);
            left -= zeros.length;
          }
          break;
        }
        left -= chunk.length;
        await put(sink, chunk);
      }
    }
    sink.end();
    await done.promise;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function put(
  sink: { write(chunk: Uint8Array): boolean; once(event: 'drain', listener: () => void): void },
  chunk: Uint8Array,
): Promise<void> {
  if (!sink.write(chunk)) await new Promise<void>((resolve) => sink.once('drain', resolve));
}

/** The archive of the job's files, in chunks. */
export async function* createArchive(job: TarJob, archive: Identity): AsyncGenerator<Uint8Array> {
  const packer = pack();
  const adding = (async () => {
    const archiver = new Archiver(job, packer, archive);
    for (const name of job.names) await archiver.add(name.replace(/(?<=.)\/+$/, ''));
    packer.finalize();
  })();
  adding.catch((error) => packer.destroy(error as Error));
  for await (const chunk of packer) yield chunk;
  await adding;
}
