/** Entries of a directory brought into order, and into lines. */
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../../../assembly/abi/flags.ts';
import { compareBytes } from '../../syscalls/bytes.ts';
import type { Colors } from './colors.ts';
import { type Cell, inColumns, inCommas } from './columns.ts';
import { humanSize } from './numbers.ts';
import { CONTROLS, escapeControls, quotedIfNeeded } from './quote.ts';
import { major, minor } from '../../syscalls/devices.ts';
import { compareTimes, type Info, isDevice, isDirectory, modeText } from './stat.ts';

export interface Entry {
  readonly name: string;
  readonly path: string;
  readonly info: Info;
  /** Where a link leads, if that is shown. */
  readonly target?: string;
  /** Mode of what a link leads to, if it leads anywhere. */
  readonly targetMode?: number;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** The directory's name, as its heading. */
  readonly title?: string;
  /** An empty line comes first. */
  readonly separated?: boolean;
  /** Blocks of 512 bytes, if their sum is shown. */
  readonly totalBlocks?: number;
}

export interface Layout {
  readonly format: 'long' | 'single' | 'columns' | 'across' | 'commas';
  /** Of the screen, in characters; 0: no limit. */
  readonly width: number;
  readonly quoting: 'literal' | 'shell' | 'escape' | 'c';
  readonly hideControl: boolean;
  readonly colors: Colors | undefined;
  readonly indicators: 'none' | 'slash' | 'type' | 'classify';
  readonly inode: boolean;
  readonly blocks: boolean;
  readonly owner: boolean;
  readonly group: boolean;
  /** Sizes in units of this power; plain if undefined. */
  readonly human: 1000 | 1024 | undefined;
  /** Of a line. */
  readonly end: string;
  /** Undefined: the number is shown. */
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
  time(info: Info): string;
}

const byName = compareBytes;

/** Numbers in names by their value. */
function byVersion(a: string, b: string): number {
  const parts = (text: string) => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference =
      /^\d/.test(left[i]) && /^\d/.test(right[i])
        ? Number(left[i]) - Number(right[i])
        : byName(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length || byName(a, b);
}

function extension(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

/** How entries are compared. */
export function orderOf(
  key: 'name' | 'none' | 'size' | 'time' | 'version' | 'extension' | 'width',
  time: 'mtime' | 'ctime' | 'atime' | 'birthtime',
  reverse: boolean,
  directoriesFirst: boolean,
): (a: Entry, b: Entry) => number {
  const compare: Record<typeof key, (a: Entry, b: Entry) => number> = {
    name: (a, b) => byName(a.name, b.name),
    none: () => 0,
    size: (a, b) => b.info.size - a.info.size || byName(a.name, b.name),
    time: (a, b) => compareTimes(b.info[time], a.info[time]) || byName(a.name, b.name),
    version: (a, b) => byVersion(a.name, b.name),
    width: (a, b) => screenWidth(a.name) - screenWidth(b.name) || byName(a.name, b.name),
    extension: (a, b) => byName(extension(a.name), extension(b.name)) || byName(a.name, b.name),
  };
  const sign = reverse ? -1 : 1;
  const rank = ({ info, targetMode }: Entry) =>
    isDirectory(info) || ((targetMode ?? 0) & S_IFMT) === S_IFDIR ? 0 : 1;
  return (a, b) => (directoriesFirst && key !== 'none' ? rank(a) - rank(b) : 0) || sign * compare[key](a, b);
}

function indicator(mode: number, kind: Layout['indicators']): string {
  const type = mode & S_IFMT;
  if (kind === 'none') return '';
  if (type === S_IFDIR) return '/';
  if (kind === 'slash') return '';
  if (type === S_IFLNK) return '@';
  if (type === S_IFIFO) return '|';
  if (type === S_IFSOCK) return '=';
  return kind === 'classify' && type === S_IFREG && mode & 0o111 ? '*' : '';
}

function shownName(name: string, { quoting, hideControl }: Layout): string {
  if (quoting === 'shell') return quotedIfNeeded(name);
  if (quoting === 'escape') return escapeControls(name.replace(/[\\ ]/g, '\\$&'));
  if (quoting === 'c') return `"${escapeControls(name.replace(/["\\]/g, '\\$&'))}"`;
  return hideControl ? name.replace(CONTROLS, (run) => '?'.repeat(run.length)) : name;
}

function sizeText(bytes: number, { human }: Layout): string {
  return human === undefined ? String(bytes) : humanSize(bytes, human);
}

/** Allocated size in blocks of 1 KiB. */
function blocksText(blocks: number, { human }: Layout): string {
  return human === undefined ? String(Math.ceil(blocks / 2)) : humanSize(blocks * 512, human);
}

/** Width of the widest text. */
const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, text.length), 0);

