/**
 * The host's own commands as judges: the same command lines run on the host, in a directory of a
 * tmpfs, and in the machine, over trees made by the same steps; what they print, their exit codes
 * and the trees they leave are compared.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as hostFs from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, type Machine } from '../../host/index.ts';
import { standardPrograms } from '../../host/programs/standard.ts';
import { Userland } from '../../host/programs/userland.ts';

type Fs = Pick<
  typeof hostFs,
  | 'chmodSync'
  | 'chownSync'
  | 'lchownSync'
  | 'linkSync'
  | 'lstatSync'
  | 'lutimesSync'
  | 'mkdirSync'
  | 'readFileSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'renameSync'
  | 'rmSync'
  | 'symlinkSync'
  | 'utimesSync'
  | 'writeFileSync'
>;

/** Makes trees, on the host and in the machine alike. Paths are below the test's directory. */
export interface Builder {
  file(path: string, data?: string | Uint8Array, mode?: number): void;
  dir(path: string, mode?: number): void;
  link(target: string, path: string): void;
  hard(target: string, path: string): void;
  fifo(path: string, mode?: number): void;
  device(path: string, type: 'b' | 'c', major: number, minor: number, mode?: number): void;
  chmod(path: string, mode: number): void;
  chown(path: string, uid: number, gid: number): void;
  times(path: string, seconds: number): void;
}

export interface Case {
  line: string;
  stdin?: string;
  env?: Record<string, string>;
  /** Takes out what may differ (inode numbers, sizes of directories). */
  normal?: (text: string) => string;
  /** Compare standard error only for being empty or not, for this reason. */
  stderrDiffers?: string;
  uid?: number;
}

/** When everything in the trees was last changed, unless a test says otherwise. */
export const EPOCH = 1_600_000_000;
const OLD = 1_750_000_000;

function buildIn(fs: Fs, root: string, mknod: (path: string, args: string[], mode: number) => void): Builder {
  const at = (path: string) => join(root, path);
  const stamp = (path: string) => fs.lutimesSync(at(path), EPOCH, EPOCH);
  return {
    file(path, data = '', mode = 0o644) {
      fs.writeFileSync(at(path), data);
      fs.chmodSync(at(path), mode);
      stamp(path);
    },
    dir(path, mode = 0o755) {
      fs.mkdirSync(at(path));
      fs.chmodSync(at(path), mode);
    },
    link(target, path) {
      fs.symlinkSync(target, at(path));
      stamp(path);
    },
    hard(target, path) {
      fs.linkSync(at(target), at(path));
    },
    fifo(path, mode = 0o644) {
      mknod(at(path), ['p'], mode);
      stamp(path);
    },
    device(path, type, major, minor, mode = 0o644) {
      mknod(at(path), [type, String(major), String(minor)], mode);
      stamp(path);
    },
    chmod: (path, mode) => fs.chmodSync(at(path), mode),
    chown: (path, uid, gid) => fs.lchownSync(at(path), uid, gid),
    times: (path, seconds) => fs.lutimesSync(at(path), seconds, seconds),
  };
}

const TYPES: Record<string, number> = { p: 0o010000, c: 0o020000, b: 0o060000 };

/** Words of a command line: quotes group, nothing else is special. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
}

/** A tree as text, a line for each file. */
function treeOf(fs: Fs, root: string): string[] {
  const lines: string[] = [];
  const walk = (relative: string) => {
    // Names need not be UTF-8.
    const bytes = (path: string) => Buffer.from(join(root, path), 'latin1');
    for (const name of fs.readdirSync(bytes(relative), 'latin1').sort()) {
      const path = relative === '' ? name : `${relative}/${name}`;
      const at = bytes(path);
      const stats = fs.lstatSync(at);
      const fields = [path, stats.mode.toString(8), stats.uid, stats.gid];
      const time = stats.mtimeMs / 1000 < OLD ? stats.mtimeMs : 'new';
      if (!stats.isDirectory()) fields.push(`links=${stats.nlink}`, `time=${time}`);
      if (stats.isSymbolicLink()) fields.push(`-> ${fs.readlinkSync(at, 'latin1')}`);
      if (stats.isBlockDevice() || stats.isCharacterDevice()) fields.push(`rdev=${stats.rdev}`);
      // What archives hold is compared by what comes out of them.
      if (stats.isFile() && /\.(tar|tgz)$/.test(path)) fields.length = 1;
      else if (stats.isFile()) {
        fields.push(
          `size=${stats.size}`,
          createHash('sha256').update(fs.readFileSync(at)).digest('hex').slice(0, 12),
        );
      }
      lines.push(fields.join(' '));
      if (stats.isDirectory()) walk(path);
    }
  };
  walk('');
  return lines;
}

