#!/usr/bin/env node
/**
 * `mount.fuse.damselfly`, as mount(8) runs it for file systems of the type fuse.damselfly, in /etc/fstab or by -t:
 *
 *     mount.fuse.damselfly SOURCE DIRECTORY [-sfnv] [-N namespace] [-t type] [-o options]
 *
 * It becomes `damselfly mount --daemon`. The source is an image, or tmpfs:SIZE.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const TMPFS = 'tmpfs:';

/** @returns arguments of damselfly, or nothing where mount(8) only pretends (-f) */
function translate([source = '', directory = '', ...flags]: string[]): string[] | undefined {
  const args = ['mount', '--daemon'];
  if (source.startsWith(TMPFS)) args.push('--tmpfs', source.slice(TMPFS.length), directory);
  else args.push(source, directory);
  for (let i = 0; i < flags.length; i++) {
    if (flags[i] === '-f') return undefined;
    if (flags[i] === '-o') args.push('-o', flags[++i] ?? '');
    else if (flags[i] === '-N' || flags[i] === '-t') i++;
  }
  return args;
}

const args = translate(process.argv.slice(2));
if (args !== undefined) {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  process.exitCode = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' }).status ?? 1;
}
