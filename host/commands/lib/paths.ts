/** Paths made canonical, and relative to each other. */
import { ELOOP, ENOENT, ENOTDIR } from '../../../assembly/abi/errno.ts';
import type { Tool } from './command.ts';
import { errnoOf } from './errors.ts';
import { isDirectory, isLink, join, lstat, tryStat } from './stat.ts';

export type Existing =
  /** All of it is there. */
  | 'all'
  /** All but the last component. */
  | 'parent'
  /** Nothing need be. */
  | 'none';

const LINKS_MAX = 40;

function syscallError(errno: number): Error {
  return Object.assign(new Error('path'), { errno: -errno });
}

/** `path` with "." and ".." taken out of the text, absolute. */
export function normalized(path: string, cwd: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Follow every link of a path. @throws an error with errno */
export function canonical(tool: Tool, path: string, existing: Existing): string {
  if (path === '') throw syscallError(ENOENT);
  let rest = path.split('/').filter((part) => part !== '');
  const endsInSlash = path.endsWith('/');
  let at = path.startsWith('/') ? '/' : tool.process.cwd();
  let links = 0;
  while (rest.length > 0) {
    const part = rest.shift() as string;
    if (part === '.') continue;
    if (part === '..') {
      at = at.slice(0, at.lastIndexOf('/')) || '/';
      continue;
    }
    const next = join(at, part);
    const info = existing === 'none' ? missingIsNothing(tool, next) : tryLstat(tool, next);
    const isLast = rest.length === 0;
    if (info === undefined) {
      if (existing === 'all' || (existing === 'parent' && !isLast)) throw syscallError(ENOENT);
      at = next;
      continue;
    }
    if (isLink(info)) {
      if (++links > LINKS_MAX) throw syscallError(ELOOP);
      const target = tool.fs.readlinkSync(next);
      if (target.startsWith('/')) at = '/';
      rest = [...target.split('/').filter((name) => name !== ''), ...rest];
      continue;
    }
    if (!isDirectory(info) && (!isLast || endsInSlash) && existing !== 'none') throw syscallError(ENOTDIR);
    at = next;
  }
  return at;
}

function tryLstat(tool: Tool, path: string) {
  try {
    return lstat(tool.process, path);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
  }
}

function missingIsNothing(tool: Tool, path: string) {
  return tryStat(tool.process, path, false);
}

/** The way from a directory to a path. */
export function relativePath(tool: Tool, path: string, from: string): string {
  const split = (text: string) => text.split('/').filter((part) => part !== '');
  const to = split(canonical(tool, path, 'none'));
  const start = split(canonical(tool, from, 'none'));
  let common = 0;
  while (common < to.length && common < start.length && to[common] === start[common]) common++;
  return [...start.slice(common).map(() => '..'), ...to.slice(common)].join('/') || '.';
}
