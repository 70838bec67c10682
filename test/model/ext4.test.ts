import { describe, expect, it } from 'vitest';
import {
  describeFailure,
  describeTally,
  replayCommand,
  runModel,
  unavailable,
  withSystems,
} from './model.ts';

// The quick form of `make model FS=ext4`. The host's disk is slower than its tmpfs.
const OPERATIONS = 800;

const reason = unavailable('ext4');
const isSkipped = reason !== undefined && process.env.CI === undefined;

describe.skipIf(isSkipped)(`the model test on ext4${reason ? `, not run: ${reason}` : ''}`, () => {
  it(`${OPERATIONS} random operations end as on the host's own ext4`, { timeout: 120_000 }, () => {
    const flavour = 'up-debug';
    withSystems(
      { flavour },
      (pair) => {
        const { failure, tally } = runModel(pair, { seed: 2004, operations: OPERATIONS });
        const replay = failure && replayCommand(failure, flavour, 'ext4');
        expect(failure && [describeFailure(failure), replay].join('\n')).toBe(undefined);
        console.log(describeTally(tally));
        expect(tally.succeeded * 2).toBeGreaterThanOrEqual(tally.made);
      },
      'ext4',
    );
  });
});
