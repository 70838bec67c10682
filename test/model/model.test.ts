import { describe, expect, it } from 'vitest';
import { linuxUnavailable } from '../oracle/linux.ts';
import { describeFailure, describeTally, replayCommand, runModel, withSystems } from './model.ts';
import { kindNames } from './operations.ts';

// The quick form of `make model`.
const OPERATIONS = 6000;

const reason = linuxUnavailable();

describe.skipIf(reason)(`the model test${reason ? `, not run: ${reason}` : ''}`, () => {
  for (const flavour of ['up-debug', 'smp-debug']) {
    it(`${flavour}: ${OPERATIONS} random operations end as on the host's own tmpfs`, {
      timeout: 120_000,
    }, () => {
      withSystems({ flavour }, (pair) => {
        const { failure, tally } = runModel(pair, { seed: 2004, operations: OPERATIONS });
        expect(failure && [describeFailure(failure), replayCommand(failure, flavour)].join('\n')).toBe(
          undefined,
        );
        console.log(describeTally(tally));
        expect(tally.succeeded * 2).toBeGreaterThanOrEqual(tally.made);
        const sound = kindNames.filter((name) => !name.endsWith('by chance'));
        expect(sound.filter((name) => !tally.calls.get(name)?.succeeded)).toEqual([]);
      });
    });
  }
});
