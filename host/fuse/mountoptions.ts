/** Options as mount(8) takes them, -o A,B=C: some are Linux's, some the server's, the rest the file system's in the machine. */
import type { ServeOptions } from './options.ts';

export interface MountOptions {
  /** For mount(8) or fusermount3. */
  linux: string[];
  serve: Partial<ServeOptions>;
  /** For the file system in the machine. */
  machine: string[];
  readOnly: boolean;
  allowOther: boolean;
  /** What df and mount show as the source. */
  source?: string;
  /** RAM of the machine, as a size. */
  ram?: string;
}

/** Flags that Linux's own half sees to. */
const LINUX = new Set(
  'suid nosuid dev nodev exec noexec atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime lazytime nolazytime sync async dirsync'.split(
    ' ',
  ),
);
/** Words for whoever reads /etc/fstab. */
const FSTAB = new Set(
  'defaults auto noauto user nouser users owner group nofail _netdev default_permissions'.split(' '),
);
const TIMEOUTS: Readonly<Record<string, 'entryTimeout' | 'attrTimeout' | 'negativeTimeout'>> = {
  entry_timeout: 'entryTimeout',
  attr_timeout: 'attrTimeout',
  negative_timeout: 'negativeTimeout',
};

/** @throws Error that names what is wrong */
export function parseMountOptions(texts: readonly string[]): MountOptions {
  const options: MountOptions = { linux: [], serve: {}, machine: [], readOnly: false, allowOther: false };
  for (const text of texts) {
    for (const option of text.split(',')) if (option !== '') parseOption(options, option);
  }
  return options;
}

function parseOption(options: MountOptions, option: string): void {
  const equals = option.indexOf('=');
  const name = equals < 0 ? option : option.slice(0, equals);
  const value = equals < 0 ? undefined : option.slice(equals + 1);
  if (name === 'ro' || name === 'rw') options.readOnly = name === 'ro';
  else if (LINUX.has(name) || name === 'max_read') options.linux.push(option);
  else if (name === 'allow_other') options.allowOther = true;
  else if (name in TIMEOUTS) options.serve[TIMEOUTS[name]] = secondsOf(option, value);
  else if (name === 'writeback_cache') options.serve.writebackCache = true;
  else if (name === 'fsname') options.source = value;
  else if (name === 'ram') options.ram = value;
  else if (!FSTAB.has(name) && !name.startsWith('x-') && name !== 'comment') options.machine.push(option);
}

function secondsOf(option: string, value: string | undefined): number {
  const seconds = Number(value);
  if (value === undefined || value === '' || !(seconds >= 0 && seconds < 2 ** 31))
    throw new Error(`-o ${option}: give seconds, as in entry_timeout=1.5`);
  return seconds;
}

/** The list for mount(8) or fusermount3, without the descriptor's own. */
export function linuxList(options: MountOptions, readOnly: boolean, source: string): string {
  return [
    readOnly ? 'ro' : 'rw',
    'default_permissions',
    ...(options.allowOther ? ['allow_other'] : []),
    ...options.linux,
    `fsname=${source.replace(/[\\,]/g, '\\$&')}`,
    'subtype=damselfly',
  ].join(',');
}
