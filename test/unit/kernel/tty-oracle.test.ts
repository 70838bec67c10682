/**
 * The line discipline beside the host's own: the same settings, keys and output on a pseudo-terminal
 * of the machine's and on one of Linux's, and everything that can be read from either end compared.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { EAGAIN } from '../../../assembly/abi/errno.ts';
import { FIONREAD, O_NOCTTY, O_NONBLOCK, O_RDWR } from '../../../assembly/abi/flags.ts';
import * as tty from '../../../assembly/abi/termios.ts';
import { buildPty } from '../../oracle/build.ts';
import { debugMachine } from './kit.ts';

/** A line of the driver's protocol (test/oracle/pty.c). */
type Command = string;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function available(): boolean {
  try {
    accessSync('/dev/ptmx', constants.R_OK | constants.W_OK);
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

function onHost(commands: readonly Command[]): string[] {
  const run = spawnSync(buildPty(), { input: `${commands.join('\n')}\n`, encoding: 'latin1' });
  if (run.status !== 0) throw new Error(`the driver failed: ${run.stderr}`);
  return run.stdout.slice(0, -1).split('\n');
}

const machine = debugMachine();
const me = machine.process();
afterAll(() => machine.shutdown());

/** A result, or the errno. */
function attempt(call: () => number): number {
  try {
    return call();
  } catch (error) {
    return (error as { errno: number }).errno;
  }
}

function drain(fd: number, size: number, between: string): string {
  let all = '';
  const buffer = Buffer.alloc(size);
  for (let i = 0; i < 10_000; i++) {
    const n = attempt(() => me.fs.readSync(fd, buffer, 0, size, null));
    if (n === -EAGAIN || (n <= 0 && between === '')) break;
    all += (n < 0 ? `${n}` : hex(buffer.subarray(0, n))) + between;
    if (n < 0) break;
  }
  return all;
}

function onMachine(commands: readonly Command[]): string[] {
  const { master, path } = me.openpty(O_NONBLOCK);
  const terminal = me.openat(-100, path, O_RDWR | O_NOCTTY | O_NONBLOCK);
  const answers = commands.map((command) => {
    const bytes = Buffer.from(command.slice(2), 'hex');
    switch (command[0]) {
      case 's':
        me.ioctl(terminal, tty.TCSETS, bytes);
        return 'ok';
      case 't':
      case 'o': {
        const fd = command[0] === 't' ? master : terminal;
        return String(attempt(() => (bytes.length === 0 ? 0 : me.fs.writeSync(fd, bytes))));
      }
      case 'd':
        return drain(terminal, Number(command.slice(2)), ',');
      case 'm':
        return drain(master, 65_536, '');
      case 'i': {
        const count = Buffer.alloc(4);
        me.ioctl(terminal, FIONREAD, count);
        return String(count.readInt32LE());
      }
      default:
        return 'ok';
    }
  });
  me.close(terminal);
  me.close(master);
  return answers;
}

// ── what is tried ──────────────────────────────────────────────────────────────────────────────

/** Each of these flags, or not. */
const flags = (...bits: number[]) =>
  fc.subarray(bits).map((chosen) => chosen.reduce((all, bit) => all | bit, 0));

const iflag = flags(
  tty.ISTRIP,
  tty.INLCR,
  tty.IGNCR,
  tty.ICRNL,
  tty.IUCLC,
  tty.IXON,
  tty.IXANY,
  tty.IUTF8,
  tty.PARMRK,
  tty.IMAXBEL,
);
const oflag = flags(tty.OPOST, tty.OLCUC, tty.ONLCR, tty.OCRNL, tty.ONOCR, tty.ONLRET, tty.XTABS);
/** With ISIG also NOFLSH: what a flush finds on Linux depends on when its workers ran. */
const lflag = flags(
  tty.ISIG | tty.NOFLSH,
  tty.ICANON,
  tty.ECHO,
  tty.ECHOE,
  tty.ECHOK,
  tty.ECHONL,
  tty.ECHOCTL,
  tty.ECHOPRT,
  tty.ECHOKE,
  tty.IEXTEN,
);

const KEYS: readonly [number, number][] = [
  [tty.VINTR, 3],
  [tty.VQUIT, 28],
  [tty.VERASE, 127],
  [tty.VKILL, 21],
  [tty.VEOF, 4],
  [tty.VSTART, 17],
  [tty.VSTOP, 19],
  [tty.VSUSP, 26],
  [tty.VEOL, 0],
  [tty.VREPRINT, 18],
  [tty.VWERASE, 23],
  [tty.VLNEXT, 22],
  [tty.VEOL2, 0],
];
const OTHER_KEYS = KEYS.map(([key]) => key).filter((key) => key !== tty.VSTART && key !== tty.VSTOP);
/** Linux's own defaults. */
const SANE: Command = (() => {
  const bytes = Buffer.alloc(tty.TERMIOS_SIZE);
  const echo = tty.ECHO | tty.ECHOE | tty.ECHOK | tty.ECHOCTL | tty.ECHOKE;
  bytes.writeUInt32LE(tty.ICRNL | tty.IXON, tty.TERMIOS_IFLAG);
  bytes.writeUInt32LE(tty.OPOST | tty.ONLCR, tty.TERMIOS_OFLAG);
  bytes.writeUInt32LE(tty.B38400 | tty.CS8 | tty.CREAD, tty.TERMIOS_CFLAG);
  bytes.writeUInt32LE(tty.ISIG | tty.NOFLSH | tty.ICANON | tty.IEXTEN | echo, tty.TERMIOS_LFLAG);
  for (const [key, value] of KEYS) bytes[tty.TERMIOS_CC + key] = value;
  bytes[tty.TERMIOS_CC + tty.VMIN] = 1;
  return `s ${hex(bytes)}`;
})();
const OFTEN = [...KEYS.map(([, byte]) => byte), 8, 9, 10, 13, 32, 35, 64, 95, 0, 255];

const byte = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 97, max: 105 }) },
  { weight: 5, arbitrary: fc.constantFrom(...OFTEN) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
);
const text = fc.oneof(
  { weight: 3, arbitrary: fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.constantFrom('a', '\t', ' ', 'ä', 'é', '漢', '🙂', '\x7f', '\x17', '\x15', '\n'), {
        maxLength: 20,
      })
      .map((parts) => Buffer.from(parts.join(''))),
  },
);

