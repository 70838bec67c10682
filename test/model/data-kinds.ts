import fc from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import { type Kind, kind, length, offset, onFd, small, someFile, to } from './kinds.ts';
import { pattern, resolve, type State } from './state.ts';

/** Operations on data. */

const onFile = (s: State, actor: number, n: number): number => s.fd(actor, n, 'file');

const FALLOCATE_MODES = [
  0,
  F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_ZERO_RANGE,
  F.FALLOC_FL_ZERO_RANGE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE,
];

export const dataKinds: Kind[] = [
  onFd('close', 9, 'any', { fd: small }, (s, p, actor) => to('close', s.fd(actor, p.fd))),
  onFd('read', 4, 'file', { fd: small, len: length }, (s, p, actor) =>
    to('read', onFile(s, actor, p.fd), p.len),
  ),
  onFd('pread', 4, 'file', { fd: small, len: length, at: offset }, (s, p, actor) =>
    to('pread', onFile(s, actor, p.fd), p.len, p.at),
  ),
  onFd('write', 12, 'file', { fd: small, len: length }, (s, p, actor) =>
    to('write', onFile(s, actor, p.fd), pattern(p.len, p.fd)),
  ),
  onFd('pwrite', 10, 'file', { fd: small, len: length, at: offset }, (s, p, actor) =>
    to('pwrite', onFile(s, actor, p.fd), pattern(p.len, p.fd), p.at),
  ),
  onFd('writev', 3, 'file', { fd: small, a: length, b: length }, (s, p, actor) =>
    to('writev', onFile(s, actor, p.fd), [pattern(p.a, 1), pattern(p.b, 2)]),
  ),
  onFd('preadv', 2, 'file', { fd: small, a: length, b: length, at: offset }, (s, p, actor) =>
    to('preadv', onFile(s, actor, p.fd), [p.a, p.b], p.at),
  ),
  onFd('readv', 2, 'file', { fd: small, a: length, b: length }, (s, p, actor) =>
    to('readv', onFile(s, actor, p.fd), [p.a, p.b]),
  ),
  onFd('pwritev', 2, 'file', { fd: small, a: length, b: length, at: offset }, (s, p, actor) =>
    to('pwritev', onFile(s, actor, p.fd), [pattern(p.a, 3), pattern(p.b, 4)], p.at),
  ),
  onFd('lseek', 4, 'file', { fd: small, at: offset, whence: fc.nat({ max: 4 }) }, (s, p, actor) =>
    to('lseek', onFile(s, actor, p.fd), p.whence === F.SEEK_END ? -p.at : p.at, p.whence),
  ),
  kind('truncate', 4, { path: someFile, len: offset }, (s, p, actor) =>
    to('truncate', resolve(s, p.path, actor), p.len),
  ),
  onFd('ftruncate', 5, 'file', { fd: small, len: offset }, (s, p, actor) =>
    to('ftruncate', onFile(s, actor, p.fd), p.len),
  ),
  onFd(
    'fallocate',
    5,
    'file',
    { fd: small, mode: fc.constantFrom(...FALLOCATE_MODES), at: offset, len: length },
    (s, p, actor) => to('fallocate', onFile(s, actor, p.fd), p.mode, p.at, p.len),
  ),
  onFd(
    'copy_file_range',
    4,
    'file',
    { from: small, to: small, a: offset, b: offset, own: fc.boolean(), len: length },
    (s, p, actor) =>
      to(
        'copyFileRange',
        onFile(s, actor, p.from),
        p.own ? null : p.a,
        onFile(s, actor, p.to),
        p.own ? null : p.b,
        p.len,
        0,
      ),
  ),
  onFd('fsync', 1, 'file', { fd: small }, (s, p, actor) => to('fsync', onFile(s, actor, p.fd))),
  onFd('fdatasync', 1, 'any', { fd: small }, (s, p, actor) => to('fdatasync', s.fd(actor, p.fd))),
  onFd('syncfs', 1, 'any', { fd: small }, (s, p, actor) => to('syncfs', s.fd(actor, p.fd))),
];
