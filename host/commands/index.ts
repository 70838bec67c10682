/**
 * The commands that a machine has in /bin: each name, what it does, and how to get its program.
 * Nothing of a command is loaded before it is used.
 */
import type { Program } from '../programs/program.ts';

export interface CommandEntry {
  /** One line, in the imperative mood. */
  readonly summary: string;
  /** Mode of its file in /bin; 0755 unless told. */
  readonly mode?: number;
  load(): Promise<Program>;
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  cat: { summary: 'concatenate files to standard output', load: async () => (await import('./cat.ts')).cat },
  echo: { summary: 'display a line of text', load: async () => (await import('./echo.ts')).echo },
  ls: { summary: 'list directory contents', load: async () => (await import('./ls.ts')).ls },
  mkdir: { summary: 'create directories', load: async () => (await import('./mkdir.ts')).mkdir },
  rm: { summary: 'remove files or directories', load: async () => (await import('./rm.ts')).rm },
  rmdir: { summary: 'remove empty directories', load: async () => (await import('./mkdir.ts')).rmdir },
};
