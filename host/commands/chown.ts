/** chown and chgrp. */
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import type { Arguments } from './lib/options.ts';
import { quoted } from './lib/quote.ts';
import { type Info, isDirectory, isLink, join, lstat, stat } from './lib/stat.ts';
import { Users } from './lib/users.ts';
import type { Program } from '../programs/program.ts';

const options = {
  changes: { short: 'c', about: 'like verbose but report only when a change is made' },
  silent: { short: 'f', also: ['quiet'], about: 'suppress most error messages' },
  verbose: { short: 'v', about: 'output a diagnostic for every file processed' },
  dereference: { about: 'affect the referent of each symbolic link (this is the default)' },
  'no-dereference': { short: 'h', about: 'affect symbolic links instead of any referenced file' },
  from: {
    value: 'CURRENT_OWNER:CURRENT_GROUP',
    about: 'change only files that have this owner and/or group',
  },
  'no-preserve-root': { about: "do not treat '/' specially (the default)" },
  'preserve-root': { about: "fail to operate recursively on '/'" },
  reference: { value: 'RFILE', about: "use RFILE's owner and group" },
  recursive: { short: 'R', about: 'operate on files and directories recursively' },
  H: {
    short: 'H',
    shortOnly: true,
    about: 'with -R, traverse a command line argument that is a link to a directory',
  },
  L: { short: 'L', shortOnly: true, about: 'with -R, traverse every symbolic link to a directory' },
  P: { short: 'P', shortOnly: true, about: 'with -R, do not traverse any symbolic links (default)' },
} as const;

/** -1: left as it is. */
interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** How they were given, for messages. */
  readonly user?: string;
  readonly group?: string;
}

const LEAVE = -1;

function ownerOf(users: Users, text: string): Owner {
  const [, name, separator, groupName] = /^([^:]*)(:?)([\s\S]*)$/.exec(text) as RegExpExecArray;
  const uid = name === '' ? LEAVE : users.uid(name);
  if (uid === undefined) {
    // USER.GROUP, as it once was written
    const dot = separator === '' ? name.indexOf('.') : -1;
    const [user, group] = dot < 0 ? [] : [users.uid(name.slice(0, dot)), users.gid(name.slice(dot + 1))];
    if (user !== undefined && group !== undefined)
      return { uid: user, gid: group, user: name.slice(0, dot), group: name.slice(dot + 1) };
    throw new Failure(`invalid user: ${quoted(text)}`);
  }
  if (separator === '') return { uid, gid: LEAVE, user: name };
  if (groupName === '') {
    if (name === '') return { uid: LEAVE, gid: LEAVE };
    const login = users.byName(name)?.gid;
    if (login === undefined) throw new Failure(`invalid spec: ${quoted(text)}`);
    return { uid, gid: login, user: name, group: users.groupName(login) };
  }
  const gid = users.gid(groupName);
  if (gid === undefined) throw new Failure(`invalid group: ${quoted(text)}`);
  return { uid, gid, user: name, group: groupName };
}

function groupOf(users: Users, text: string): Owner {
  const gid = text === '' ? LEAVE : users.gid(text);
  if (gid === undefined) throw new Failure(`invalid group: ${quoted(text)}`);
  return { uid: LEAVE, gid, group: text };
}

class Changer {
  readonly tool: Tool;
  readonly users: Users;
  readonly owner: Owner;
  readonly args: Arguments<typeof options>;
  readonly #from: Owner | undefined;

  constructor(tool: Tool, users: Users, owner: Owner, args: Arguments<typeof options>) {
    this.tool = tool;
    this.users = users;
    this.owner = owner;
    this.args = args;
    const { from } = args.options;
    this.#from = from === undefined ? undefined : ownerOf(users, from);
  }

