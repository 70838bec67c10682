import { describe, expect, it } from 'vitest';
import { linuxUnavailable } from '../oracle/linux.ts';
import { BUGS } from './bugs.ts';
import { runModel, withSystems } from './model.ts';
import { buildVariant, plant, sourceOf } from './variant.ts';

// All of them are looked for by `make planted`: each needs a kernel of its own.
const QUICK = 'append-position';

describe('planted bugs', () => {
  it('each has its place in the kernel’s sources, which have none of them', () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(BUGS.map((bug) => bug.name)).size).toBe(BUGS.length);
    for (const bug of BUGS) {
      const source = sourceOf(bug);
      expect(plant(source, bug)).not.toBe(source);
    }
  });

  const reason = linuxUnavailable();
  it.skipIf(reason)(`${QUICK} is found${reason ? `, not run: ${reason}` : ''}`, { timeout: 180_000 }, () => {
    const bug = BUGS.find(({ name }) => name === QUICK);
    if (!bug) throw new Error(`no bug ${QUICK}`);
    const file = buildVariant(bug, 'up-debug');
    withSystems({ flavour: 'up-debug', file }, (pair) => {
      const { failure } = runModel(pair, { seed: 1, operations: 10_000, shrinkMs: 1000 });
      expect(failure?.message).toMatch(/bytes in|sum|lseek/);
      expect(failure?.operations.length).toBeLessThan(400);
    });
  });
});
