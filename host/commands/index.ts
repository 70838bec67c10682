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
  basename: {
    summary: 'strip directory and suffix from filenames',
    load: async () => (await import('./names.ts')).basename,
  },
  cat: { summary: 'concatenate files to standard output', load: async () => (await import('./cat.ts')).cat },
  chgrp: { summary: 'change group ownership', load: async () => (await import('./chown.ts')).chgrp },
  chmod: { summary: 'change file mode bits', load: async () => (await import('./chmod.ts')).chmod },
  chown: { summary: 'change file owner and group', load: async () => (await import('./chown.ts')).chown },
  cp: { summary: 'copy files and directories', load: async () => (await import('./cp.ts')).cp },
  dirname: {
    summary: 'strip last component from file name',
    load: async () => (await import('./names.ts')).dirname,
  },
  echo: { summary: 'display a line of text', load: async () => (await import('./echo.ts')).echo },
  ln: { summary: 'make links between files', load: async () => (await import('./ln.ts')).ln },
  ls: { summary: 'list directory contents', load: async () => (await import('./ls.ts')).ls },
  mkdir: { summary: 'create directories', load: async () => (await import('./mkdir.ts')).mkdir },
  mkfifo: { summary: 'make FIFOs (named pipes)', load: async () => (await import('./mknod.ts')).mkfifo },
  mknod: {
    summary: 'make block or character special files, or FIFOs',
    load: async () => (await import('./mknod.ts')).mknod,
  },
  mktemp: {
    summary: 'create a temporary file or directory, safely, and print its name',
    load: async () => (await import('./names.ts')).mktemp,
  },
  mv: { summary: 'move (rename) files', load: async () => (await import('./cp.ts')).mv },
  pwd: {
    summary: 'print name of current/working directory',
    load: async () => (await import('./names.ts')).pwd,
  },
  readlink: {
    summary: 'print resolved symbolic links or canonical file names',
    load: async () => (await import('./names.ts')).readlink,
  },
  realpath: {
    summary: 'print the resolved absolute file name',
    load: async () => (await import('./names.ts')).realpath,
  },
  rmdir: { summary: 'remove empty directories', load: async () => (await import('./mkdir.ts')).rmdir },
  rm: { summary: 'remove files or directories', load: async () => (await import('./rm.ts')).rm },
  stat: { summary: 'display file or file system status', load: async () => (await import('./stat.ts')).stat },
  touch: { summary: 'change file timestamps', load: async () => (await import('./touch.ts')).touch },
  which: { summary: 'locate a command', load: async () => (await import('./names.ts')).which },
};
