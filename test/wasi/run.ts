/** The WASI suite without a test runner, for another Node than the tests': a line of JSON for each case. */
import { play } from './scene.ts';
import { CASES, titleOf, VARIANTS } from './suite.ts';

for (const variant of VARIANTS) {
  for (const each of CASES) {
    let error: string | null = null;
    try {
      await play(variant, each.act);
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    process.stdout.write(`${JSON.stringify({ variant: titleOf(variant), name: each.name, error })}\n`);
  }
}