const settings = fc
  .record({
    iflag,
    oflag,
    lflag,
    sane: fc.boolean(),
    keys: fc.array(fc.tuple(fc.constantFrom(...OTHER_KEYS), fc.constantFrom(...OFTEN)), { maxLength: 2 }),
  })
  .map(({ iflag, oflag, lflag, sane, keys }) => {
    const bytes = Buffer.alloc(tty.TERMIOS_SIZE);
    const usual = sane ? tty.ICANON | tty.ECHO | tty.ECHOE | tty.ECHOK | tty.IEXTEN : 0;
    bytes.writeUInt32LE(iflag, tty.TERMIOS_IFLAG);
    bytes.writeUInt32LE(oflag | (sane ? tty.OPOST : 0), tty.TERMIOS_OFLAG);
    bytes.writeUInt32LE(tty.B38400 | tty.CS8 | tty.CREAD, tty.TERMIOS_CFLAG);
    bytes.writeUInt32LE(lflag | usual, tty.TERMIOS_LFLAG);
    for (const [key, value] of [...KEYS, ...keys]) bytes[tty.TERMIOS_CC + key] = value;
    bytes[tty.TERMIOS_CC + tty.VMIN] = 1;
    const canonical = ((lflag | usual) & tty.ICANON) !== 0;
    return { command: `s ${hex(bytes)}`, canonical, flow: (iflag & tty.IXON) !== 0 };
  });

