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
  '[': { summary: 'evaluate a condition', load: async () => (await import('./test.ts')).test },
  awk: {
    summary: 'find and process patterns in text',
    load: async () => (await import('./filters.ts')).filters.awk,
  },
  base64: {
    summary: 'encode or decode data in base64',
    load: async () => (await import('./filters.ts')).filters.base64,
  },
  basename: {
    summary: 'strip directory and suffix from filenames',
    load: async () => (await import('./names.ts')).basename,
  },
  cat: { summary: 'concatenate files to standard output', load: async () => (await import('./cat.ts')).cat },
  chgrp: { summary: 'change group ownership', load: async () => (await import('./chown.ts')).chgrp },
  chmod: { summary: 'change file mode bits', load: async () => (await import('./chmod.ts')).chmod },
  chown: { summary: 'change file owner and group', load: async () => (await import('./chown.ts')).chown },
  chroot: {
    summary: 'run COMMAND with root directory set to NEWROOT',
    load: async () => (await import('./run.ts')).chroot,
  },
  clear: { summary: 'clear the terminal screen', load: async () => (await import('./small.ts')).clear },
  cmp: { summary: 'compare two files byte by byte', load: async () => (await import('./streams.ts')).cmp },
  column: {
    summary: 'arrange text in columns',
    load: async () => (await import('./filters.ts')).filters.column,
  },
  comm: {
    summary: 'compare two sorted files line by line',
    load: async () => (await import('./filters.ts')).filters.comm,
  },
  cp: { summary: 'copy files and directories', load: async () => (await import('./cp.ts')).cp },
  cut: {
    summary: 'print selected parts of lines',
    load: async () => (await import('./filters.ts')).filters.cut,
  },
  date: {
    summary: 'display the date and time in the given FORMAT',
    load: async () => (await import('./small.ts')).date,
  },
  dd: { summary: 'convert and copy a file', load: async () => (await import('./dd.ts')).dd },
  df: {
    summary: 'show information about the file system on which each FILE resides, or all file systems',
    load: async () => (await import('./disk.ts')).df,
  },
  diff: {
    summary: 'compare files line by line',
    load: async () => (await import('./diff.ts')).diff,
  },
  dirname: {
    summary: 'strip last component from file name',
    load: async () => (await import('./names.ts')).dirname,
  },
  dmesg: { summary: "print the kernel's log", load: async () => (await import('./kernel.ts')).dmesg },
  du: {
    summary: 'summarize device usage of the set of FILEs, recursively for directories',
    load: async () => (await import('./disk.ts')).du,
  },
  echo: { summary: 'display a line of text', load: async () => (await import('./echo.ts')).echo },
  egrep: {
    summary: 'print lines that match extended patterns',
    load: async () => (await import('./filters.ts')).filters.egrep,
  },
  env: {
    summary: 'set each NAME to VALUE in the environment and run COMMAND',
    load: async () => (await import('./run.ts')).env,
  },
  expand: {
    summary: 'convert tabs to spaces',
    load: async () => (await import('./filters.ts')).filters.expand,
  },
  expr: { summary: 'evaluate an expression', load: async () => (await import('./filters.ts')).filters.expr },
  false: { summary: 'do nothing, unsuccessfully', load: async () => (await import('./small.ts')).false_ },
  fgrep: {
    summary: 'print lines that contain strings',
    load: async () => (await import('./filters.ts')).filters.fgrep,
  },
  find: {
    summary: 'search for files in a directory hierarchy',
    load: async () => (await import('./find.ts')).find,
  },
  flock: {
    summary: 'manage file locks from shell scripts',
    load: async () => (await import('./run.ts')).flock,
  },
  fold: {
    summary: 'wrap each line to a width',
    load: async () => (await import('./filters.ts')).filters.fold,
  },
  getfattr: {
    summary: 'get extended attributes of files',
    load: async () => (await import('./xattr.ts')).getfattr,
  },
  grep: {
    summary: 'print lines that match patterns',
    load: async () => (await import('./filters.ts')).filters.grep,
  },
  head: { summary: 'output the first part of files', load: async () => (await import('./head.ts')).head },
  hostname: {
    summary: "show or set the system's host name",
    load: async () => (await import('./small.ts')).hostname,
  },
  id: {
    summary: 'print user and group information for each specified USER, or for the current process',
    load: async () => (await import('./procs.ts')).id,
  },
  join: {
    summary: 'join lines of two files on a common field',
    load: async () => (await import('./filters.ts')).filters.join,
  },
  jq: { summary: 'process JSON', load: async () => (await import('./filters.ts')).filters.jq },
  kill: {
    summary: 'send signals to processes, or list signals',
    load: async () => (await import('./procs.ts')).kill,
  },
  ln: { summary: 'make links between files', load: async () => (await import('./ln.ts')).ln },
  login: { summary: 'begin a session on the system', load: async () => (await import('./login.ts')).login },
  lsof: { summary: 'list open files', load: async () => (await import('./procs.ts')).lsof },
  ls: { summary: 'list directory contents', load: async () => (await import('./ls.ts')).ls },
  md5sum: { summary: 'print or check MD5 checksums', load: async () => (await import('./sums.ts')).md5sum },
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
  mount: {
    summary: 'mount a file system, or list what is mounted',
    load: async () => (await import('./mount.ts')).mount,
  },
  mv: { summary: 'move (rename) files', load: async () => (await import('./cp.ts')).mv },
  nl: { summary: 'number lines', load: async () => (await import('./filters.ts')).filters.nl },
  nohup: {
    summary: 'run COMMAND, ignoring hangup signals',
    load: async () => (await import('./run.ts')).nohup,
  },
  nproc: {
    summary: 'print the number of processing units available',
    load: async () => (await import('./small.ts')).nproc,
  },
  od: { summary: 'dump files in octal and other formats', load: async () => (await import('./od.ts')).od },
  paste: { summary: 'merge lines of files', load: async () => (await import('./filters.ts')).filters.paste },
  printf: { summary: 'print words by a format', load: async () => (await import('./printf.ts')).printf },
  ps: {
    summary: 'report a snapshot of the current processes',
    load: async () => (await import('./ps.ts')).ps,
  },
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
  rev: {
    summary: 'reverse lines characterwise',
    load: async () => (await import('./filters.ts')).filters.rev,
  },
  rmdir: { summary: 'remove empty directories', load: async () => (await import('./mkdir.ts')).rmdir },
  rm: { summary: 'remove files or directories', load: async () => (await import('./rm.ts')).rm },
  sed: { summary: 'edit text as it goes by', load: async () => (await import('./filters.ts')).filters.sed },
  seq: {
    summary: 'print numbers from FIRST to LAST, in steps of INCREMENT',
    load: async () => (await import('./small.ts')).seq,
  },
  setfattr: {
    summary: 'set extended attributes of files',
    load: async () => (await import('./xattr.ts')).setfattr,
  },
  sha1sum: {
    summary: 'print or check SHA1 checksums',
    load: async () => (await import('./sums.ts')).sha1sum,
  },
  sha224sum: {
    summary: 'print or check SHA224 checksums',
    load: async () => (await import('./sums.ts')).sha224sum,
  },
  sha256sum: {
    summary: 'print or check SHA256 checksums',
    load: async () => (await import('./sums.ts')).sha256sum,
  },
  sha384sum: {
    summary: 'print or check SHA384 checksums',
    load: async () => (await import('./sums.ts')).sha384sum,
  },
  sha512sum: {
    summary: 'print or check SHA512 checksums',
    load: async () => (await import('./sums.ts')).sha512sum,
  },
  sleep: {
    summary: 'delay for a specified amount of time',
    load: async () => (await import('./small.ts')).sleep,
  },
  sort: { summary: 'sort lines of text files', load: async () => (await import('./sort.ts')).sort },
  split: {
    summary: 'split a file into pieces',
    load: async () => (await import('./filters.ts')).filters.split,
  },
  stat: { summary: 'display file or file system status', load: async () => (await import('./stat.ts')).stat },
  strings: {
    summary: 'print the printable strings in files',
    load: async () => (await import('./filters.ts')).filters.strings,
  },
  stty: {
    summary: 'print or change terminal characteristics',
    load: async () => (await import('./stty.ts')).stty,
  },
  su: {
    summary: 'change the effective user ID and group ID to that of USER',
    mode: 0o4755,
    load: async () => (await import('./login.ts')).su,
  },
  sync: {
    summary: 'synchronize cached writes to persistent storage',
    load: async () => (await import('./small.ts')).sync,
  },
  sysctl: {
    summary: 'view or change kernel settings',
    load: async () => (await import('./kernel.ts')).sysctl,
  },
  tac: {
    summary: 'print files with their lines reversed',
    load: async () => (await import('./filters.ts')).filters.tac,
  },
  tail: { summary: 'output the last part of files', load: async () => (await import('./tail.ts')).tail },
  tar: {
    summary: 'store files in an archive, list them and extract them',
    load: async () => (await import('./tar.ts')).tar,
  },
  tee: {
    summary: 'copy standard input to each FILE, and also to standard output',
    load: async () => (await import('./streams.ts')).tee,
  },
  test: { summary: 'evaluate a condition', load: async () => (await import('./test.ts')).test },
  timeout: {
    summary: 'start COMMAND, and kill it if still running after DURATION',
    load: async () => (await import('./run.ts')).timeout,
  },
  touch: { summary: 'change file timestamps', load: async () => (await import('./touch.ts')).touch },
  tree: {
    summary: "draw a directory's contents",
    load: async () => (await import('./tree.ts')).tree,
  },
  true: { summary: 'do nothing, successfully', load: async () => (await import('./small.ts')).true_ },
  tr: {
    summary: 'translate or delete characters',
    load: async () => (await import('./filters.ts')).filters.tr,
  },
  tty: {
    summary: 'print the file name of the terminal connected to standard input',
    load: async () => (await import('./small.ts')).tty,
  },
  umount: {
    summary: 'unmount file systems',
    load: async () => (await import('./mount.ts')).umount,
  },
  uname: {
    summary: 'print certain system information',
    load: async () => (await import('./small.ts')).uname,
  },
  unexpand: {
    summary: 'convert spaces to tabs',
    load: async () => (await import('./filters.ts')).filters.unexpand,
  },
  uniq: { summary: 'report or omit repeated lines', load: async () => (await import('./sort.ts')).uniq },
  vmstat: { summary: 'show how the memory is used', load: async () => (await import('./kernel.ts')).vmstat },
  vopstat: {
    summary: 'show how often each vnode operation was called',
    load: async () => (await import('./kernel.ts')).vopstat,
  },
  wc: {
    summary: 'print newline, word, and byte counts for each file',
    load: async () => (await import('./streams.ts')).wc,
  },
  which: { summary: 'locate a command', load: async () => (await import('./names.ts')).which },
  whoami: {
    summary: 'print the user name associated with the current effective user ID',
    load: async () => (await import('./small.ts')).whoami,
  },
  xargs: {
    summary: 'build and execute command lines from standard input',
    load: async () => (await import('./xargs.ts')).xargs,
  },
  yes: {
    summary: 'output a string repeatedly until killed',
    load: async () => (await import('./streams.ts')).yes,
  },
};
