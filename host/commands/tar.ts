/** tar: archives made, listed and unpacked, entry by entry. */
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../assembly/abi/flags.ts';
import type { Output, Program } from '../programs/program.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { globExpression } from './lib/glob.ts';
import { compressed, decompressed, maybeDecompressed } from './lib/gzip.ts';
import type { Arguments } from './lib/options.ts';
import { createArchive } from './lib/tarcreate.ts';
import { readArchive } from './lib/tarextract.ts';

export const tarOptions = {
  create: { short: 'c', about: 'create a new archive' },
  extract: { short: 'x', also: ['get'], about: 'extract files from an archive' },
  list: { short: 't', about: 'list the contents of an archive' },
  file: {
    short: 'f',
    value: 'ARCHIVE',
    about: 'use archive file ARCHIVE; - is standard input or output (default)',
  },
  directory: { short: 'C', value: 'DIR', many: true, about: 'change to directory DIR' },
  gzip: { short: 'z', also: ['gunzip'], about: 'filter the archive through gzip' },
  verbose: { short: 'v', about: 'verbosely list files processed' },
  'preserve-permissions': {
    short: 'p',
    also: ['same-permissions'],
    about: 'extract information about file permissions (default for superuser)',
  },
  'same-owner': {
    about: 'try extracting files with the same ownership as exists in the archive (default for superuser)',
  },
  'no-same-owner': { short: 'o', about: 'extract files as yourself (default for ordinary users)' },
  'numeric-owner': { about: 'always use numbers for user/group names' },
  'absolute-names': { short: 'P', about: "don't strip leading '/'s from file names" },
  dereference: { short: 'h', about: 'follow symlinks; archive and dump the files they point to' },
  exclude: { value: 'PATTERN', many: true, about: 'exclude files, given as a PATTERN' },
  'files-from': { short: 'T', value: 'FILE', about: 'get names to extract or create from FILE' },
  'keep-old-files': {
    short: 'k',
    about: "don't replace existing files when extracting, treat them as errors",
  },
  'no-recursion': { about: 'avoid descending automatically in directories' },
  'strip-components': {
    value: 'NUMBER',
    about: 'strip NUMBER leading components from file names on extraction',
  },
  'to-stdout': { short: 'O', about: 'extract files to standard output' },
  xattrs: { about: 'keep extended attributes' },
  touch: { short: 'm', about: "don't extract file modified time" },
} as const;

export type TarArguments = Arguments<typeof tarOptions>;

const WITH_VALUE = 'fCT';

/** "xzf ARCHIVE" as it was before options had hyphens: letters first, their values behind, in order. */
function prepare(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words;
  if (first === '' || first.startsWith('-')) return words;
  const values = [...rest];
  const options: string[] = [];
  for (const letter of first) {
    options.push(`-${letter}`);
    if (!WITH_VALUE.includes(letter)) continue;
    const value = values.shift();
    if (value === undefined) throw new Failure(`Old option '${letter}' requires an argument.`, 2, true);
    options.push(value);
  }
  return [...options, ...values];
}

/** Looks on while an archive is unpacked. */
export interface ExtractWatch {
  /** Is no more to be unpacked? What was, gets its attributes. */
  readonly stops: boolean;
  /** A member is there. */
  extracted(): void;
  /** One could not be made, and what was begun of it is away. @returns whether that has been told */
  failed(member: string, path: string, error: unknown): boolean;
}

/** What each half of tar works with. */
export interface TarJob {
  readonly watch?: ExtractWatch;
  readonly tool: Tool;
  readonly args: TarArguments;
  readonly names: readonly string[];
  excluded(name: string): boolean;
  /** A message, and the exit status will be 2. */
  complain(message: string): Promise<void>;
}

async function namesOf(tool: Tool, { options, operands }: TarArguments): Promise<string[]> {
  const file = options['files-from'];
  if (file === undefined) return [...operands];
  const text = await tool.reading(file, (input) => input.text());
  return [...operands, ...text.split('\n').filter((name) => name !== '')];
}