  async #warn(message: string): Promise<void> {
    this.tool.status = 1;
    if (!this.args.options.silent) await this.tool.say(message);
  }

  async #report(path: string, info: Info): Promise<void> {
    const { owner, users } = this;
    const { verbose, changes } = this.args.options;
    const what = owner.user === undefined ? 'group' : 'ownership';
    const isChanged =
      (owner.uid !== LEAVE && owner.uid !== info.uid) || (owner.gid !== LEAVE && owner.gid !== info.gid);
    const text = (user: string | undefined, group: string | undefined) =>
      [user, group].filter((name) => name !== undefined).join(':');
    const before = text(
      owner.user === undefined ? undefined : users.userName(info.uid),
      owner.group === undefined ? undefined : users.groupName(info.gid),
    );
    if (isChanged && (verbose || changes)) {
      await this.tool.out(
        `changed ${what} of ${quoted(path)} from ${before} to ${text(owner.user, owner.group)}\n`,
      );
    } else if (verbose) await this.tool.out(`${what} of ${quoted(path)} retained as ${before}\n`);
  }

  async #change(path: string, info: Info, follow: boolean): Promise<void> {
    const from = this.#from;
    if (from !== undefined) {
      if (from.uid !== LEAVE && from.uid !== info.uid) return;
      if (from.gid !== LEAVE && from.gid !== info.gid) return;
    }
    const { uid, gid } = this.owner;
    const { fs } = this.tool;
    try {
      if (follow) fs.chownSync(path, uid, gid);
      else fs.lchownSync(path, uid, gid);
    } catch (error) {
      const what = uid === LEAVE && gid !== LEAVE ? 'group' : 'ownership';
      await this.#warn(`changing ${what} of ${quoted(path)}: ${strerror(error)}`);
      return;
    }
    await this.#report(path, info);
  }

  async visit(path: string, isOperand: boolean): Promise<void> {
    const { tool, args } = this;
    const { options: given } = args;
    const way = given.recursive ? (args.last('H', 'L', 'P') ?? 'P') : 'L';
    const traverses = way === 'L' || (way === 'H' && isOperand);
    const follow = !given['no-dereference'] && (!given.recursive || traverses);
    let info: Info;
    try {
      info = follow ? stat(tool.process, path) : lstat(tool.process, path);
    } catch (error) {
      const dangling = follow && isOperand ? this.#isDangling(path) : false;
      await this.#warn(`cannot ${dangling ? 'dereference' : 'access'} ${quoted(path)}: ${strerror(error)}`);
      return;
    }
    const descends =
      given.recursive && isDirectory(info) && (traverses || !isLink(lstat(tool.process, path)));
    if (descends) {
      try {
        for (const name of tool.fs.readdirSync(path)) await this.visit(join(path, name), false);
      } catch (error) {
        await this.#warn(`cannot read directory ${quoted(path)}: ${strerror(error)}`);
      }
    }
    // A directory comes behind what is in it.
    await this.#change(path, info, follow);
  }

  #isDangling(path: string): boolean {
    try {
      return isLink(lstat(this.tool.process, path));
    } catch (error) {
      strerror(error);
      return false;
    }
  }
}

function ownerCommand(
  summary: string,
  word: string,
  parse: (users: Users, text: string) => Owner,
  asGroup: boolean,
): Program {
  return command(
    { summary, usage: [`[OPTION]... ${word} FILE...`, '[OPTION]... --reference=RFILE FILE...'], options },
    async (tool, args) => {
      const { options: given } = args;
      const users = new Users(tool.fs);
      let owner: Owner;
      let files = args.operands;
      if (given.reference !== undefined) {
        if (files.length === 0) throw new Failure('missing operand', 1, true);
        try {
          const info = stat(tool.process, given.reference);
          const user = asGroup ? undefined : users.userName(info.uid);
          owner = { uid: asGroup ? LEAVE : info.uid, gid: info.gid, user, group: users.groupName(info.gid) };
        } catch (error) {
          throw new Failure(`failed to get attributes of ${quoted(given.reference)}: ${strerror(error)}`);
        }
      } else {
        const [text, ...rest] = files;
        if (text === undefined) throw new Failure('missing operand', 1, true);
        if (rest.length === 0) throw new Failure(`missing operand after ${quoted(text)}`, 1, true);
        owner = parse(users, text);
        files = rest;
      }
      const changer = new Changer(tool, users, owner, args);
      for (const path of files) await changer.visit(path, true);
      return undefined;
    },
  );
}

export const chown = ownerCommand('change file owner and group', '[OWNER][:[GROUP]]', ownerOf, false);
export const chgrp = ownerCommand('change group ownership', 'GROUP', groupOf, true);
