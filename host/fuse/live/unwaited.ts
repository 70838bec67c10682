import * as fuse from '../protocol.ts';

/** Requests that nobody waits for: they are never refused unheard, since what they tell must be known. */
export const UNWAITED: ReadonlySet<number> = new Set([
  fuse.FUSE_FORGET,
  fuse.FUSE_BATCH_FORGET,
  fuse.FUSE_INTERRUPT,
  fuse.FUSE_RELEASE,
  fuse.FUSE_RELEASEDIR,
  fuse.FUSE_INIT,
  fuse.FUSE_DESTROY,
]);
