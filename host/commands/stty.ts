/** stty: shows and sets a terminal's modes. */
import * as t from '../../assembly/abi/termios.ts';
import type { Termios } from '../syscalls/ttycalls.ts';
import { command, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { quoted } from './lib/quote.ts';
import { windowSize } from './lib/terminal.ts';

type Word = 'iflag' | 'oflag' | 'cflag' | 'lflag';

/** Modes that are on or off, in the order in which they are shown; what is usual is not shown. */
const MODES: Readonly<Record<string, readonly [word: Word, bit: number, usual: boolean]>> = {
  parenb: ['cflag', t.PARENB, false],
  cread: ['cflag', t.CREAD, true],
  ignbrk: ['iflag', t.IGNBRK, false],
  brkint: ['iflag', t.BRKINT, false],
  ignpar: ['iflag', t.IGNPAR, false],
  parmrk: ['iflag', t.PARMRK, false],
  inpck: ['iflag', t.INPCK, false],
  istrip: ['iflag', t.ISTRIP, false],
  inlcr: ['iflag', t.INLCR, false],
  igncr: ['iflag', t.IGNCR, false],
  icrnl: ['iflag', t.ICRNL, true],
  ixon: ['iflag', t.IXON, true],
  ixoff: ['iflag', t.IXOFF, false],
  iuclc: ['iflag', t.IUCLC, false],
  ixany: ['iflag', t.IXANY, false],
  imaxbel: ['iflag', t.IMAXBEL, false],
  iutf8: ['iflag', t.IUTF8, false],
  opost: ['oflag', t.OPOST, true],
  olcuc: ['oflag', t.OLCUC, false],
  ocrnl: ['oflag', t.OCRNL, false],
  onlcr: ['oflag', t.ONLCR, true],
  onocr: ['oflag', t.ONOCR, false],
  onlret: ['oflag', t.ONLRET, false],
  isig: ['lflag', t.ISIG, true],
  icanon: ['lflag', t.ICANON, true],
  iexten: ['lflag', t.IEXTEN, true],
  echo: ['lflag', t.ECHO, true],
  echoe: ['lflag', t.ECHOE, true],
  echok: ['lflag', t.ECHOK, true],
  echonl: ['lflag', t.ECHONL, false],
  noflsh: ['lflag', t.NOFLSH, false],
  tostop: ['lflag', t.TOSTOP, false],
  echoprt: ['lflag', t.ECHOPRT, false],
  echoctl: ['lflag', t.ECHOCTL, true],
  echoke: ['lflag', t.ECHOKE, true],
};

/** Control characters: where they are, and what they usually are. */
const CHARACTERS: Readonly<Record<string, readonly [index: number, usual: number]>> = {
  intr: [t.VINTR, 3],
  quit: [t.VQUIT, 28],
  erase: [t.VERASE, 127],
  kill: [t.VKILL, 21],
  eof: [t.VEOF, 4],
  eol: [t.VEOL, 0],
  eol2: [t.VEOL2, 0],
  start: [t.VSTART, 17],
  stop: [t.VSTOP, 19],
  susp: [t.VSUSP, 26],
  rprnt: [t.VREPRINT, 18],
  werase: [t.VWERASE, 23],
  lnext: [t.VLNEXT, 22],
  discard: [t.VDISCARD, 15],
};

/** Several modes by one name. */
const COMBINATIONS: Readonly<Record<string, string>> = {
  raw: '-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr -icrnl -ixon -ixoff -ixany -imaxbel -opost -isig -icanon -iuclc min 1 time 0',
  cooked: 'brkint ignpar istrip icrnl ixon opost isig icanon eof ^D eol undef',
  '-raw': 'cooked',
  '-cooked': 'raw',
  cbreak: '-icanon min 1 time 0',
  '-cbreak': 'icanon',
  sane: 'cread -ignbrk brkint -inlcr -igncr icrnl -ixoff -iuclc -ixany imaxbel opost -olcuc -ocrnl onlcr -onocr -onlret isig icanon iexten echo echoe echok -echonl -noflsh -tostop echoctl echoke -echoprt intr ^C quit ^\\ erase ^? kill ^U eof ^D eol undef start ^Q stop ^S susp ^Z rprnt ^R werase ^W lnext ^V discard ^O',
  nl: '-icrnl -onlcr',
  '-nl': 'icrnl -inlcr -igncr onlcr -ocrnl -onlret',
  dec: 'echoe echoctl echoke -ixany intr ^C erase ^? kill ^U',
  crt: 'echoe echoctl echoke',
  ek: 'erase ^? kill ^U',
};

const WORDS = ['iflag', 'oflag', 'cflag', 'lflag'] as const;

class Terminal {
  readonly #tool: Tool;
  readonly #fd: number;
  readonly #modes: Termios;

  constructor(tool: Tool, fd: number, name: string) {
    this.#tool = tool;
    this.#fd = fd;
    try {
      this.#modes = tool.process.tcgetattr(fd);
    } catch (error) {
      throw new Failure(`${name}: ${strerror(error)}`);
    }
  }

  has(word: Word, bit: number): boolean {
    return (this.#modes[word] & bit) !== 0;
  }

  set(word: Word, bit: number, on: boolean): void {
    this.#modes[word] = on ? this.#modes[word] | bit : this.#modes[word] & ~bit;
  }

  character(index: number): number {
    return this.#modes.cc[index];
  }

  setCharacter(index: number, value: number): void {
    this.#modes.cc[index] = value;
  }

  apply(): void {
    this.#tool.process.tcsetattr(this.#fd, this.#modes, t.TCSETSW);
  }

  /** All of it in hexadecimal, as -g shows it and stty takes it. */
  get text(): string {
    const words = WORDS.map((word) => (this.#modes[word] >>> 0).toString(16));
    return [...words, ...Array.from(this.#modes.cc, (value) => value.toString(16))].join(':');
  }

  restore(text: string): boolean {
    const parts = text.split(':').map((part) => Number.parseInt(part, 16));
    if (parts.length !== WORDS.length + t.NCCS || parts.some(Number.isNaN)) return false;
    for (const [i, word] of WORDS.entries()) this.#modes[word] = parts[i];
    this.#modes.cc.set(parts.slice(WORDS.length));
    return true;
  }

  resize(change: { rows?: number; columns?: number }): void {
    const { process } = this.#tool;
    process.setWindowSize(this.#fd, { ...process.windowSize(this.#fd), ...change });
  }
}

function characterText(value: number): string {
  if (value === 0) return '<undef>';
  if (value === 127) return '^?';
  return value < 32 ? `^${String.fromCharCode(value + 64)}` : String.fromCharCode(value);
}

function characterValue(text: string): number {
  if (text === '^-' || text === 'undef' || text === '') return 0;
  if (text === '^?') return 127;
  if (/^\^.$/.test(text)) return text[1].toUpperCase().charCodeAt(0) & 31;
  if (text.length === 1) return text.charCodeAt(0);
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text) && Number(text) < 256) return Number(text);
  throw new Failure(`invalid integer argument: ${quoted(text)}`, 1);
}

/** @returns how many of the words were taken */
function change(terminal: Terminal, word: string, argument: string | undefined): number {
  const combination = COMBINATIONS[word];
  if (combination !== undefined) {
    changeAll(terminal, combination.split(' '));
    return 1;
  }
  const name = word.replace(/^-/, '');
  if (Object.hasOwn(MODES, name)) {
    const [field, bit] = MODES[name];
    terminal.set(field, bit, name === word);
    return 1;
  }
  const needed = () => {
    if (argument === undefined) throw new Failure(`missing argument to ${quoted(word)}`, 1, true);
    return argument;
  };
  const number = () => {
    if (!/^\d+$/.test(needed())) throw new Failure(`invalid integer argument: ${quoted(needed())}`);
    return Number(needed());
  };
  if (Object.hasOwn(CHARACTERS, word)) terminal.setCharacter(CHARACTERS[word][0], characterValue(needed()));
  else if (word === 'min') terminal.setCharacter(t.VMIN, number());
  else if (word === 'time') terminal.setCharacter(t.VTIME, number());
  else if (word === 'rows') terminal.resize({ rows: number() });
  else if (word === 'cols' || word === 'columns') terminal.resize({ columns: number() });
  else if (terminal.restore(word)) return 1;
  else throw new Failure(`invalid argument ${quoted(word)}`, 1, true);
  return 2;
}

function changeAll(terminal: Terminal, words: readonly string[]): void {
  for (let i = 0; i < words.length; ) i += change(terminal, words[i], words[i + 1]);
}

function modesText(terminal: Terminal, all: boolean): string {
  const lines: string[] = [];
  for (const word of ['cflag', 'iflag', 'oflag', 'lflag'] as const) {
    const shown = Object.entries(MODES)
      .filter(([, [field, bit, usual]]) => field === word && (all || terminal.has(word, bit) !== usual))
      .map(([name, [field, bit]]) => (terminal.has(field, bit) ? name : `-${name}`));
    if (shown.length > 0) lines.push(shown.join(' '));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function show(tool: Tool, terminal: Terminal, all: boolean): string {
  const size = windowSize(tool, 0) ?? { rows: 0, columns: 0 };
  const characters = Object.entries(CHARACTERS)
    .filter(([, [index, usual]]) => all || terminal.character(index) !== usual)
    .map(([name, [index]]) => `${name} = ${characterText(terminal.character(index))};`);
  if (all || !terminal.has('lflag', t.ICANON)) {
    characters.push(`min = ${terminal.character(t.VMIN)};`, `time = ${terminal.character(t.VTIME)};`);
  }
  const heading = all
    ? `speed 38400 baud; rows ${size.rows}; columns ${size.columns};\n`
    : 'speed 38400 baud;\n';
  const lines: string[] = [];
  for (let i = 0; i < characters.length; i += 6) lines.push(`${characters.slice(i, i + 6).join(' ')}\n`);
  return heading + lines.join('') + modesText(terminal, all);
}

/** Settings begin with hyphens, as options do: those go first. */
function prepare(words: readonly string[]): readonly string[] {
  const at = words.findIndex(
    (word, i) => !/^(-a|-g|-F|--all|--save|--help|--file(=.*)?|--no-.*)$/.test(word) && words[i - 1] !== '-F',
  );
  return at < 0 ? words : [...words.slice(0, at), '--', ...words.slice(at)];
}

export const stty = command(
  {
    summary: 'print or change terminal characteristics',
    usage: ['[-F DEVICE] [SETTING]...', '[-F DEVICE] -a|-g'],
    options: {
      all: { short: 'a', about: 'print all current settings in human-readable form' },
      save: { short: 'g', about: 'print all current settings in a stty-readable form' },
      file: {
        short: 'F',
        value: 'DEVICE',
        about: 'open and use the specified DEVICE instead of standard input',
      },
    },
    prepare,
    details: [
      `Modes, off with a hyphen in front: ${Object.keys(MODES).join(' ')}`,
      `Characters (^C, undef): ${Object.keys(CHARACTERS).join(' ')}`,
      `Others: rows N, cols N, min N, time N, size, ${Object.keys(COMBINATIONS).join(' ')}`,
    ],
  },
  async (tool, { options, operands }) => {
    const name = options.file ?? "'standard input'";
    const fd = options.file === undefined ? 0 : await tool.open(options.file, 0);
    const terminal = new Terminal(tool, fd, name);
    if (options.all) await tool.out(show(tool, terminal, true));
    else if (options.save) await tool.out(`${terminal.text}\n`);
    else if (operands.length === 0) await tool.out(show(tool, terminal, false));
    else if (operands.length === 1 && operands[0] === 'size') {
      const size = windowSize(tool, fd);
      await tool.out(`${size?.rows ?? 0} ${size?.columns ?? 0}\n`);
    } else {
      changeAll(terminal, operands);
      try {
        terminal.apply();
      } catch (error) {
        if (errnoOf(error) === 0) throw error;
        throw new Failure(`${name}: ${strerror(error)}`);
      }
    }
    return undefined;
  },
);
