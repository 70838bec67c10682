/** Prompts: PS1 and PS2 with parameters expanded, and the escapes that people know from Bash. */
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

function shownEscape(shell: Shell, letter: string): string {
  switch (letter) {
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
      return `\\${letter}`;
  }
}

/** What a prompt variable's value shows. */
export async function expandPrompt(shell: Shell, value: string): Promise<string> {
  // What an escape gives is not expanded again.
  const template = value.replace(/\\([\s\S]|\\[0-7]{3})/g, (_, letter: string) =>
    shownEscape(shell, letter).replace(/[\\$`]/g, '\\$&'),
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
