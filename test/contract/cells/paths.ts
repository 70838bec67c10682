import * as F from '../../../assembly/abi/flags.ts';
import { atCalls, makeSubject, type PathCall, pathCalls } from '../calls.ts';
import { CLOSED_FD, type Scene } from '../scene.ts';
import { BOTH, type Cell, cell, refused } from '../types.ts';

/** Errors of resolving a path, the same for every call that does. */

interface PathScene {
  errno: 'ENOENT' | 'ENOTDIR' | 'ELOOP' | 'ENAMETOOLONG';
  title: string;
  /** Which calls it is for; all when left out. */
  only?: (call: PathCall) => boolean;
  /** The path to be refused. */
  path(s: Scene): string;
}

function loop(s: Scene): string {
  s.symlink('loop-b', 'loop-a');
  return s.symlink('loop-a', 'loop-b');
}

/** Symlinks l1 → l2 → … → target; the path of the first. */
export function chain(s: Scene, links: number, target: string): string {
  for (let i = 1; i <= links; i++) s.symlink(i === links ? target : `l${i + 1}`, `l${i}`);
  return s.at('l1');
}

/** A path of exactly this many bytes that names the same as `path`. */
export function lengthened(path: string, bytes: number): string {
  const slash = path.lastIndexOf('/');
  const missing = bytes - path.length;
  return `${path.slice(0, slash)}${'/'.repeat(missing % 2)}${'/.'.repeat(Math.floor(missing / 2))}${path.slice(slash)}`;
}

const scenes: readonly PathScene[] = [
  {
    errno: 'ENOENT',
    title: 'nothing of that name',
    only: (c) => c.subject !== 'nothing',
    path: (s) => s.at('missing'),
  },
  { errno: 'ENOENT', title: 'a directory on the way is missing', path: (s) => s.at('missing/x') },
  {
    errno: 'ENOENT',
    title: 'a symlink on the way leads nowhere',
    path: (s) => `${s.symlink('missing', 'dangling')}/x`,
  },
  {
    errno: 'ENOENT',
    title: 'a symlink at the end leads nowhere',
    only: (c) => c.follows && c.subject !== 'nothing',
    path: (s) => s.symlink('missing', 'dangling'),
  },
  { errno: 'ENOENT', title: 'the empty path', path: () => '' },
  { errno: 'ENOTDIR', title: 'a file on the way', path: (s) => `${s.file('f')}/x` },
  {
    errno: 'ENOTDIR',
    title: 'a symlink to a file on the way',
    path: (s) => `${s.symlink(s.file('f'), 'to-f')}/x`,
  },
  { errno: 'ENOTDIR', title: 'a file on the way to dot-dot', path: (s) => `${s.file('f')}/../x` },
  {
    errno: 'ENOTDIR',
    title: 'a slash after a file',
    only: (c) => c.subject !== 'nothing',
    path: (s) => `${s.file('f')}/`,
  },
  {
    errno: 'ENOTDIR',
    title: 'a slash after a symlink to a file',
    only: (c) => c.subject !== 'nothing',
    path: (s) => `${s.symlink(s.file('f'), 'to-f')}/`,
  },
  { errno: 'ELOOP', title: 'a loop on the way', path: (s) => `${loop(s)}/x` },
  { errno: 'ELOOP', title: 'a loop at the end', only: (c) => c.follows, path: loop },
  {
    errno: 'ELOOP',
    title: '41 symlinks at the end',
    only: (c) => c.follows,
    path: (s) => chain(s, F.SYMLOOP_MAX + 1, s.at('target')),
  },
  {
    errno: 'ELOOP',
    title: '41 symlinks on the way',
    path: (s) => `${chain(s, F.SYMLOOP_MAX + 1, s.dir)}/x`,
  },
  { errno: 'ENAMETOOLONG', title: 'a name of 256 bytes', path: (s) => s.at('n'.repeat(256)) },
  {
    errno: 'ENAMETOOLONG',
    title: 'a name of 256 bytes on the way',
    path: (s) => s.at(`${'n'.repeat(256)}/x`),
  },
  {
    errno: 'ENAMETOOLONG',
    title: 'a name of 86 characters, 258 bytes',
    path: (s) => s.at('\u20ac'.repeat(86)),
  },
  { errno: 'ENAMETOOLONG', title: 'a path of 4096 bytes', path: (s) => lengthened(s.at('x'), 4096) },
  { errno: 'ENAMETOOLONG', title: 'a path of 5000 bytes', path: (s) => lengthened(s.at('x'), 5000) },
];