/** Inode number and blocks, which may stand before a name in any format. */
function leadsOf(entries: readonly Entry[], given: Layout): string[] {
  const inodes = entries.map(({ info }) => (given.inode ? String(info.ino) : ''));
  const blocks = entries.map(({ info }) => (given.blocks ? blocksText(info.blocks, given) : ''));
  // In one line with commas nothing is aligned.
  const isAligned = given.format !== 'commas';
  const [inodeWidth, blocksWidth] = isAligned ? [widest(inodes), widest(blocks)] : [0, 0];
  return entries.map(
    (_, i) =>
      (given.inode ? `${inodes[i].padStart(inodeWidth)} ` : '') +
      (given.blocks ? `${blocks[i].padStart(blocksWidth)} ` : ''),
  );
}

/** Control characters take no room. */
const screenWidth = (text: string) => [...text.replace(CONTROLS, '')].length;

/** Names on the left of their column, numbers on the right. */
function idColumn(ids: readonly number[], nameOf: (id: number) => string | undefined): string[] {
  const names = ids.map(nameOf);
  const width = widest(ids.map((id, i) => names[i] ?? String(id)));
  return ids.map((id, i) => names[i]?.padEnd(width) ?? String(id).padStart(width));
}

interface Name {
  readonly text: string;
  readonly width: number;
}

function namesOf(entries: readonly Entry[], given: Layout): Name[] {
  const shown = entries.map(({ name }) => shownName(name, given));
  const isAligned = given.quoting === 'shell' && given.format !== 'single' && given.format !== 'commas';
  const someQuoted = isAligned && shown.some((text, i) => text !== entries[i].name);
  return entries.map((entry, i) => {
    const { info, name, targetMode } = entry;
    const lead = someQuoted && shown[i] === name ? ' ' : '';
    const broken = targetMode === undefined;
    const painted = given.colors?.paint(shown[i], name, info.mode, broken) ?? shown[i];
    const end =
      given.format === 'long' && entry.target !== undefined ? '' : indicator(info.mode, given.indicators);
    return { text: lead + painted + end, width: lead.length + screenWidth(shown[i]) + end.length };
  });
}

function linkText({ target, targetMode }: Entry, given: Layout): string {
  if (target === undefined) return '';
  const shown = shownName(target, given);
  if (targetMode === undefined) return ` -> ${given.colors?.paintMissing(shown) ?? shown}`;
  const isPainted = given.colors?.paintsTargets || given.indicators === 'classify';
  const painted = (isPainted ? given.colors?.paint(shown, target, targetMode) : undefined) ?? shown;
  return ` -> ${painted}${indicator(targetMode, given.indicators)}`;
}

/** Sizes, and major and minor numbers of devices, in one column. */
function sizeColumn(entries: readonly Entry[], given: Layout): string[] {
  const devices = entries.filter(({ info }) => isDevice(info));
  const majorWidth = widest(devices.map(({ info }) => String(major(info.rdev))));
  const minorWidth = widest(devices.map(({ info }) => String(minor(info.rdev))));
  const texts = entries.map(({ info }) => {
    if (!isDevice(info)) return sizeText(info.size, given);
    return `${String(major(info.rdev)).padStart(majorWidth)}, ${String(minor(info.rdev)).padStart(minorWidth)}`;
  });
  const width = widest(texts);
  return texts.map((text) => text.padStart(width));
}

function longLines(entries: readonly Entry[], given: Layout): string[] {
  const leads = leadsOf(entries, given);
  const names = namesOf(entries, given);
  const links = entries.map(({ info }) => String(info.nlink));
  const owners = idColumn(
    entries.map(({ info }) => info.uid),
    given.userName,
  );
  const groups = idColumn(
    entries.map(({ info }) => info.gid),
    given.groupName,
  );
  const sizes = sizeColumn(entries, given);
  const times = entries.map(({ info }) => given.time(info));
  const linksWidth = widest(links);
  return entries.map((entry, i) => {
    const fields = [modeText(entry.info.mode), links[i].padStart(linksWidth)];
    if (given.owner) fields.push(owners[i]);
    if (given.group) fields.push(groups[i]);
    fields.push(sizes[i], times[i]);
    return `${leads[i]}${fields.join(' ')} ${names[i].text}${linkText(entry, given)}${given.end}`;
  });
}

function body(entries: readonly Entry[], given: Layout): string {
  if (entries.length === 0) return '';
  if (given.format === 'long') return longLines(entries, given).join('');
  const leads = leadsOf(entries, given);
  const cells: Cell[] = namesOf(entries, given).map(({ text, width }, i) => ({
    text: leads[i] + text,
    width: leads[i].length + width,
  }));
  if (given.format === 'single') return cells.map(({ text }) => text + given.end).join('');
  if (given.format === 'commas') return inCommas(cells, given.width);
  return inColumns(cells, given.width, given.format === 'across', given.colors === undefined);
}

/** A listing as text. */
export function layout({ entries, title, separated, totalBlocks }: Listing, given: Layout): string {
  const heading = title === undefined ? '' : `${shownName(title, given)}:${given.end}`;
  const total = totalBlocks === undefined ? '' : `total ${blocksText(totalBlocks, given)}${given.end}`;
  return (separated ? given.end : '') + heading + total + body(entries, given);
}
