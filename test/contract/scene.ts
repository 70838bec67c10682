import * as F from '../../assembly/abi/flags.ts';
import { describeResult } from '../oracle/errno.ts';
import type { Credentials, OtherOptions, PosixProcess, PosixTarget, Result } from '../oracle/target.ts';
import type { Who } from './types.ts';

export const ROOT: Credentials = { uid: 0, gid: 0 };
/** The user who makes the calls: in two groups. */
export const USER: Credentials = { uid: 1000, gid: 1000, groups: [2000] };
/** Somebody else, in no group of the user's. */
export const OTHER: Credentials = { uid: 1001, gid: 1001 };
export const SHARED_GROUP = 2000;

/** No test opens so many descriptors: this one is never open. */
export const CLOSED_FD = 97;

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A block of the given bytes, each `fill`. */
export function block(length: number, fill = 0x61): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

function tmpfsOptions({ sizeBytes, inodes }: OtherOptions): string {
  const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
  return `mode=777${size}${inodes === undefined ? '' : `,nr_inodes=${inodes}`}`;
}

/**
 * Where one scenario plays: a directory of its own and processes of its own, all made when first
 * asked for and ended with the scene. What the helpers set up must work; they throw if not.
 */
export class Scene {
  readonly target: PosixTarget;
  readonly who: Who;
  /** A fresh directory, mode 755, of whoever makes the calls. */
  readonly dir: string;
  #processes = new Map<string, PosixProcess>();
  #mounts: string[] = [];

  constructor(target: PosixTarget, who: Who, dir: string) {
    this.target = target;
    this.who = who;
    this.dir = dir;
    this.ok(target.root.mkdir(dir, 0o755), 'mkdir of the scene');
    const { uid, gid } = this.mine;
    this.ok(target.root.chown(dir, uid, gid), 'chown of the scene');
  }

  get mine(): Credentials {
    return this.who === 'root' ? ROOT : USER;
  }

  /** Who makes the calls. */
  get me(): PosixProcess {
    return this.process('me', this.mine);
  }
  /** A second process with the same credentials. */
  get friend(): PosixProcess {
    return this.process('friend', this.mine);
  }
  get other(): PosixProcess {
    return this.process('other', OTHER);
  }
  get root(): PosixProcess {
    return this.process('root', ROOT);
  }

  process(name: string, credentials: Credentials): PosixProcess {
    let found = this.#processes.get(name);
    if (!found) {
      found = this.target.as(credentials);
      this.#processes.set(name, found);
    }
    return found;
  }

  end(): void {
    for (const process of this.#processes.values()) process.exit();
    this.#processes.clear();
    for (const path of this.#mounts.reverse()) this.target.root.umount2(path, F.MNT_DETACH);
  }

  /** The value of a call that must succeed. @throws Error naming the call and its errno */
  ok<T>(result: Result<T>, what: string): T {
    if (typeof result === 'number' && result < 0)
      throw new Error(`setup: ${what}: ${describeResult(result)}`);
    return result as T;
  }

  /** An absolute path inside the scene. */
  at(name: string): string {
    return `${this.dir}/${name}`;
  }

  // ── things made by whoever makes the calls ──────────────────────────────────────────────────
  open(path: string, flags: number, mode = 0o644): number {
    return this.ok(this.me.open(path, flags, mode), `open ${path}`);
  }

  file(name: string, content = '', mode = 0o644): string {
    return this.#file(this.me, name, content, mode);
  }

  mkdir(name: string, mode = 0o755): string {
    return this.#directory(this.me, name, mode);
  }

  symlink(target: string, name: string): string {
    const path = this.at(name);
    this.ok(this.me.symlink(target, path), `symlink ${path}`);
    return path;
  }

  fifo(name: string, mode = 0o644): string {
    const path = this.at(name);
    this.ok(this.me.mkfifo(path, mode), `mkfifo ${path}`);
    return path;
  }

  /** Both ends of a fresh pipe. */
  pipe(flags = 0): [number, number] {
    return this.ok(this.me.pipe2(flags), 'pipe2');
  }

  // ── things of somebody else: of root, in a directory of root's when asked for ───────────────
  foreignFile(name: string, content = '', mode = 0o644): string {
    return this.#foreign(this.#file(this.root, name, content, mode), mode);
  }

  foreignDir(name: string, mode = 0o755): string {
    return this.#foreign(this.#directory(this.root, name, mode), mode);
  }

  /** Of `OTHER`, so that neither the scene's user nor its groups own it. */
  #foreign(path: string, mode: number): string {
    this.ok(this.root.chown(path, OTHER.uid, OTHER.gid), `chown ${path}`);
    this.ok(this.root.chmod(path, mode), `chmod ${path}`);
    return path;
  }

  #file(by: PosixProcess, name: string, content: string, mode: number): string {
    const path = this.at(name);
    const fd = this.ok(by.open(path, F.O_CREAT | F.O_WRONLY | F.O_EXCL, mode), `create ${path}`);
    if (content) this.ok(by.write(fd, bytesOf(content)), `write ${path}`);
    this.ok(by.close(fd), 'close');
    this.ok(by.chmod(path, mode), `chmod ${path}`);
    return path;
  }

  #directory(by: PosixProcess, name: string, mode: number): string {
    const path = this.at(name);
    this.ok(by.mkdir(path, mode), `mkdir ${path}`);
    this.ok(by.chmod(path, mode), `chmod ${path}`);
    return path;
  }

  // ── other mounts ────────────────────────────────────────────────────────────────────────────
  /** The scene's directory once more, read-only. */
  readOnly(): string {
    const path = this.#mountPoint('.ro');
    const { root } = this.target;
    this.ok(root.mount(this.dir, path, '', F.MS_BIND, ''), 'bind mount');
    this.#mounts.push(path);
    this.ok(root.mount('', path, '', F.MS_BIND | F.MS_REMOUNT | F.MS_RDONLY, ''), 'remount read-only');
    return path;
  }

  /** A second file system, mode 777. */
  elsewhere(flags = 0, size: OtherOptions = {}): string {
    const path = this.#mountPoint('.other');
    const { target } = this;
    const mounted =
      target.mountOther?.(path, flags, size) ??
      target.root.mount('none', path, 'tmpfs', flags, tmpfsOptions(size));
    this.ok(mounted, 'mount another file system');
    this.#mounts.push(path);
    return path;
  }

  /** A file system without a free block or inode. */
  full(): string {
    const path = this.elsewhere(0, { sizeBytes: 16384, inodes: 16 });
    const { root } = this;
    const fd = this.ok(root.open(`${path}/fill`, F.O_CREAT | F.O_WRONLY, 0o666), 'create');
    while (root.write(fd, block(4096)) > 0);
    this.ok(root.close(fd), 'close');
    this.ok(root.chmod(`${path}/fill`, 0o666), 'chmod');
    for (let i = 0; root.mknod(`${path}/n${i}`, F.S_IFREG | 0o666, 0) === 0; i++);
    return path;
  }

  /** For a scenario that mounts by itself. */
  willUnmount(path: string): void {
    this.#mounts.push(path);
  }

  #mountPoint(name: string): string {
    // Beside the scene, not inside: a bind mount must not show itself.
    const path = `${this.dir}${name}`;
    this.ok(this.target.root.mkdir(path, 0o777), `mkdir ${path}`);
    this.ok(this.target.root.chmod(path, 0o777), `chmod ${path}`);
    return path;
  }
}