async function openOutput(tool: Tool, path: string): Promise<Output> {
  if (path === '-') return tool.context.stdout;
  try {
    return tool.context.output(await tool.open(path, O_WRONLY | O_CREAT | O_TRUNC));
  } catch (error) {
    throw new Failure(
      `${path}: Cannot open: ${strerror(error)}\n${tool.name}: Error is not recoverable: exiting now`,
      2,
    );
  }
}

/** Archives are multiples of this, as tapes wanted it. */
const RECORD_BYTES = 10240;

async function* inRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    yield chunk;
  }
  yield new Uint8Array((RECORD_BYTES - (total % RECORD_BYTES)) % RECORD_BYTES);
}

async function create(job: TarJob, archive: string): Promise<void> {
  const { tool, args } = job;
  if (job.names.length === 0) throw new Failure('Cowardly refusing to create an empty archive', 2, true);
  const output = await openOutput(tool, archive);
  const outputInfo = tool.fs.fstatSync(output.fd);
  enter(tool, args.options.directory);
  const chunks = createArchive(job, outputInfo);
  const records = inRecords(chunks);
  for await (const chunk of args.options.gzip ? compressed(records) : records) {
    await output.write(chunk);
    await tool.moved(chunk.length);
  }
  await output.flush();
}

async function read(job: TarJob, archive: string): Promise<void> {
  const { tool, args } = job;
  let fd = 0;
  try {
    if (archive !== '-') fd = await tool.open(archive, 0);
  } catch (error) {
    throw new Failure(
      `${archive}: Cannot open: ${strerror(error)}\n${tool.name}: Error is not recoverable: exiting now`,
      2,
    );
  }
  enter(tool, args.options.directory);
  const bytes = tool.context.input(fd);
  const chunks = args.options.gzip ? decompressed(bytes) : maybeDecompressed(bytes);
  try {
    await readArchive(job, chunks);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { message } = error as Error;
    const isTar = /tar|header|Unexpected end/i.test(message);
    throw new Failure(
      isTar
        ? `This does not look like a tar archive\n${tool.name}: Skipping to next header\n${tool.name}: Exiting with failure status due to previous errors`
        : `${archive}: Cannot read: ${message}\n${tool.name}: Error is not recoverable: exiting now`,
      2,
    );
  }
}

function enter(tool: Tool, directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      tool.process.chdir(directory);
    } catch (error) {
      throw new Failure(
        `${directory}: Cannot open: ${strerror(error)}\n${tool.name}: Error is not recoverable: exiting now`,
        2,
      );
    }
  }
}

export const tarProgram = (watch?: ExtractWatch): Program =>
  command(
    {
      summary: 'store files in an archive, list them and extract them',
      usage: ['-c [OPTION]... FILE...', '-t [OPTION]... [MEMBER]...', '-x [OPTION]... [MEMBER]...'],
      options: tarOptions,
      prepare,
      usageStatus: 64,
      exits: { 0: 'successful', 2: 'fatal error', 64: 'wrong usage' },
    },
    async (tool, args) => {
      const { options } = args;
      const modes = [options.create, options.extract, options.list].filter(Boolean).length;
      if (modes === 0)
        throw new Failure(
          "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
          2,
          true,
        );
      if (modes > 1)
        throw new Failure(
          "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
          2,
          true,
        );
      const excludes = options.exclude.map((pattern) => globExpression(pattern));
      const job: TarJob = {
        watch,
        tool,
        args,
        names: await namesOf(tool, args),
        excluded: (name) => excludes.some((pattern) => parts(name).some((part) => pattern.test(part))),
        complain: async (message) => {
          await tool.warn(message, 2);
        },
      };
      const archive = options.file ?? '-';
      if (options.create) await create(job, archive);
      else await read(job, archive);
      if (tool.status !== 0) await tool.say('Exiting with failure status due to previous errors');
      return undefined;
    },
  );

export const tar = tarProgram();

/** A name and all that follows each of its slashes: a pattern may match any of them. */
function parts(name: string): string[] {
  const trimmed = name.replace(/\/+$/, '');
  return [...trimmed.matchAll(/(?:^|\/)(?=([\s\S]*))/g)].map((match) => match[1]).concat(trimmed.split('/'));
}
