/** Bugs to plant in the journal, which every test of crashes must find. See test/model/bugs.ts. */
import type { Bug } from '../model/bugs.ts';

const lines = (...list: string[]): string => list.join('\n');

export const JOURNAL_BUGS: readonly Bug[] = [
  {
    name: 'commit-early',
    effect: 'the commit block is written before what it vouches for is durable',
    file: 'assembly/fs/jbd2/commit.ts',
    from: lines(
      '  if (e == 0 && jn.jn_flags & JN_BARRIER) e = diskFlush(jn.jn_disk);',
      '  return e == 0 ? writeCommit(jn) : e;',
    ),
    to: lines(
      '  if (e == 0) e = writeCommit(jn);',
      '  return e == 0 && jn.jn_flags & JN_BARRIER ? diskFlush(jn.jn_disk) : e;',
    ),
  },
  {
    name: 'revoke-forgotten',
    effect:
      'a block of metadata that is freed is not revoked, so replay writes it over what the block became',
    file: 'assembly/fs/jbd2/journal.ts',
    from: 'const e = jn.jn_used == 0 ? 0 : revokeAdd(jn, block, jn.jn_seq, ALLOC_RESERVE);',
    to: 'const e: i32 = 0;',
  },
  {
    name: 'checkpoint-unflushed',
    effect: 'the log is said to be empty before what was in it is durable at home',
    file: 'assembly/fs/jbd2/commit.ts',
    from: lines(
      '  if (e == 0 && jn.jn_flags & JN_BARRIER) e = diskFlush(jn.jn_disk);',
      '  if (e == 0) e = logWriteSuper(jn, 0, jn.jn_seq);',
    ),
    to: '  if (e == 0) e = logWriteSuper(jn, 0, jn.jn_seq);',
  },
];
