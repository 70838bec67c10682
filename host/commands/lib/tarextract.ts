/** The listing and unpacking half of tar. */
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  SEEK_CUR,
} from '../../../assembly/abi/flags.ts';
import { decodeBytes } from '../../syscalls/bytes.ts';
import type { TarJob } from '../tar.ts';
import type { Tool } from './command.ts';
import { errnoOf, Failure, strerror } from './errors.ts';
import { makedev } from '../../syscalls/devices.ts';
import { directoryOf, isDirectory, tryStat } from './stat.ts';
import type { TarHeader } from './tarformat.ts';
import { lineOf } from './tarlist.ts';
import { type Member, readMembers } from './tarread.ts';
import { encodeText } from './text.ts';
import { Users } from './users.ts';

const SPECIAL: Readonly<Record<string, number>> = {
  'character-device': S_IFCHR,
  'block-device': S_IFBLK,
  fifo: S_IFIFO,
};

class Extractor {
  readonly #job: TarJob;
  readonly #users: Users;
  readonly #isRoot: boolean;
  readonly #umask: number;
  readonly #strip: number;
  /** Done when all files are there: what is written must not go through an archive's own links. */
  readonly #links: { path: string; header: TarHeader }[] = [];
  readonly #directories: { path: string; header: TarHeader }[] = [];

  constructor(job: TarJob) {
    this.#job = job;
    this.#users = new Users(job.tool.fs);
    this.#isRoot = job.tool.process.ids().euid === 0;
    this.#umask = job.tool.umask();
    const strip = job.args.options['strip-components'] ?? '0';
    if (!/^\d+$/.test(strip)) throw new Failure(`${strip}: Invalid number of elements`, 2);
    this.#strip = Number(strip);
  }

  /** Where a member goes; undefined: nowhere. */
  async #place(name: string): Promise<string | undefined> {
    const isAbsolute = this.#job.args.options['absolute-names'];
    if (!isAbsolute && name.split('/').includes('..')) {
      await this.#job.complain(`${name}: Member name contains '..', skipping`);
      return undefined;
    }
    let path = isAbsolute ? name : name.replace(/^\/+/, '');
    if (this.#strip > 0) path = path.replace(/\/+$/, '').split('/').slice(this.#strip).join('/');
    return path === '' ? undefined : path.replace(/(?<=.)\/+$/, '');
  }

  /** Is anything left of its name? */
  places(name: string): boolean {
    return name.split('/').filter((part) => part !== '').length > this.#strip;
  }

