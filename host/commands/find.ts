/** find: walks trees, and does something with what an expression picks. */
import { expressionCommand, type Tool } from './lib/command.ts';
import { strerror } from './lib/errors.ts';
import { type FindOptions, parseExpression, Quit, type Visit } from './lib/findexpr.ts';
import { quoted } from './lib/quote.ts';
import { type Info, isDirectory, join, lstat, stat } from './lib/stat.ts';

class Walker {
  readonly tool: Tool;
  readonly options: FindOptions;
  readonly links: 'P' | 'L' | 'H';
  readonly evaluate: (visit: Visit) => Promise<boolean>;

  constructor(tool: Tool, options: FindOptions, links: 'P' | 'L' | 'H', evaluate: Walker['evaluate']) {
    this.tool = tool;
    this.options = options;
    this.links = links;
    this.evaluate = evaluate;
  }

  #info(path: string, depth: number): Info {
    const follow = this.links === 'L' || (this.links === 'H' && depth === 0);
    if (!follow) return lstat(this.tool.process, path);
    try {
      return stat(this.tool.process, path);
    } catch (error) {
      strerror(error);
      // A link that leads nowhere is looked at itself.
      return lstat(this.tool.process, path);
    }
  }

  async walk(
    path: string,
    start: string,
    depth: number,
    dev: number | undefined,
    above: readonly Info[],
  ): Promise<void> {
    const { options, tool } = this;
    let info: Info;
    try {
      info = this.#info(path, depth);
    } catch (error) {
      await tool.failed(quoted(path), error);
      return;
    }
    const visit: Visit = { path, start, depth, info, pruned: false };
    const inRange = depth >= options.minDepth;
    if (inRange && !options.depthFirst) await this.evaluate(visit);
    const stays = dev === undefined || info.dev === dev;
    const loops = above.some(({ dev: d, ino }) => d === info.dev && ino === info.ino);
    if (isDirectory(info) && !visit.pruned && depth < options.maxDepth && stays) {
      if (loops)
        await tool.warn(
          `File system loop detected; ${quoted(path)} is part of the same file system loop as ${quoted(start)}.`,
        );
      else
        await this.#children(path, start, depth, options.oneFileSystem ? (dev ?? info.dev) : undefined, [
          ...above,
          info,
        ]);
    }
    if (inRange && options.depthFirst) await this.evaluate(visit);
  }

  async #children(
    path: string,
    start: string,
    depth: number,
    dev: number | undefined,
    above: readonly Info[],
  ): Promise<void> {
    let names: string[];
    try {
      names = this.tool.fs.readdirSync(path);
    } catch (error) {
      await this.tool.failed(quoted(path), error);
      return;
    }
    const isTracked = this.links === 'L';
    for (const name of names)
      await this.walk(join(path, name), start, depth + 1, dev, isTracked ? above : []);
  }
}

export const find = expressionCommand(
  {
    summary: 'search for files in a directory hierarchy',
    usage: ['[-H] [-L] [-P] [STARTING-POINT...] [EXPRESSION]'],
    options: {},
    details: [
      'Operators, in decreasing precedence; -a is implied where no others are given:\n  ( EXPR )   ! EXPR   -not EXPR   EXPR1 -a EXPR2   EXPR1 -o EXPR2   EXPR1 , EXPR2',
      'Positional and global options: -depth -maxdepth LEVELS -mindepth LEVELS -mount -xdev',
      'Tests (N can be +N or -N or N): -amin N -anewer FILE -atime N -cmin N -cnewer FILE -ctime N -empty -false -gid N -group NAME -ilname PATTERN -iname PATTERN -inum N -ipath PATTERN -iregex PATTERN -links N -lname PATTERN -mmin N -mtime N -name PATTERN -newer FILE -newermt TIME -nogroup -nouser -path PATTERN -perm [-/]MODE -readable -writable -executable -regex PATTERN -samefile NAME -size N[bcwkMG] -true -type [bcdpfls] -uid N -user NAME -wholename PATTERN -xtype [bcdpfls]',
      'Actions: -delete -exec COMMAND ; -exec COMMAND {} + -execdir COMMAND ; -ok COMMAND ; -fprint FILE -ls -print -print0 -printf FORMAT -prune -quit',
    ],
  },
  async (tool, words) => {
    let at = 0;
    let links: 'P' | 'L' | 'H' = 'P';
    for (; /^-[PLH]+$/.test(words[at] ?? ''); at++) links = (words[at].at(-1) as 'P' | 'L' | 'H') ?? links;
    if (words[at] === '--') at++;
    const starts: string[] = [];
    for (; at < words.length && !/^(-.|[(!,)]$)/.test(words[at]); at++) starts.push(words[at]);
    const { evaluate, options, finish } = await parseExpression(tool, words.slice(at), links);
    const walker = new Walker(tool, options, links, evaluate);
    try {
      for (const start of starts.length === 0 ? ['.'] : starts)
        await walker.walk(start, start, 0, undefined, []);
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
    }
    await finish();
    return tool.status;
  },
);