const isRoot = process.getuid?.() === 0;

/** Tests that run each line on both sides, one after the other over the same tree. */
export function compare(
  title: string,
  build: (tree: Builder) => void,
  cases: readonly (string | Case)[],
): void {
  describe.skipIf(!isRoot)(`${title} (as root, for owners and devices)`, () => {
    let root: string;
    let machine: Machine;
    let userland: Userland;
    /** Differences of the trees that a test has reported: they are not another's. */
    const reported = new Set<string>();

    beforeAll(async () => {
      hostFs.mkdirSync('/dev/shm', { recursive: true });
      root = hostFs.mkdtempSync('/dev/shm/commands-');
      hostFs.chmodSync(root, 0o755);
      machine = await boot({
        flavour: 'up-debug',
        files: {
          '/etc/group': hostFs.readFileSync('/etc/group', 'utf8'),
          '/etc/passwd': hostFs.readFileSync('/etc/passwd', 'utf8'),
        },
      });
      machine.fs.mkdirSync(root, { recursive: true });
      // What is below /dev is mounted noexec.
      machine.init.mount('none', root, 'tmpfs', 0, 'mode=755');
      userland = new Userland(machine, standardPrograms);
      const host = buildIn(hostFs, root, (path, args, mode) => {
        execFileSync('mknod', ['-m', mode.toString(8), path, ...args]);
      });
      const { init } = machine;
      const guest = buildIn(
        machine.fs as unknown as Fs,
        root,
        (path, [type, major = '0', minor = '0'], mode) => {
          init.mknod(path, TYPES[type] | 0o600, Number(major) * 256 + Number(minor));
          machine.fs.chmodSync(path, mode);
        },
      );
      build(host);
      build(guest);
    });

    afterAll(() => {
      hostFs.rmSync(root, { recursive: true, force: true });
      machine.shutdown();
    });

    for (const [i, given] of cases.entries()) {
      const test: Case = typeof given === 'string' ? { line: given } : given;
      it(`${i + 1}. ${test.line}`, async () => {
        const { host, guest } = await both(test);
        const normal = test.normal ?? ((text: string) => text);
        const tidy = ({ code, stdout, stderr }: typeof host) => ({
          code,
          stdout: normal(stdout),
          stderr: test.stderrDiffers === undefined ? normal(stderr) : stderr !== '',
        });
        expect.soft(tidy(guest)).toEqual(tidy(host));
        const trees = [treeOf(hostFs, root), treeOf(machine.fs as unknown as Fs, root)];
        const only = (a: string[], b: string[], sign: string) =>
          a.filter((line) => !b.includes(line)).map((line) => sign + line);
        const differences = [...only(trees[0], trees[1], '- '), ...only(trees[1], trees[0], '+ ')];
        const fresh = differences.filter((line) => !reported.has(line));
        for (const line of fresh) reported.add(line);
        expect(fresh).toEqual([]);
      });
    }

    async function both({ line, stdin = '', env = {}, uid = 0 }: Case) {
      const argv = words(line);
      const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC', ...env };
      const { status, signal, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), {
        cwd: root,
        input: stdin,
        env: environment,
        encoding: 'latin1',
        uid,
        gid: uid,
        timeout: 20_000,
      });
      // Who does not read its input has done nothing wrong.
      if (error && (error as { code?: string }).code !== 'EPIPE') throw error;
      const { code, stdoutBytes, stderrBytes } = await userland.run(argv, {
        cwd: root,
        input: stdin,
        env: { TERM: undefined, HOME: undefined, SHELL: undefined, ...environment, PATH: '/bin' },
        uid,
        gid: uid,
      });
      const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
      const guest = { code, stdout: latin1(stdoutBytes), stderr: latin1(stderrBytes) };
      return {
        host: { code: status ?? 128 + constants.signals[signal ?? 'SIGKILL'], stdout, stderr },
        guest,
      };
    }
  });
}