const step = fc.record({
  settings: fc.option(settings, { freq: 4 }),
  typed: text,
  size: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(64, 65, 4096)),
  output: fc.option(text, { freq: 3 }),
});

interface Step {
  settings: { command: string; canonical: boolean; flow: boolean } | null;
  typed: Buffer;
  size: number;
  output: Buffer | null;
}

const START = 17;
const STOP = 19;

/** Bytes in pieces, with each ^S by itself: Linux withholds what it has yet to echo of a piece. */
function pieces(bytes: Buffer): Buffer[] {
  const all: Buffer[] = [];
  let from = 0;
  for (const [i, value] of bytes.entries()) {
    // with ISTRIP, 0x93 is one too
    if ((value & 0x7f) !== STOP) continue;
    all.push(bytes.subarray(from, i), bytes.subarray(i, i + 1));
    from = i + 1;
  }
  all.push(bytes.subarray(from));
  return all.filter(({ length }) => length > 0);
}

/** Commands, and which of their answers are to be compared as one stream: raw reads, which Linux's
 *  workers cut up as they run. */
function commandsOf(steps: readonly Step[]): { commands: Command[]; streams: Set<number> } {
  // the machine's terminals begin with IUTF8, Linux's without
  const commands: Command[] = ['n', SANE];
  const streams = new Set<number>();
  let canonical = true;
  let flow = true;
  for (const { settings, typed, size, output } of steps) {
    if (settings !== null) {
      // what is echoed while output is stopped Linux processes when it starts: by then as before
      if (flow) for (const byte of [START, START]) commands.push(`t ${hex(Buffer.of(byte))}`, 'd 4096');
      if (flow && !canonical) streams.add(commands.length - 1).add(commands.length - 3);
      commands.push(settings.command);
      ({ canonical, flow } = settings);
    }
    for (const piece of pieces(typed)) {
      commands.push(`t ${hex(piece)}`);
      if (!canonical) streams.add(commands.length);
      commands.push(`d ${size}`);
    }
    commands.push('i', 'm');
    if (output !== null) commands.push(`o ${hex(output)}`, 'm');
  }
  return { commands, streams };
}

function compare(steps: readonly Step[]): void {
  const { commands, streams } = commandsOf(steps);
  const shown = (answers: string[]) =>
    answers.map((answer, i) => `${commands[i]} → ${streams.has(i) ? answer.replaceAll(',', '') : answer}`);
  expect(shown(onMachine(commands))).toEqual(shown(onHost(commands)));
}

describe.skipIf(!available())('the line discipline is Linux’s', () => {
  it('for random settings, keys and output', { timeout: 120_000 }, () => {
    const sane: Step = { settings: null, typed: Buffer.from('hi\x7f\x7fho\n'), size: 64, output: null };
    compare([sane]);
    const [runs, seed] = [Number(process.env.TTY_RUNS ?? 150), process.env.TTY_SEED];
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => compare(steps)),
      { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
  });

  it('when more is typed than it holds', () => {
    const sane = Buffer.alloc(tty.TERMIOS_SIZE);
    sane.writeUInt32LE(tty.B38400 | tty.CS8 | tty.CREAD, tty.TERMIOS_CFLAG);
    sane.writeUInt32LE(tty.ICANON, tty.TERMIOS_LFLAG);
    for (const [key, value] of KEYS) sane[tty.TERMIOS_CC + key] = value;
    const long = Array.from({ length: 5000 }, (_, i) => 97 + (i % 26));
    const commands = [
      'n',
      `s ${hex(sane)}`,
      `t ${hex(Buffer.from(long))}`,
      'd 5000',
      `t ${hex(Buffer.from('!\n'))}`,
    ];
    commands.push('d 5000', `t ${hex(Buffer.from('next\n'))}`, 'd 5000', 'i', 'm');
    expect(onMachine(commands)).toEqual(onHost(commands));
  });
});
