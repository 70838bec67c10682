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
import { EOPNOTSUPP } from '../../../assembly/abi/errno.ts';
import type { TarJob } from '../tar.ts';
import type { Process } from '../../syscalls/process.ts';
import { errnoOf, strerror } from './errors.ts';
import { major, minor } from '../../syscalls/devices.ts';
import { type Info, isDirectory, isLink, isRegular, join, lstat, stat } from './stat.ts';
import { endBlocks, headerBlocks, type MemberType, padding, type TarHeader } from './tarformat.ts';
import { lineOf } from './tarlist.ts';
import { decodeText } from './text.ts';
import { Users } from './users.ts';

const TYPES = new Map<number, MemberType>([
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
  readonly #users: Users;
  readonly #archive: Identity;
  /** Names of files that have several: "dev:ino" → the first one archived. */
  readonly #links = new Map<string, string>();
  #stripped = false;

  constructor(job: TarJob, archive: Identity) {
    this.#job = job;
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

  async *add(path: string): AsyncGenerator<Uint8Array> {
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
    yield* this.#entry(path, info, type);
    if (!isDirectory(info) || args.options['no-recursion']) return;
    let names: string[];
    try {
      names = tool.fs.readdirSync(path);
    } catch (error) {
      await this.#job.complain(`${path}: Cannot open: ${strerror(error)}`);
      return;
    }
    for (const name of names) yield* this.add(join(path, name));
  }

  #header(name: string, path: string, info: Info, type: MemberType): TarHeader {
    const numeric = this.#job.args.options['numeric-owner'];
    return {
      name: type === 'directory' && !name.endsWith('/') ? `${name}/` : name,
      mode: info.mode & 0o7777,
      uid: info.uid,
      gid: info.gid,
      uname: numeric ? '' : (this.#users.byUid(info.uid)?.name ?? ''),
      gname: numeric ? '' : (this.#users.groupByGid(info.gid)?.name ?? ''),
      size: type === 'file' ? info.size : 0,
      mtime: info.mtime,
      type,
      linkname: isLink(info) ? this.#job.tool.fs.readlinkSync(path) : '',
      devmajor: type.endsWith('device') ? major(info.rdev) : 0,
      devminor: type.endsWith('device') ? minor(info.rdev) : 0,
      xattrs: this.#job.args.options.xattrs ? xattrsOf(this.#job.tool.process, path) : new Map(),
    };
  }

  async *#entry(path: string, info: Info, type: MemberType): AsyncGenerator<Uint8Array> {
    const { tool, args } = this.#job;
    const name = await this.#member(path);
    const header = this.#header(name, path, info, type);
    const key = `${info.dev}:${info.ino}`;
    const first = this.#links.get(key);
    if (!isDirectory(info) && first !== undefined)
      Object.assign(header, { type: 'link', linkname: first, size: 0, xattrs: new Map() });
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
      yield headerBlocks(header);
      if (fd !== undefined) yield* this.#content(header, fd, path);
    } finally {
      if (fd !== undefined) tool.process.close(fd);
    }
  }

  async *#content({ size }: TarHeader, fd: number, path: string): AsyncGenerator<Uint8Array> {
    const input = this.#job.tool.context.input(fd);
    let left = size;
    while (left > 0) {
      const chunk = await input.read(Math.min(left, CHUNK_BYTES));
      if (chunk.length === 0) {
        await this.#job.complain(`${path}: File shrank by ${left} bytes; padding with zeros`);
        break;
      }
      left -= chunk.length;
      yield chunk;
    }
    for (; left > 0; left -= Math.min(left, CHUNK_BYTES)) yield new Uint8Array(Math.min(left, CHUNK_BYTES));
    yield padding(size);
  }
}

const CHUNK_BYTES = 65536;

/** A file's extended attributes, their names each byte a character. Where there can be none, none. */
function xattrsOf(process: Process, path: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let names: Uint8Array[];
  try {
    names = process.listxattrBytes(path, false);
  } catch (error) {
    if (errnoOf(error) === EOPNOTSUPP) return found;
    throw error;
  }
  for (const name of names) found.set(decodeText(name), process.getxattr(path, name, false));
  return found;
}

/** The archive of the job's files, in chunks. */
export async function* createArchive(job: TarJob, archive: Identity): AsyncGenerator<Uint8Array> {
  const archiver = new Archiver(job, archive);
  for (const name of job.names) yield* archiver.add(name.replace(/(?<=.)\/+$/, ''));
  yield endBlocks();
}
