/**
 * Extended attributes of files on the host. Node has no calls for them: `getfattr` and `setfattr` of
 * Debian's package attr read and set those of a whole tree in one process each. Where they are
 * missing, attributes are not kept: a copy onto the host says so, one from it cannot know.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface Xattr {
  /** With its namespace: user.mime_type. Each byte is a character (latin1), as names need not be UTF-8. */
  readonly name: string;
  readonly value: Buffer;
}

/** Attributes by path, relative to the tree's root as in Entry, each byte a character (latin1). */
export type XattrsByPath = Map<string, Xattr[]>;

export const NO_SETFATTR = 'extended attributes (setfattr of package attr is not installed, or was refused)';

/** Those that a machine keeps; POSIX ACLs and what else is in `system.` it does not have. */
const KEPT = /^(user|trusted|security)\./;

/**
 * All attributes in a tree of the host, or of the one file that `root` names.
 * @returns undefined where they cannot be read
 */
export async function readHostXattrs(root: Buffer): Promise<XattrsByPath | undefined> {
  const where = placeOf(root);
  if (where === undefined) return undefined;
  const args = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', where.name];
  const text = await run('getfattr', args, where.cwd, '');
  if (text === undefined) return undefined;
  const found: XattrsByPath = new Map();
  let current: Xattr[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) {
      current = [];
      found.set(relative(unquote(line.slice('# file: '.length)), where.name), current);
      continue;
    }
    const equals = line.indexOf('=');
    const name = unquote(equals < 0 ? line : line.slice(0, equals));
    if (KEPT.test(name)) current.push({ name, value: bytesOf(equals < 0 ? '' : line.slice(equals + 1)) });
  }
  return found;
}

/** Attributes to set on files below `root`, collected and set at once. */
export class HostXattrs {
  readonly #root: Buffer;
  readonly #wanted: XattrsByPath = new Map();

  constructor(root: Buffer) {
    this.#root = root;
  }

  set(relativePath: Buffer, attributes: readonly Xattr[]): void {
    if (attributes.length > 0) this.#wanted.set(relativePath.toString('latin1'), [...attributes]);
  }

  /** Set them. Returns how many files lack theirs afterwards. */
  async settle(): Promise<number> {
    const wanted = this.#wanted;
    if (wanted.size === 0) return 0;
    const where = placeOf(this.#root);
    if (where === undefined) return wanted.size;
    let dump = '';
    for (const [name, attributes] of wanted) {
      dump += `# file: ${quote(name === '' ? where.name : where.name === '.' ? `./${name}` : name)}\n`;
      for (const { name, value } of attributes) dump += `${quote(name)}=0x${value.toString('hex')}\n`;
      dump += '\n';
    }
    // Its exit status is a failure's if any file failed: what is there tells which.
    await run('setfattr', ['-h', '--restore=-'], where.cwd, dump);
    const there = await readHostXattrs(this.#root);
    if (there === undefined) return wanted.size;
    let lacking = 0;
    for (const [name, attributes] of wanted) {
      const got = there.get(name) ?? [];
      if (!attributes.every((a) => got.some((b) => a.name === b.name && a.value.equals(b.value)))) lacking++;
    }
    return lacking;
  }
}

interface Place {
  readonly cwd: string;
  readonly name: string;
}

/** A process gets paths as text; one that is not text is out of its reach. */
function placeOf(root: Buffer): Place | undefined {
  const text = root.toString('utf8');
  if (!Buffer.from(text).equals(root)) return undefined;
  const isDirectory = fs.statSync(root, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isDirectory
    ? { cwd: text, name: '.' }
    : { cwd: path.dirname(path.resolve(text)), name: path.resolve(text) };
}

function relative(name: string, root: string): string {
  if (name === root) return '';
  return name.startsWith('./') ? name.slice(2) : name;
}

/** Octal escapes, as both programs write and read them. */
function unquote(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function quote(text: string): string {
  return text.replace(/[^!-<>-[\]-\xff]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function bytesOf(text: string): Buffer {
  return text.startsWith('0x') ? Buffer.from(text.slice(2), 'hex') : Buffer.alloc(0);
}

/** What a program wrote, as latin1; undefined if it could not be started. */
function run(
  program: string,
  args: readonly string[],
  cwd: string,
  input: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('error', () => resolve(undefined));
    child.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
    child.stdin.on('error', () => {});
    child.stdin.end(input, 'latin1');
  });
}
