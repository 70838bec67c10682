/** Users and groups by /etc/passwd and /etc/group, read when they are first asked for. */
import type { NodeFs } from '../../syscalls/fs/types.ts';
import { errnoOf } from './errors.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function lines(fs: NodeFs, path: string): string[][] {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    // A machine without these files has numbers only.
    if (errnoOf(error) === 0) throw error;
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

const isId = (text: string) => /^\d+$/.test(text) && Number(text) < 0xffffffff;

export class Users {
  readonly #fs: NodeFs;
  #users: readonly User[] | undefined;
  #groups: readonly Group[] | undefined;

  constructor(fs: NodeFs) {
    this.#fs = fs;
  }

  get users(): readonly User[] {
    this.#users ??= lines(this.#fs, '/etc/passwd').map(([name, , uid, gid, , home = '/', shell = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      home,
      shell: shell || '/bin/sh',
    }));
    return this.#users;
  }

  get groups(): readonly Group[] {
    this.#groups ??= lines(this.#fs, '/etc/group').map(([name, , gid, members = '']) => ({
      name,
      gid: Number(gid),
      members: members.split(',').filter((member) => member !== ''),
    }));
    return this.#groups;
  }

  byName(name: string): User | undefined {
    return this.users.find((user) => user.name === name);
  }

  byUid(uid: number): User | undefined {
    return this.users.find((user) => user.uid === uid);
  }

  groupByName(name: string): Group | undefined {
    return this.groups.find((group) => group.name === name);
  }

  groupByGid(gid: number): Group | undefined {
    return this.groups.find((group) => group.gid === gid);
  }

  /** A user's name, or the number as text. */
  userName(uid: number): string {
    return this.byUid(uid)?.name ?? String(uid);
  }

  groupName(gid: number): string {
    return this.groupByGid(gid)?.name ?? String(gid);
  }

  /** A name or number as a uid; undefined if there is no such user. */
  uid(text: string): number | undefined {
    return this.byName(text)?.uid ?? (isId(text) ? Number(text) : undefined);
  }

  gid(text: string): number | undefined {
    return this.groupByName(text)?.gid ?? (isId(text) ? Number(text) : undefined);
  }

  /** Groups that a user is in besides the first one. */
  groupsOf(user: User): number[] {
    return this.groups
      .filter(({ gid, members }) => gid !== user.gid && members.includes(user.name))
      .map(({ gid }) => gid);
  }
}
