/** Trees mounted on this host by the command, for its programs to work on. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, it } from 'vitest';
import { damselfly, MAIN } from '../cli/command.ts';
import { must, run } from '../ext4/tools.ts';
import { repositoryRoot } from '../oracle/root.ts';

function opens(file: string): boolean {
  try {
    fs.closeSync(fs.openSync(file, 'r+'));
    return true;
  } catch {
    return false;
  }
}

const isRoot = process.getuid?.() === 0;

/** Why nothing can be mounted here; CI is where all must run. */
export const skipMounts =
  process.env.CI === undefined &&
  !(opens('/dev/fuse') && (isRoot || run('which', 'fusermount3').status === 0));
/** Is this program missing, where nobody says that all must be there? */
export const lacks = (tool: string) => process.env.CI === undefined && run('which', tool).status !== 0;

/** Several programs one after the other, on a host that is busy with other things: only a hang takes longer. */
const PROGRAM_MS = 240_000;

/** A test that needs these programs; without one it is skipped by that name, but not in CI. */
export function itWith(tools: readonly string[], name: string, test: () => Promise<void>): void {
  const missing = tools.find(lacks);
  if (missing === undefined) it(name, { timeout: PROGRAM_MS }, test);
  else it.skip(`${name} [${missing} is not installed]`);
}

/** What each program has to do with. */
export const KINDS = ['tmpfs', 'ext4'] as const;
export type Kind = (typeof KINDS)[number];
/** What asks for somebody else's ids, or for a mount namespace. */
export const skipRoots = skipMounts || (!isRoot && process.env.CI === undefined);

export const scratch = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-fuse-'));

/** The host's tmpfs, to do the same on. */
export const beside = (): string => fs.mkdtempSync('/dev/shm/damselfly-fuse-');

