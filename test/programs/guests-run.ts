/** The cases of WASI programs without a test runner, for another Node than the tests': a line of JSON for each. */
import { canSuspend } from '../../host/wasi/guest.ts';
import { GUEST_CASES, play } from './guestcases.ts';

for (const each of GUEST_CASES) {
  let error: string | null = null;
  try {
    await play(each);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  process.stdout.write(`${JSON.stringify({ name: each.name, error, canSuspend })}\n`);
}