  async extract(member: Member): Promise<void> {
    const { header } = member;
    const { tool, args } = this.#job;
    const path = await this.#place(header.name);
    if (path === undefined) return;
    if (header.type === 'unknown')
      await tool.say(`${header.name}: Unknown file type '${member.flag}', extracted as normal file`);
    if (args.options['to-stdout']) {
      if (isFile(header))
        for await (const piece of member.data())
          await (piece instanceof Uint8Array ? tool.out(piece) : zerosOut(tool, piece.hole));
      return;
    }
    try {
      if (header.type === 'directory') {
        this.#makeDirectory(path);
        this.#directories.push({ path, header });
      } else {
        this.#makeAbove(path);
        if (!(await this.#cleared(path))) return;
        if (header.type === 'symlink' || header.type === 'link') {
          this.#links.push({ path, header });
          return;
        }
        await this.#make(path, member);
        if (this.#job.watch?.stops) return;
        await this.#attributes(path, header);
      }
      this.#job.watch?.extracted();
    } catch (error) {
      await this.#failed(header.name, path, error, error instanceof WriteError ? 'write' : 'open');
    }
  }

  async #failed(member: string, path: string, error: unknown, verb: string): Promise<void> {
    const cause = error instanceof WriteError ? error.cause : error;
    // The archive's end, and the like.
    if (errnoOf(cause) === 0) throw cause;
    if (this.#job.watch?.failed(member, path, cause)) return;
    await this.#job.complain(`${member}: Cannot ${verb}: ${strerror(cause)}`);
  }

  #makeDirectory(path: string): void {
    const { tool } = this.#job;
    const there = tryStat(tool.process, path, false);
    if (there !== undefined && isDirectory(there)) return;
    this.#makeAbove(path);
    if (there !== undefined) tool.process.unlinkat(AT_FDCWD, path);
    tool.process.mkdirat(AT_FDCWD, path, 0o700);
  }

  #makeAbove(path: string): void {
    const above = directoryOf(path);
    if (above === path || above === '.' || tryStat(this.#job.tool.process, above) !== undefined) return;
    this.#makeAbove(above);
    this.#job.tool.process.mkdirat(AT_FDCWD, above, 0o777);
  }

  /** Nothing is in the way any more. */
  async #cleared(path: string): Promise<boolean> {
    const { tool, args } = this.#job;
    const there = tryStat(tool.process, path, false);
    if (there === undefined) return true;
    if (args.options['keep-old-files']) {
      await this.#job.complain(`${path}: Cannot open: File exists`);
      return false;
    }
    tool.process.unlinkat(AT_FDCWD, path, isDirectory(there) ? AT_REMOVEDIR : 0);
    return true;
  }

  async #make(path: string, member: Member): Promise<void> {
    const { tool } = this.#job;
    const { header } = member;
    const special = SPECIAL[header.type];
    if (special !== undefined) {
      tool.process.mknod(path, special | 0o600, makedev(header.devmajor, header.devminor));
      return;
    }
    const fd = await tool.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    const output = tool.context.output(fd);
    let whole = false;
    let failed: WriteError | undefined;
    try {
      // All of it is read, whatever happens: what follows it has to be found.
      for await (const piece of member.data()) {
        if (failed !== undefined || this.#job.watch?.stops) continue;
        if (piece instanceof Uint8Array) {
          failed = await writing(() => output.write(piece));
          await tool.moved(piece.length);
        } else
          failed = await writing(async () => {
            await output.flush();
            tool.fs.ftruncateSync(fd, tool.process.lseek(fd, piece.hole, SEEK_CUR));
          });
      }
      failed ??= await writing(() => output.flush());
      if (failed !== undefined) throw failed;
      whole = !this.#job.watch?.stops;
    } finally {
      tool.process.close(fd);
      // GNU leaves what it could write.
      if (!whole && this.#job.watch !== undefined) tool.process.unlinkat(AT_FDCWD, path);
    }
  }

  #mode(header: TarHeader): number {
    const keeps = this.#isRoot || this.#job.args.options['preserve-permissions'];
    return keeps ? header.mode & 0o7777 : header.mode & 0o777 & ~this.#umask;
  }

  async #xattrs(path: string, { name, xattrs }: TarHeader): Promise<void> {
    for (const [attribute, value] of xattrs) {
      const bytes = encodeText(attribute);
      try {
        this.#job.tool.process.setxattr(path, bytes, value, 0, false);
      } catch (error) {
        await this.#job.complain(`${name}: Cannot set attribute '${decodeBytes(bytes)}': ${strerror(error)}`);
      }
    }
  }

  async #attributes(path: string, header: TarHeader): Promise<void> {
    const { tool, args } = this.#job;
    const ownership =
      args.last('same-owner', 'no-same-owner') ?? (this.#isRoot ? 'same-owner' : 'no-same-owner');
    if (ownership === 'same-owner') {
      const numeric = args.options['numeric-owner'];
      const uid = (!numeric && this.#users.byName(header.uname)?.uid) || header.uid;
      const gid = (!numeric && this.#users.groupByName(header.gname)?.gid) || header.gid;
      tool.fs.lchownSync(path, uid, gid);
    }
    if (args.options.xattrs) await this.#xattrs(path, header);
    if (header.type !== 'symlink') tool.fs.chmodSync(path, this.#mode(header));
    if (args.options.touch) return;
    const { mtime } = header;
    tool.process.utimensat(AT_FDCWD, path, mtime, mtime, AT_SYMLINK_NOFOLLOW);
  }

  async finish(): Promise<void> {
    const { tool } = this.#job;
    // Hard links to links need those to be there.
    this.#links.sort((a, b) => Number(a.header.type === 'link') - Number(b.header.type === 'link'));
    for (const { path, header } of this.#links) {
      if (this.#job.watch?.stops) break;
      const target = header.linkname;
      try {
        if (header.type === 'link') tool.fs.linkSync((await this.#place(target)) ?? target, path);
        else {
          tool.fs.symlinkSync(target, path);
          await this.#attributes(path, header);
        }
        this.#job.watch?.extracted();
      } catch (error) {
        const kind = header.type === 'link' ? 'hard link to' : 'create symlink to';
        await this.#failed(header.name, path, error, `${kind} '${target}'`);
      }
    }
    // The innermost first, so that no time is changed again.
    for (const { path, header } of this.#directories.reverse()) {
      try {
        await this.#attributes(path, header);
      } catch (error) {
        await this.#job.complain(`${header.name}: Cannot change attributes: ${strerror(error)}`);
      }
    }
  }
}

/** A file's data could not be written. */
class WriteError extends Error {}

async function writing(write: () => void | Promise<void>): Promise<WriteError | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    return new WriteError(undefined, { cause: error });
  }
}

const isFile = ({ type }: TarHeader) => type === 'file' || type === 'unknown';

const ZEROS = new Uint8Array(65536);

async function zerosOut(tool: Tool, count: number): Promise<void> {
  for (let left = count; left > 0; left -= ZEROS.length) await tool.out(ZEROS.subarray(0, left));
}

/** Which members are meant: those named, and what is in a directory that is. */
class Selection {
  readonly #names: readonly string[];
  readonly #found = new Set<string>();

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => name.replace(/\/+$/, ''));
  }

  has(member: string): boolean {
    if (this.#names.length === 0) return true;
    const path = member.replace(/\/+$/, '');
    const name = this.#names.find((wanted) => path === wanted || path.startsWith(`${wanted}/`));
    if (name !== undefined) this.#found.add(name);
    return name !== undefined;
  }

  missing(): string[] {
    return this.#names.filter((name) => !this.#found.has(name));
  }
}

/** List an archive, or unpack it, as the job says. @throws Error about a broken archive */
export async function readArchive(job: TarJob, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const { args } = job;
  const selection = new Selection(job.names);
  const extractor = args.options.list ? undefined : new Extractor(job);
  try {
    await readEntries(job, chunks, selection, extractor);
  } catch (error) {
    // It is cut off where it was stopped.
    if (!job.watch?.stops) throw error;
  }
  await extractor?.finish();
  for (const name of selection.missing()) await job.complain(`${name}: Not found in archive`);
}

async function readEntries(
  job: TarJob,
  chunks: AsyncIterable<Uint8Array>,
  selection: Selection,
  extractor: Extractor | undefined,
): Promise<void> {
  const { tool, args } = job;
  for await (const member of readMembers(chunks)) {
    const { header } = member;
    if (!job.watch?.stops && selection.has(header.name) && !job.excluded(header.name)) {
      const isListed = extractor === undefined || (args.options.verbose && extractor.places(header.name));
      if (isListed) {
        const line = `${lineOf(header, args, tool)}\n`;
        await (args.options['to-stdout'] ? tool.context.stderr.write(line) : tool.out(line));
      }
      await extractor?.extract(member);
    }
  }
}
