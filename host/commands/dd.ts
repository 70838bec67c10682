/** dd: blocks of bytes copied and converted. */
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_SYNC,
  O_TRUNC,
  O_WRONLY,
  SEEK_CUR,
} from '../../assembly/abi/flags.ts';
import { ESPIPE } from '../../assembly/abi/errno.ts';
import { SIGUSR1 } from '../../assembly/abi/signals.ts';
import { expressionCommand, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { parseSize } from './lib/numbers.ts';
import { quoted } from './lib/quote.ts';

const FLAGS: Readonly<Record<string, number>> = {
  append: O_APPEND,
  directory: O_DIRECTORY,
  dsync: O_DSYNC,
  sync: O_SYNC,
  nonblock: O_NONBLOCK,
  nofollow: O_NOFOLLOW,
};
const SPECIAL_FLAGS = ['fullblock', 'count_bytes', 'skip_bytes', 'seek_bytes', 'noatime', 'nocache'];
const CONVERSIONS = [
  'notrunc',
  'noerror',
  'sync',
  'fsync',
  'fdatasync',
  'excl',
  'nocreat',
  'lcase',
  'ucase',
  'swab',
  'sparse',
];
const STATUSES = ['none', 'noxfer', 'progress'];

interface Job {
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly ibs: number;
  readonly obs: number;
  /** Blocks, or bytes where that is said; undefined: all. */
  readonly count: number | undefined;
  readonly skipBytes: number;
  readonly seekBytes: number;
  readonly conversions: ReadonlySet<string>;
  readonly iflags: ReadonlySet<string>;
  readonly oflags: ReadonlySet<string>;
  readonly status: string | undefined;
}

function list(text: string, known: readonly string[], what: string): ReadonlySet<string> {
  const words = text === '' ? [] : text.split(',');
  for (const word of words) {
    if (!known.includes(word)) throw new Failure(`invalid ${what}: ${quoted(word)}`, 1, true);
  }
  return new Set(words);
}

function size(text: string): number {
  const product = text.split('x').map((part) => parseSize(part));
  if (product.includes(undefined)) throw new Failure(`invalid number: ${quoted(text)}`);
  return (product as number[]).reduce((a, b) => a * b, 1);
}

function blockSize(text: string): number {
  const bytes = size(text);
  if (bytes === 0) throw new Failure(`invalid number: ${quoted(text)}`);
  return bytes;
}

const OPERANDS = [
  'if',
  'of',
  'bs',
  'ibs',
  'obs',
  'cbs',
  'count',
  'skip',
  'iseek',
  'seek',
  'oseek',
  'conv',
  'iflag',
  'oflag',
  'status',
];

function parse(words: readonly string[]): Job {
  const given: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = word.slice(0, equals);
    if (equals < 0 || !OPERANDS.includes(key))
      throw new Failure(`unrecognized operand ${quoted(word)}`, 1, true);
    const isList = key === 'conv' || key === 'iflag' || key === 'oflag';
    const value = word.slice(equals + 1);
    given[key] = isList && given[key] ? `${given[key]},${value}` : value;
  }
  const known = [...Object.keys(FLAGS), ...SPECIAL_FLAGS];
  const iflags = list(given.iflag ?? '', known, 'input flag');
  const oflags = list(given.oflag ?? '', known, 'output flag');
  const ibs = blockSize(given.bs ?? given.ibs ?? '512');
  const obs = blockSize(given.bs ?? given.obs ?? '512');
  const offset = (text: string, block: number, isBytes: boolean) =>
    size(text) * (isBytes || text.endsWith('B') ? 1 : block);
  const status = given.status;
  if (status !== undefined && !STATUSES.includes(status))
    throw new Failure(`invalid status level: ${quoted(status)}`, 1, true);
  return {
    input: given.if,
    output: given.of,
    ibs,
    obs,
    count: given.count === undefined ? undefined : size(given.count),
    skipBytes: offset(given.skip ?? given.iseek ?? '0', ibs, iflags.has('skip_bytes')),
    seekBytes: offset(given.seek ?? given.oseek ?? '0', obs, oflags.has('seek_bytes')),
    conversions: list(given.conv ?? '', CONVERSIONS, 'conversion'),
    iflags,
    oflags,
    status,
  };
}

const flagBits = (flags: ReadonlySet<string>) =>
  [...flags].reduce((bits, flag) => bits | (FLAGS[flag] ?? 0), 0);

class Dd {
  readonly tool: Tool;
  readonly job: Job;
  readonly #started: number;
  readonly #in: number;
  readonly #out: number;
  #full = { in: 0, out: 0 };
  #partial = { in: 0, out: 0 };
  #bytes = 0;
  /** Bytes that wait until a block of output is full. */
  #held: Uint8Array = new Uint8Array(0);
  #reported = 0;

