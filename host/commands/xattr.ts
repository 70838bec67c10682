/** getfattr and setfattr: extended attributes. */
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { join, lstat, isDirectory, stat } from './lib/stat.ts';

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** As text where that loses nothing, else in base64. */
function encoded(value: Uint8Array, encoding: string | undefined): string {
  const isPlain = !value.some((byte) => byte === 0 || byte > 126 || (byte < 32 && byte !== 9 && byte !== 10));
  const kind = encoding ?? (isPlain ? 'text' : 'base64');
  if (kind === 'hex') return `0x${hex(value)}`;
  if (kind === 'base64') return `0s${btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(''))}`;
  const text = Array.from(value, (byte) => {
    if (byte === 34 || byte === 92) return `\\${String.fromCharCode(byte)}`;
    return byte < 32 || byte > 126 ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte);
  }).join('');
  return `"${text}"`;
}

function decoded(text: string): Uint8Array {
  if (/^0x/i.test(text)) {
    const digits = text.slice(2);
    if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Failure('bad input encoding');
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  }
  if (/^0s/i.test(text)) {
    try {
      return Uint8Array.from(atob(text.slice(2)), (c) => c.charCodeAt(0));
    } catch {
      throw new Failure('bad input encoding');
    }
  }
  const inner = /^"([\s\S]*)"$/.exec(text)?.[1];
  if (inner === undefined) return new TextEncoder().encode(text);
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [piece] of inner.matchAll(/\\[0-7]{3}|\\[\s\S]|[^\\]+/g)) {
    if (/^\\[0-7]{3}$/.test(piece)) bytes.push(Number.parseInt(piece.slice(1), 8) & 255);
    else bytes.push(...encoder.encode(piece.startsWith('\\') ? piece.slice(1) : piece));
  }
  return Uint8Array.from(bytes);
}

const getOptions = {
  dump: { short: 'd', about: 'get all extended attribute values' },
  encoding: { short: 'e', value: 'HOW', about: 'encode values as text, hex or base64' },
  'no-dereference': { short: 'h', about: 'do not dereference symbolic links' },
  match: {
    short: 'm',
    value: 'PATTERN',
    about: 'only include attributes matching a regular expression ("^user\\." by default; "-" for all)',
  },
  name: { short: 'n', value: 'NAME', about: 'get the named extended attribute value' },
  'only-values': { about: 'print the bare values only' },
  'absolute-names': { about: "don't strip leading '/' in pathnames" },
  recursive: { short: 'R', about: 'recurse into subdirectories' },
} as const;

export const getfattr = command(
  { summary: 'get extended attributes of files', usage: ['[OPTION]... PATH...'], options: getOptions },
  async (tool, { options, operands }) => {
    if (operands.length === 0) throw new Failure('missing operand', 2, true);
    const pattern = options.match === '-' ? undefined : new RegExp(options.match ?? '^user\\.', 'u');
    const follow = !options['no-dereference'];
    let stripped = false;
    const visit = async (path: string): Promise<void> => {
      const lines: string[] = [];
      try {
        const names =
          options.name !== undefined
            ? [options.name]
            : tool.process
                .listxattr(path, follow)
                .filter((name) => pattern?.test(name) ?? true)
                .sort();
        for (const name of names) {
          const wantsValue = options.dump || options.name !== undefined || options['only-values'];
          if (options['only-values']) await tool.out(tool.process.getxattr(path, name, follow));
          else
            lines.push(
              wantsValue
                ? `${name}=${encoded(tool.process.getxattr(path, name, follow), options.encoding)}`
                : name,
            );
        }
      } catch (error) {
        const text = strerror(error) === 'No data available' ? 'No such attribute' : strerror(error);
        await tool.warn(
          options.name === undefined ? `${path}: ${text}` : `${path}: ${options.name}: ${text}`,
        );
      }
      if (lines.length > 0) {
        const isStripped = path.startsWith('/') && !options['absolute-names'];
        if (isStripped && !stripped) await tool.say("Removing leading '/' from absolute path names");
        stripped ||= isStripped;
        await tool.out(`# file: ${isStripped ? path.replace(/^\/+/, '') : path}\n${lines.join('\n')}\n\n`);
      }
      if (options.recursive) await descend(tool, path, follow, visit);
    };
    for (const path of operands) await visit(path);
    return undefined;
  },
);

async function descend(
  tool: Tool,
  path: string,
  follow: boolean,
  visit: (path: string) => Promise<void>,
): Promise<void> {
  try {
    const info = follow ? stat(tool.process, path) : lstat(tool.process, path);
    if (!isDirectory(info)) return;
    for (const name of tool.fs.readdirSync(path)) await visit(join(path, name));
  } catch (error) {
    await tool.failed(path, error);
  }
}

export const setfattr = command(
  {
    summary: 'set extended attributes of files',
    usage: ['-n NAME [-v VALUE] [-h] FILE...', '-x NAME [-h] FILE...', '--restore=FILE'],
    options: {
      'no-dereference': { short: 'h', about: 'do not dereference symbolic links' },
      name: { short: 'n', value: 'NAME', about: 'set the value of the named extended attribute' },
      restore: { value: 'FILE', about: "restore attributes from a dump of 'getfattr -d'" },
      value: { short: 'v', value: 'VALUE', about: 'use VALUE: text, "text with escapes", 0xHEX or 0sBASE64' },
      remove: { short: 'x', value: 'NAME', about: 'remove the named extended attribute' },
    },
  },
  async (tool, { options, operands }) => {
    const follow = !options['no-dereference'];
    if (options.restore !== undefined) {
      await restore(tool, options.restore, follow);
      return undefined;
    }
    if ((options.name === undefined) === (options.remove === undefined) || operands.length === 0)
      throw new Failure('one of -n and -x, and a file, must be given', 2, true);
    const value = decoded(options.value ?? '');
    for (const path of operands) {
      try {
        if (options.name !== undefined) tool.process.setxattr(path, options.name, value, 0, follow);
        else tool.process.removexattr(path, options.remove as string, follow);
      } catch (error) {
        const text = strerror(error) === 'No data available' ? 'No such attribute' : strerror(error);
        await tool.warn(`${path}: ${text}`);
      }
    }
    return undefined;
  },
);

async function restore(tool: Tool, dump: string, follow: boolean): Promise<void> {
  let path: string | undefined;
  const text = await tool.reading(dump, (input) => input.text());
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) path = line.slice('# file: '.length);
    const equals = line.indexOf('=');
    if (line.startsWith('#') || equals < 0 || path === undefined) continue;
    try {
      tool.process.setxattr(path, line.slice(0, equals), decoded(line.slice(equals + 1)), 0, follow);
    } catch (error) {
      await tool.failed(path, error);
    }
  }
}
