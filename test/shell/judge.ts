/**
 * Runs a shell script twice from the same starting tree: in a machine by our shell, on the host by
 * dash. What both say and leave behind can then be compared.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '../../host/commands/index.ts';
import { boot, type Machine, type NodeFs, type Snapshot } from '../../host/index.ts';
import { Userland } from '../../host/programs/userland.ts';
import { shellEntry } from '../../host/shell/index.ts';

export interface Outcome {
  stdout: string;
  stderr: string;
  code: number;
  /** Path: type, mode, and contents or target. */
  tree: Record<string, string>;
}

export const programs = new Map([...Object.entries(commands), ['sh', shellEntry] as const]);
const LIMIT_MS = 20_000;
const MODE_BITS = 0o7777;

/** What every script starts with. */
const FILES: Readonly<Record<string, string>> = {
  'data/words': 'delta\nalpha\ncharlie\nbravo\necho\nalpha\n',
  'data/table': 'ann 30 red\nbob 25 blue\ncid 41 green\ndee 25 red\n',
  'data/empty': '',
  'data/sub/deep': 'deep file\n',
};

function describeTree(files: typeof fs | NodeFs, root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    const stats = files.lstatSync(join(root, path));
    const mode = (stats.mode & MODE_BITS).toString(8);
    const at = path === '' ? '.' : path;
    if (stats.isDirectory()) {
      found[at] = `directory ${mode}`;
      for (const name of files.readdirSync(join(root, path))) visit(join(path, name));
    } else if (stats.isSymbolicLink()) found[at] = `link ${files.readlinkSync(join(root, path))}`;
    else if (stats.isFIFO()) found[at] = `fifo ${mode}`;
    else found[at] = `file ${mode} ${JSON.stringify(files.readFileSync(join(root, path), 'latin1'))}`;
  };
  visit('');
  return found;
}

function layOut(files: typeof fs | NodeFs, root: string): void {
  for (const [path, text] of Object.entries(FILES)) {
    files.mkdirSync(join(root, path, '..'), { recursive: true });
    files.writeFileSync(join(root, path), text);
    files.chmodSync(join(root, path), 0o644);
  }
  for (const path of ['.', 'data', 'data/sub']) files.chmodSync(join(root, path), 0o755);
}

export class Judge {
  readonly #base = fs.mkdtempSync(join(tmpdir(), 'damselfly-shell-'));
  readonly #snapshot: Snapshot;
  readonly #uid = process.getuid?.() ?? 0;
  readonly #gid = process.getgid?.() ?? 0;
  #count = 0;

  private constructor(snapshot: (base: string, uid: number, gid: number) => Snapshot) {
    this.#snapshot = snapshot(this.#base, this.#uid, this.#gid);
  }

  /** One machine is booted; each script runs in a fork of it. */
  static async create(): Promise<Judge> {
    const machine = await boot();
    const userland = new Userland(machine, programs);
    try {
      return new Judge((base, uid, gid) => {
        const root = join(base, 'tree');
        machine.fs.mkdirSync(root, { recursive: true });
        layOut(machine.fs, root);
        for (const path of ['', ...machine.fs.readdirSync(root, { recursive: true })] as string[]) {
          machine.fs.chownSync(join(root, path), uid, gid);
        }
        return userland.machine.snapshot();
      });
    } finally {
      machine.shutdown();
    }
  }

  close(): void {
    fs.rmSync(this.#base, { recursive: true, force: true });
  }

  #environment(home: string): Record<string, string> {
    return { PATH: '/usr/bin:/bin', HOME: home, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  }

  /** Run in a machine of its own, which must be whole and without leaks afterwards. */
  async here(script: string): Promise<Outcome> {
    const machine: Machine = await boot({ from: this.#snapshot });
    const root = join(this.#base, 'tree');
    try {
      const userland = new Userland(machine, programs);
      machine.fs.writeFileSync(join(this.#base, 'script.sh'), script);
      machine.init.umask(0o022);
      const { stdout, stderr, code } = await userland.run(['sh', '../script.sh'], {
        cwd: root,
        uid: this.#uid,
        gid: this.#gid,
        env: this.#environment(root),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      return { stdout, stderr, code, tree: describeTree(machine.fs, root) };
    } finally {
      machine.shutdown();
    }
  }

  /** Run on the host, by dash. */
  async byDash(script: string): Promise<Outcome> {
    const base = join(this.#base, `host${this.#count++}`);
    const root = join(base, 'tree');
    fs.mkdirSync(root, { recursive: true });
    layOut(fs, root);
    fs.writeFileSync(join(base, 'script.sh'), script);
    const { stdout, stderr, code } = await spawned(root, this.#environment(root));
    const tree = describeTree(fs, root);
    fs.rmSync(base, { recursive: true });
    // Its tree stands elsewhere; the machine's is at the same place for every script.
    const here = (text: string) => text.replaceAll(base, this.#base);
    const entries = Object.entries(tree).map(([path, what]) => [path, here(what)]);
    return { stdout: here(stdout), stderr: here(stderr), code, tree: Object.fromEntries(entries) };
  }
}

/** dash, with the mask that the machine's processes have. */
function spawned(cwd: string, env: Record<string, string>): Promise<Omit<Outcome, 'tree'>> {
  return new Promise((resolve, reject) => {
    const child = spawn('dash', ['-c', 'umask 022; exec dash ../script.sh'], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ stdout, stderr, code: code ?? (signal === null ? -1 : 128) }),
    );
    child.stdin.end();
  });
}
