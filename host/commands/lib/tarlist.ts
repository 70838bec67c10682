/** A member of an archive as tar -v lists it. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '../../../assembly/abi/flags.ts';
import type { TarArguments } from '../tar.ts';
import type { Tool } from './command.ts';
import { escapeControls } from './quote.ts';
import { modeText } from './stat.ts';
import type { TarHeader } from './tarformat.ts';
import { strftime, zoneOf } from './time.ts';

const FORMATS: Readonly<Record<string, number>> = {
  directory: S_IFDIR,
  symlink: S_IFLNK,
  'character-device': S_IFCHR,
  'block-device': S_IFBLK,
  fifo: S_IFIFO,
};

/** Owner and size share this much room, and more once they have needed it. */
const OWNER_AND_SIZE = 19;

/** Just the name, or with -tv (and -cvv) all of it. */
export function lineOf(header: TarHeader, { options, given }: TarArguments, tool: Tool): string {
  const times = given.filter((name) => name === 'verbose').length + (options.list ? 1 : 0);
  const shown = (name: string) => escapeControls(name.replaceAll('\\', '\\\\'));
  if (times < 2) return shown(header.name);
  const { uname, gname, uid, gid, size, type, linkname } = header;
  const numeric = options['numeric-owner'];
  const owner = `${(!numeric && uname) || uid}/${(!numeric && gname) || gid}`;
  const amount = type.endsWith('device') ? `${header.devmajor},${header.devminor}` : String(size);
  const mode =
    type === 'link'
      ? `h${modeText(S_IFREG | header.mode).slice(1)}`
      : modeText((FORMATS[type] ?? S_IFREG) | header.mode);
  const time = strftime(
    '%Y-%m-%d %H:%M',
    { seconds: header.mtime.seconds, nanoseconds: 0 },
    zoneOf(tool.env),
  );
  const gap = Math.max(1, OWNER_AND_SIZE - owner.length - amount.length);
  const target =
    type === 'symlink' ? ` -> ${shown(linkname)}` : type === 'link' ? ` link to ${shown(linkname)}` : '';
  return `${mode} ${owner}${' '.repeat(gap)}${amount} ${time} ${shown(header.name)}${target}`;
}
