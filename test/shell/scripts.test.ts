/** Shell scripts of our own, each run here and by the host's dash: the same output, code and tree. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Aspect, differences } from './differences.ts';
import { Judge, type Outcome, programs } from './judge.ts';

const directory = fileURLToPath(new URL('scripts/', import.meta.url));
const names = fs
  .readdirSync(directory)
  .filter((file) => file.endsWith('.sh'))
  .map((file) => basename(file, '.sh'))
  .sort();

const EXTERNAL =
  'cat ls mkdir rmdir rm cp mv ln chmod touch mkfifo sleep head tail wc sort uniq cut tr grep sed awk cmp'.split(
    ' ',
  );

/** Commands that a script uses and a machine does not have. */
function missing(name: string): string[] {
  const words = new Set(fs.readFileSync(`${directory}${name}.sh`, 'utf8').match(/[a-z]+/g));
  return EXTERNAL.filter((command) => words.has(command) && !programs.has(command));
}

let judge: Judge;
beforeAll(async () => {
  judge = await Judge.create();
});
afterAll(() => judge?.close());

/** Without the aspects in which a script is known to differ. */
function compared(outcome: Outcome, without: readonly Aspect[]): Partial<Outcome> {
  return Object.fromEntries(
    Object.entries(outcome).filter(([aspect]) => !without.includes(aspect as Aspect)),
  );
}

describe('scripts', () => {
  test('there are at least 150, and every difference is of one of them', () => {
    expect(names.length).toBeGreaterThanOrEqual(150);
    expect(Object.keys(differences).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.runIf(spawnSync('dash', ['-c', ':']).status === 0).for(names)('%s', async (name, context) => {
    const absent = missing(name);
    if (absent.length > 0) context.skip(`a machine has no ${absent.join(', ')}`);
    const script = fs.readFileSync(`${directory}${name}.sh`, 'utf8');
    const [here, dash] = await Promise.all([judge.here(script), judge.byDash(script)]);
    const { aspects = [] } = differences[name] ?? {};
    expect(compared(here, aspects)).toEqual(compared(dash, aspects));
    for (const aspect of aspects)
      expect(here[aspect], `${aspect} no longer differs`).not.toEqual(dash[aspect]);
  });
});