export function makeImage(directory: string, sizeBytes = 128 << 20, ...more: string[]): string {
  const image = path.join(directory, 'disk.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, sizeBytes);
  must(
    'mke2fs',
    '-q',
    '-F',
    '-t',
    'ext4',
    '-E',
    `root_owner=${process.getuid?.()}:${process.getgid?.()}`,
    ...more,
    image,
  );
  return image;
}

export class Mounted {
  readonly at: string;
  readonly server: ChildProcess;
  stderr = '';
  readonly #exit: Promise<number | null>;

  /** @param what  an image, or --tmpfs and its size */
  static async start(directory: string, what: readonly string[], ...options: string[]): Promise<Mounted> {
    const at = path.join(directory, 'mnt');
    fs.mkdirSync(at, { recursive: true });
    const mounted = new Mounted(at, spawn(process.execPath, [MAIN, 'mount', ...what, at, ...options]));
    await mounted.#there();
    return mounted;
  }

  private constructor(at: string, server: ChildProcess) {
    this.at = at;
    this.server = server;
    server.stderr?.on('data', (text) => {
      this.stderr += text;
    });
    this.#exit = new Promise((resolve) => server.once('close', resolve));
  }

  /** Wait until it is mounted and answers, or has ended. */
  async #there(): Promise<void> {
    while (!isMounted(this.at)) {
      if (this.server.exitCode !== null) throw new Error(`mount ended: ${this.stderr}`);
      await sleep(20);
    }
    await fs.promises.stat(this.at);
  }

  /** Unmount as a user would: done when everything is written. The server's exit code. */
  async end(): Promise<number | null> {
    const { status, stderr } = damselfly(['umount', this.at]);
    if (status !== 0) throw new Error(`umount: ${stderr}`);
    return this.#exit;
  }

  async signal(name: NodeJS.Signals): Promise<number | null> {
    this.server.kill(name);
    return this.#exit;
  }

  /** The server is killed where it stands, and the directory is what it was. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
    spawnSync(isRoot ? 'umount' : 'fusermount3', isRoot ? ['-l', this.at] : ['-u', '-z', this.at]);
  }
}

/** What the tests of a file mount: it ends with each test, and then e2fsck finds nothing wrong with the image. */
export class Mounts {
  readonly #made: string[] = [];
  #mounted: Mounted | undefined;
  #image: string | undefined;

  constructor() {
    afterEach(() => this.end());
    afterAll(() => {
      for (const directory of this.#made) fs.rmSync(directory, { recursive: true, force: true });
    });
  }

  /** A new directory of the host's, on whatever it has there. */
  here(): string {
    return this.#keep(scratch());
  }

  /** A new directory on the host's tmpfs, to do the same in. */
  beside(): string {
    return this.#keep(beside());
  }

  #keep(directory: string): string {
    this.#made.push(directory);
    return directory;
  }

  /** On an ext4 image, or on a tmpfs of a machine: where it is. */
  async mount(kind: Kind, ...options: string[]): Promise<string> {
    const directory = this.here();
    if (kind === 'ext4') return this.mountImage(makeImage(directory), ...options);
    this.#mounted = await Mounted.start(directory, ['--tmpfs', '128m'], ...options);
    return this.#mounted.at;
  }

  async mountImage(image: string, ...options: string[]): Promise<string> {
    this.#image = image;
    this.#mounted = await Mounted.start(path.dirname(image), [image], ...options);
    return this.#mounted.at;
  }

  /** An image is mounted anew, by a new server; a tmpfs stays. */
  async again(...options: string[]): Promise<void> {
    const image = this.#image;
    if (image === undefined) return;
    await this.end();
    await this.mountImage(image, ...options);
  }

  async end(): Promise<void> {
    const [mounted, image] = [this.#mounted, this.#image];
    this.#mounted = undefined;
    this.#image = undefined;
    if (mounted !== undefined && isMounted(mounted.at)) await mounted.end();
    if (image !== undefined) checkClean(image);
  }
}

export function isMounted(at: string): boolean {
  return fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${at} `);
}

/** Run a line of the host's shell somewhere: what it printed, its errors too. It must succeed. */
export function sh(cwd: string, line: string): string {
  return execFileSync('bash', ['-euo', 'pipefail', '-c', `exec 2>&1; ${line}`], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // a shell that finds a socket there takes itself for a remote one
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC', HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' },
  });
}

/** A tree as a list: all that stat tells of each file, and a hash of what is in it. */
export function listing(at: string): string {
  return sh(
    at,
    `find . ! -path ./lost+found -printf '%P %y %m %U %G %n %T@ %l\\n' | sed -E 's/^( d .*) [0-9.]+ $/\\1/' | sort
     find . -type f -print0 | sort -z | xargs -0r sha256sum
     find . \\( -type f -o -type d \\) ! -path ./lost+found -print0 | sort -z | xargs -0r getfattr -d -m '^user\\.' --`,
  );
}

/** e2fsck finds nothing wrong. */
export function checkClean(image: string): void {
  const { status, output } = run('e2fsck', '-fn', image);
  if (status !== 0) throw new Error(`e2fsck: ${status}\n${output}`);
}

/** Somebody whom /etc/passwd knows: fusermount3 asks it. */
export const NOBODY = 65534;

export interface NobodysHome {
  /** The repository and Node, where he may go: their own directories may be closed to others. */
  readonly repository: string;
  readonly node: string;
  /** Run a line of shell as him, in his home: what to do as root, in a mount namespace of its own. */
  as(line: string): string;
}

/**
 * A home of NOBODY's below `directory`, with a directory `mnt` in it, and a /dev/fuse that is open to all.
 * Runs as root.
 */
export function makeNobodysHome(directory: string): NobodysHome {
  const [home, fuse] = [path.join(directory, 'home'), path.join(directory, 'fuse')];
  const [repository, node] = [path.join(directory, 'repository'), path.join(directory, 'node')];
  fs.chmodSync(directory, 0o755);
  fs.mkdirSync(path.join(home, 'mnt'), { recursive: true });
  fs.mkdirSync(repository);
  fs.writeFileSync(node, '');
  sh(directory, `chown -R ${NOBODY}:${NOBODY} home; mknod -m 666 fuse c 10 229`);
  const binds = [
    [fuse, '/dev/fuse'],
    [repositoryRoot, repository],
    [process.execPath, node],
  ].map(([from, to]) => `mount --bind '${from}' '${to}'`);
  return {
    repository,
    node,
    as(line) {
      fs.writeFileSync(path.join(home, 'script'), line);
      const become = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups env HOME=$PWD XDG_RUNTIME_DIR=$PWD bash script`;
      return [...binds, `cd '${home}'`, become].join('; ');
    },
  };
}
