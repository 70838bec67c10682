/** The console's input, which comes from the host and not from a process. */
import { consoleInput } from '../dev/console';
import { cpuEnter } from '../kern/cpu';
import { leaveDooming } from './exit';

export function console_input(len: u32, flags: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return leaveDooming(consoleInput(len, flags));
}
