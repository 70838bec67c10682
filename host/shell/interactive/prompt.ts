/** Prompts: PS1 and PS2 with parameters expanded, and the escapes that people know from Bash. */
import { strftime, zoneOf } from '../../commands/lib/time.ts';
import type { Shell } from '../shell.ts';
import { isEnded } from '../errors.ts';
import { parseHereText } from '../syntax/parse.ts';

function readText(shell: Shell, path: string): string | undefined {
  try {
    return shell.context.fs.readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (isEnded(error)) throw error;
    return undefined;
  }
}

function userName(shell: Shell): string {
  const uid = String(shell.process.ids().euid);
  const line = readText(shell, '/etc/passwd')
    ?.split('\n')
    .find((each) => each.split(':')[2] === uid);
  return line?.split(':')[0] ?? uid;
}

function hostName(shell: Shell): string {
  return readText(shell, '/proc/sys/kernel/hostname') ?? readText(shell, '/etc/hostname') ?? 'localhost';
}

/** The working directory, from home on as `~`. */
function directory(shell: Shell): string {
  const { cwd, variables } = shell.state;
  const home = variables.get('HOME');
  if (home === undefined || home === '' || home === '/') return cwd;
  if (cwd === home) return '~';
  return cwd.startsWith(`${home}/`) ? `~${cwd.slice(home.length)}` : cwd;
}

/** Formats of the time, by the letters that Bash has for them. */
const TIMES: Readonly<Record<string, string>> = {
  d: '%a %b %d',
  t: '%H:%M:%S',
  T: '%I:%M:%S',
  '@': '%I:%M %p',
  A: '%H:%M',
};

/** The machine's time, by the clock and zone that `date` shows. */
function timeText({ process, state }: Shell, format: string): string {
  process.exports.clock_ms();
  const ms = process.dataF64[0];
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.floor((ms - seconds * 1000) * 1e6);
  return strftime(format, { seconds, nanoseconds }, zoneOf({ TZ: state.variables.get('TZ') ?? 'UTC' }));
}

/** @param what  what follows the backslash: a letter, digits, or `D{format}` */
function shownEscape(shell: Shell, what: string): string {
  const format = what.startsWith('D{') ? what.slice(2, -1) || '%H:%M:%S' : TIMES[what];
  if (format !== undefined) return timeText(shell, format);
  if (/^[0-7]{3}$/.test(what)) return String.fromCharCode(Number.parseInt(what, 8) & 0xff);
  switch (what) {
    case 'a':
      return '\x07';
    case 'r':
      return '\r';
    case 'j':
      return String(shell.jobs.list.length);
    case 's':
      return shell.state.name.slice(shell.state.name.lastIndexOf('/') + 1);
    case 'u':
      return userName(shell);
    case 'h':
      return hostName(shell).split('.')[0];
    case 'H':
      return hostName(shell);
    case 'w':
      return directory(shell);
    case 'W': {
      const whole = directory(shell);
      return whole === '/' ? whole : whole.slice(whole.lastIndexOf('/') + 1);
    }
    case '$':
      return shell.process.ids().euid === 0 ? '#' : '$';
    case 'n':
      return '\n';
    case 'e':
      return '\x1b';
    case '\\':
      return '\\';
    // What readline measures by itself.
    case '[':
    case ']':
      return '';
    default:
      return `\\${what}`;
  }
}

/** What a prompt variable's value shows. */
export async function expandPrompt(shell: Shell, value: string): Promise<string> {
  // What an escape gives is not expanded again.
  const template = value.replace(/\\([0-7]{3}|D\{[^}]*\}|[\s\S])/g, (_, what: string) =>
    shownEscape(shell, what).replace(/[\\$`]/g, '\\$&'),
  );
  const { status } = shell.state;
  try {
    return await shell.expander.text(parseHereText(template));
  } catch (error) {
    shell.failed(error);
    return value;
  } finally {
    shell.state.status = status;
  }
}
