import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as F from '../../assembly/abi/flags.ts';
import { buildDriver } from './build.ts';
import { errnoName } from './errno.ts';
import { decodeTreeEntry } from './linux-encode.ts';
import { LinuxProcess } from './linux-process.ts';
import type { Credentials, Feature, FreshOptions, PosixTarget, TreeEntry } from './target.ts';
import { Wire } from './wire.ts';

const ROOT: Credentials = { uid: 0, gid: 0 };

const ATIME_FLAGS = {
  strict: F.MS_STRICTATIME,
  relative: F.MS_RELATIME,
  never: F.MS_NOATIME,
} as const;

/** Reasons why this host cannot be the oracle at all; undefined when it can. */
export function linuxUnavailable(): string | undefined {
  if (process.platform !== 'linux') return `the host runs ${process.platform}, not Linux`;
  return undefined;
}

/** What a {@link LinuxTarget} mounts. */
export interface LinuxFileSystem {
  readonly type: string;
  /** Flags of mount(2), beside those for times. */
  readonly flags?: number;
  /** Prepare an empty one of about this size, and have it mounted. */
  fresh(sizeBytes: number, mount: (source: string, options: string) => void): void;
}

const TMPFS: LinuxFileSystem = {
  type: 'tmpfs',
  fresh: (sizeBytes, mount) => mount('oracle', `mode=755,size=${sizeBytes}`),
};

/**
 * The host's own Linux kernel on a tmpfs of its own, or what else it is given, in a private mount namespace that goes away
 * with the driver. Without root the driver works inside a user namespace, where there is one
 * user only.
 */
export class LinuxTarget implements PosixTarget {
  readonly name: string;
  readonly missing = new Map<Feature, string>();
  #directory: string;
  #control: Wire;
  #workers = new Map<string, LinuxProcess>();
  #root: LinuxProcess | undefined;
  #serial = 0;

  readonly #fileSystem: LinuxFileSystem;

  /** @throws Error when the host forbids mounting (neither root nor user namespaces) */
  constructor(fileSystem: LinuxFileSystem = TMPFS) {
    this.#fileSystem = fileSystem;
    this.name = `linux-${fileSystem.type}`;
    const driver = buildDriver();
    this.#directory = mkdtempSync(join(tmpdir(), 'damselfly-oracle-'));
    const path = join(this.#directory, 'control');
    execFileSync('mkfifo', ['-m', '600', `${path}.in`, `${path}.out`]);
    // Held open both ways until the driver is there, so that neither side waits for ever.
    const holds = ['in', 'out'].map((end) => openSync(`${path}.${end}`, constants.O_RDWR));
    const child = spawn(driver, [this.#directory], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.unref();
    this.#control = Wire.meet(path);
    const [error, , inUserNamespace] = this.#control.greeting();
    for (const fd of holds) closeSync(fd);
    if (error < 0) {
      this.dispose();
      throw new Error(`no private mounts on this host: ${errnoName(error)}`);
    }
    if (inUserNamespace) {
      this.missing.set('credentials', 'not root: a user namespace has one user');
      this.missing.set('privilege', 'not root: a user namespace cannot make devices');
    }
    this.reset();
    this.#probe();
  }

  get root(): LinuxProcess {
    if (!this.#root) throw new Error('the target was disposed of');
    return this.#root;
  }

  as(credentials: Credentials): LinuxProcess {
    const name = `p${this.#serial++}`;
    const { uid, gid, groups = [] } = credentials;
    const { result } = this.#control.call(`+fork ${name} ${uid} ${gid} ${groups.join(',') || '-'}`);
    if (result < 0) throw new Error(`fork: ${errnoName(result)}`);
    const path = join(this.#directory, name);
    const wire = Wire.meet(path);
    const [error, pid] = wire.greeting();
    for (const end of ['in', 'out']) unlinkSync(`${path}.${end}`);
    if (error < 0) {
      wire.close();
      throw new Error(`a process of user ${uid}: ${errnoName(error)}`);
    }
    const worker = new LinuxProcess(wire, pid, credentials);
    this.#workers.set(name, worker);
    return worker;
  }

  reset(options: FreshOptions = {}): void {
    this.#endAll();
    const { atime = 'relative', sizeBytes = 256 << 20 } = options;
    const { type, flags = 0, fresh } = this.#fileSystem;
    fresh(sizeBytes, (source, mountOptions) => {
      const line = `+fresh ${ATIME_FLAGS[atime] | flags} ${mountOptions || '-'} ${type} ${source}`;
      const { result } = this.#control.call(line);
      if (result < 0) throw new Error(`mount ${type}: ${errnoName(result)}`);
    });
    this.#root = this.as(ROOT);
  }

  tick(): void {
    this.root.operation('+tick');
  }

  tree(path: string): TreeEntry[] {
    const { result, out } = this.root.operation(`+tree ${Buffer.from(path).toString('hex')}`);
    if (result < 0) throw new Error(`the tree at ${path}: ${errnoName(result)}`);
    return out.map(decodeTreeEntry);
  }

  dispose(): void {
    this.#endAll();
    this.#control.close();
    // The mount was in the driver's namespace: what is left here is an empty directory.
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #endAll(): void {
    for (const worker of this.#workers.values()) worker.exit();
    this.#workers.clear();
    this.#root = undefined;
  }

  /** What this kernel's tmpfs does not have. */
  #probe(): void {
    const attribute = this.root.setxattr('/', 'user.probe', new Uint8Array(1), 0);
    if (attribute < 0) this.missing.set('userXattr', `setxattr on tmpfs: ${errnoName(attribute)}`);
    else this.root.removexattr('/', 'user.probe');
    const handle = this.root.nameToHandleAt(F.AT_FDCWD, '/', 0);
    if (typeof handle === 'number') this.missing.set('handles', `name_to_handle_at: ${errnoName(handle)}`);
    if (!this.#hasFineTimestamps())
      this.missing.set('fineTimestamps', 'this kernel stamps files with its coarse clock');
  }

  #hasFineTimestamps(): boolean {
    const { root } = this;
    const seen = new Set<string>();
    for (let i = 0; i < 8; i++) {
      root.chmod('/', 0o700 + i);
      const now = root.stat('/');
      if (typeof now !== 'number') seen.add(`${now.ctime.sec}.${now.ctime.nsec}`);
    }
    root.chmod('/', 0o755);
    return seen.size === 8;
  }
}