  constructor(tool: Tool, job: Job, input: number, output: number) {
    this.tool = tool;
    this.job = job;
    this.#in = input;
    this.#out = output;
    this.#started = this.#now();
  }

  #now(): number {
    const { seconds, nanoseconds } = this.tool.now();
    return seconds + nanoseconds / 1e9;
  }

  async #read(buffer: Uint8Array): Promise<number> {
    const input = this.tool.context.input(this.#in);
    let done = await input.readInto(buffer);
    if (!this.job.iflags.has('fullblock')) return done;
    while (done > 0 && done < buffer.length) {
      const count = await input.readInto(buffer.subarray(done));
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async skip(): Promise<void> {
    const { job, tool } = this;
    if (job.skipBytes === 0) return;
    try {
      const end = tool.fs.fstatSync(this.#in);
      tool.process.lseek(this.#in, job.skipBytes, SEEK_CUR);
      if (end.isFile() && job.skipBytes > end.size)
        await tool.say(
          `${job.input === undefined ? "'standard input'" : quoted(job.input)}: cannot skip to specified offset`,
        );
    } catch (error) {
      if (errnoOf(error) !== ESPIPE) throw error;
      const buffer = new Uint8Array(job.ibs);
      for (let left = job.skipBytes; left > 0; ) {
        const count = await this.#read(buffer.subarray(0, Math.min(left, job.ibs)));
        if (count === 0) break;
        left -= count;
      }
    }
  }

  #convert(block: Uint8Array): Uint8Array {
    const { conversions } = this.job;
    if (conversions.has('swab')) {
      for (let i = 0; i + 1 < block.length; i += 2) [block[i], block[i + 1]] = [block[i + 1], block[i]];
    }
    for (const [name, first] of [
      ['lcase', 65],
      ['ucase', 97],
    ] as const) {
      if (conversions.has(name))
        for (const [i, byte] of block.entries()) if (byte >= first && byte < first + 26) block[i] = byte ^ 32;
    }
    return block;
  }

  async copy(): Promise<void> {
    const { job } = this;
    const inBytes = job.iflags.has('count_bytes');
    let left = job.count ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      const buffer = new Uint8Array(inBytes ? Math.min(job.ibs, left) : job.ibs);
      let count: number;
      try {
        count = await this.#read(buffer);
      } catch (error) {
        await this.tool.failed(`error reading ${quoted(job.input ?? 'standard input')}`, error);
        if (!job.conversions.has('noerror')) break;
        await this.report();
        this.tool.process.lseek(this.#in, job.ibs, SEEK_CUR);
        left -= inBytes ? job.ibs : 1;
        continue;
      }
      if (count === 0) break;
      if (count === job.ibs) this.#full.in++;
      else this.#partial.in++;
      left -= inBytes ? count : 1;
      // conv=sync fills a short block with zeros, which the buffer is full of already.
      const block = this.#convert(job.conversions.has('sync') ? buffer : buffer.subarray(0, count));
      await this.#write(block);
      if (job.status === 'progress') await this.#progress();
    }
    if (this.#held.length > 0) await this.#put(this.#held);
  }

  async #write(block: Uint8Array): Promise<void> {
    const { ibs, obs } = this.job;
    if (ibs === obs) {
      await this.#put(block);
      return;
    }
    const all = new Uint8Array(this.#held.length + block.length);
    all.set(this.#held);
    all.set(block, this.#held.length);
    let at = 0;
    for (; all.length - at >= obs; at += obs) await this.#put(all.subarray(at, at + obs));
    this.#held = all.subarray(at);
  }

  async #put(block: Uint8Array): Promise<void> {
    const output = this.tool.context.output(this.#out);
    const zero = this.job.conversions.has('sparse') && block.every((byte) => byte === 0);
    try {
      if (zero) this.tool.process.lseek(this.#out, block.length, SEEK_CUR);
      else {
        await output.write(block);
        await output.flush();
      }
    } catch (error) {
      throw new Failure(`error writing ${quoted(this.job.output ?? 'standard output')}: ${strerror(error)}`);
    }
    this.#bytes += block.length;
    if (block.length === this.job.obs) this.#full.out++;
    else this.#partial.out++;
    await this.tool.moved(block.length);
  }

  /** A file that ends in a hole has its size by that alone. */
  endSparse(): void {
    if (!this.job.conversions.has('sparse')) return;
    const at = this.tool.process.lseek(this.#out, 0, SEEK_CUR);
    if (this.tool.fs.fstatSync(this.#out).size < at) this.tool.fs.ftruncateSync(this.#out, at);
  }

  sync(): void {
    const { conversions } = this.job;
    if (conversions.has('fsync')) this.tool.fs.fsyncSync(this.#out);
    else if (conversions.has('fdatasync')) this.tool.fs.fdatasyncSync(this.#out);
  }

  #transfer(): string {
    const seconds = Math.max(this.#now() - this.#started, 1e-6);
    const bytes = this.#bytes;
    const units = [
      ...(bytes >= 1000 ? [decimal(bytes, 1000)] : []),
      ...(bytes >= 1024 ? [decimal(bytes, 1024)] : []),
    ];
    const also = units.length > 0 ? ` (${units.join(', ')})` : '';
    const s = Number(seconds.toPrecision(6));
    return `${bytes} byte${bytes === 1 ? '' : 's'}${also} copied, ${s} s, ${decimal(bytes / seconds, 1000)}/s`;
  }

  async #progress(): Promise<void> {
    const now = this.#now();
    if (now - this.#reported < 1) return;
    this.#reported = now;
    await this.tool.context.stderr.write(`\r${this.#transfer()}`);
  }

  async report(): Promise<void> {
    const { status } = this.job;
    if (status === 'none') return;
    const { stderr } = this.tool.context;
    if (status === 'progress' && this.#reported > 0) await stderr.write('\n');
    await stderr.write(
      `${this.#full.in}+${this.#partial.in} records in\n${this.#full.out}+${this.#partial.out} records out\n`,
    );
    if (status !== 'noxfer') await stderr.write(`${this.#transfer()}\n`);
  }
}

const UNITS = ' kMGTPEZY';

/** A number with a unit, as 1.0 MB or 12 KiB, rounded to the nearest. */
function decimal(value: number, factor: 1000 | 1024): string {
  let scaled = value;
  let power = 0;
  while (Math.round(scaled) >= factor && power < UNITS.length - 1) {
    scaled /= factor;
    power++;
  }
  const text = scaled < 9.95 ? scaled.toFixed(1) : scaled.toFixed(0);
  if (power === 0) return `${text} B`;
  return `${text} ${factor === 1024 ? `${UNITS[power].toUpperCase()}iB` : `${UNITS[power]}B`}`;
}

async function openOutput(tool: Tool, job: Job): Promise<number> {
  const { conversions, output, seekBytes } = job;
  if (output === undefined) return 1;
  let flags = O_WRONLY | flagBits(job.oflags);
  if (!conversions.has('nocreat')) flags |= O_CREAT;
  if (conversions.has('excl')) flags |= O_EXCL;
  const truncates = !conversions.has('notrunc');
  if (truncates && seekBytes === 0) flags |= O_TRUNC;
  let fd: number;
  try {
    fd = await tool.open(output, flags);
  } catch (error) {
    throw new Failure(`failed to open ${quoted(output)}: ${strerror(error)}`);
  }
  if (truncates && seekBytes > 0 && tool.fs.fstatSync(fd).isFile()) tool.fs.ftruncateSync(fd, seekBytes);
  return fd;
}

export const dd = expressionCommand(
  {
    summary: 'convert and copy a file',
    usage: ['[OPERAND]...', 'OPTION'],
    options: {},
    details: [
      'Operands:\n  if=FILE of=FILE      instead of standard input and output\n  bs=BYTES ibs=BYTES obs=BYTES (512)\n  count=N              copy only N input blocks\n  skip=N seek=N        skip N blocks of input, of output\n  conv=CONVS           notrunc noerror sync fsync fdatasync excl nocreat lcase ucase swab sparse\n  iflag=FLAGS oflag=FLAGS  append directory dsync sync nonblock nofollow fullblock count_bytes skip_bytes seek_bytes\n  status=LEVEL         none noxfer progress',
      'N and BYTES may be followed by c=1, w=2, b=512, kB=1000, K=1024, MB, M and so on; NxM multiplies. SIGUSR1 makes dd print its statistics.',
    ],
  },
  async (tool, words) => {
    const job = parse(words);
    let input = 0;
    if (job.input !== undefined) {
      try {
        input = await tool.open(job.input, flagBits(job.iflags));
      } catch (error) {
        throw new Failure(`failed to open ${quoted(job.input)}: ${strerror(error)}`);
      }
    }
    const output = await openOutput(tool, job);
    if (job.seekBytes > 0) tool.process.lseek(output, job.seekBytes, SEEK_CUR);
    const dd = new Dd(tool, job, input, output);
    tool.context.onSignal(SIGUSR1, () => void dd.report());
    try {
      await dd.skip();
      await dd.copy();
      dd.endSparse();
      dd.sync();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await tool.warn(error.message);
    }
    await dd.report();
    return tool.status;
  },
);
