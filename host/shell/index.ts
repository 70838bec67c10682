/** The POSIX shell, as a program of a machine's /bin. Nothing of it is loaded before it runs. */
import type { CommandEntry } from '../commands/index.ts';

export const shellEntry: CommandEntry = {
  summary: 'the POSIX shell',
  load: async () => (await import('./main.ts')).sh,
};