const name = (call: { slot: string }, title: string): string =>
  call.slot ? `${call.slot}: ${title}` : title;

/** Calls that only root may make tell a user so before they look at the path, or after. */
const forWhom = (call: PathCall) => (call.privileged ? (['root'] as const) : BOTH);

function needsOf(call: PathCall) {
  const needs: Cell['needs'] = call.subject === 'attribute' ? ['userXattr'] : [];
  return call.call === 'nameToHandleAt' ? (['handles', ...needs] as const) : needs;
}

function resolutionCells(): Cell[] {
  return pathCalls.flatMap((call) =>
    scenes
      .filter((scene) => scene.only?.(call) ?? true)
      .map((scene) =>
        cell(call.call, scene.errno, name(call, scene.title), (s) => call.invoke(s.me, scene.path(s), s), {
          who: forWhom(call),
          needs: needsOf(call),
        }),
      ),
  );
}

/** A directory without search permission stands on the way; root walks through. */
function searchCells(): Cell[] {
  return pathCalls
    .filter((call) => !call.privileged)
    .map((call) =>
      refused(
        call.call,
        'EACCES',
        name(call, 'no search permission on the way'),
        (s) => {
          const locked = s.mkdir('locked', 0o755);
          makeSubject(s, call.subject, `${locked}/x`);
          s.ok(s.me.chmod(locked, 0o600), 'chmod');
          return call.invoke(s.me, `${locked}/x`, s);
        },
        needsOf(call),
      ),
    );
}

function readOnlyCells(): Cell[] {
  return pathCalls
    .filter((call) => call.writes)
    .map((call) =>
      cell(
        call.call,
        'EROFS',
        name(call, 'a read-only mount'),
        (s) => {
          makeSubject(s, call.subject, s.at('x'));
          const view = s.readOnly();
          // A second path of the call must lie on the same mount, or EXDEV would come first.
          if (call.slot === 'new') s.ok(s.me.close(s.open(s.at('spare'), F.O_CREAT)), 'close');
          return call.slot === 'new' ? invokeOnView(call, s, view) : call.invoke(s.me, `${view}/x`, s);
        },
        { needs: needsOf(call) },
      ),
    );
}

function invokeOnView(call: PathCall, s: Scene, view: string): unknown {
  if (call.call === 'link') return s.me.link(`${view}/spare`, `${view}/x`);
  if (call.call === 'linkat') return s.me.linkat(F.AT_FDCWD, `${view}/spare`, F.AT_FDCWD, `${view}/x`, 0);
  if (call.call === 'rename') return s.me.rename(`${view}/spare`, `${view}/x`);
  return s.me.renameat2(F.AT_FDCWD, `${view}/spare`, F.AT_FDCWD, `${view}/x`, 0);
}

/** A starting directory that is none. */
function startCells(): Cell[] {
  return atCalls.flatMap((call) => [
    cell(call.call, 'EBADF', name(call, 'the starting descriptor is closed'), (s) =>
      call.invoke(s.me, CLOSED_FD, 'x', s),
    ),
    cell(call.call, 'EBADF', name(call, 'the starting descriptor is negative'), (s) =>
      call.invoke(s.me, -1, 'x', s),
    ),
    cell(call.call, 'ENOTDIR', name(call, 'the starting descriptor is a file'), (s) =>
      call.invoke(s.me, s.open(s.file('start'), F.O_RDONLY), 'x', s),
    ),
    refused(call.call, 'EACCES', name(call, 'no search permission at the start'), (s) => {
      const locked = s.mkdir('start');
      const makes = ['symlinkat', 'mkdirat', 'mknodat'].includes(call.call) || call.slot === 'new';
      if (call.call === 'readlinkat') s.symlink('target', 'start/x');
      else if (!makes) s.file('start/x');
      const fd = s.open(locked, F.O_RDONLY | F.O_DIRECTORY);
      s.ok(s.me.chmod(locked, 0o600), 'chmod');
      return call.invoke(s.me, fd, 'x', s);
    }),
  ]);
}

export const pathCells: readonly Cell[] = [
  ...resolutionCells(),
  ...searchCells(),
  ...readOnlyCells(),
  ...startCells(),
];
