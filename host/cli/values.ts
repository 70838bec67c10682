/** Values on the command line, and sizes in what it prints. */
import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** "268435456", "64k", "256M", "1.5g", "1GiB", "2T" in bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2].toLowerCase()];
  if (!Number.isFinite(bytes)) throw new InvalidArgumentError('Give a size as 268435456, 256m or 1.5g.');
  return Math.round(bytes);
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError('Give a whole number from 0 to 9007199254740991.');
  return seed;
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('Give a number.');
  return value;
}

export interface RootSpec {
  type: string;
  source: string;
  options: string;
  readOnly: boolean;
}

/** TYPE:DEVICE[,OPTION…], for example ext4:/dev/vbd0 or ext4:/dev/vbd0p1,ro,data=journal. */
export function parseRoot(text: string): RootSpec {
  const match = /^([a-z0-9]+):(\/dev\/[^,]+)(?:,(.*))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Give TYPE:DEVICE, for example ext4:/dev/vbd0.');
  const [, type, source, rest = ''] = match;
  const options = rest.split(',').filter((option) => option !== '' && option !== 'rw');
  const readOnly = options.includes('ro');
  return { type, source, readOnly, options: options.filter((option) => option !== 'ro').join(',') };
}

export interface ImportSpec {
  host: string;
  machine: string;
}

/** HOSTDIR:/path. The machine's path starts at the last ":/", so that a host's path may hold colons. */
export function parseImport(text: string, before: ImportSpec[] = []): ImportSpec[] {
  const colon = text.lastIndexOf(':/');
  if (colon < 1) throw new InvalidArgumentError('Give HOSTDIR:/path, for example ./src:/src.');
  return [...before, { host: text.slice(0, colon), machine: text.slice(colon + 1) }];
}

/** /path:HOSTDIR. The machine's path ends at the first colon. */
export function parseExport(text: string, before: ImportSpec[] = []): ImportSpec[] {
  const colon = text.indexOf(':');
  if (!text.startsWith('/') || colon < 1 || colon === text.length - 1)
    throw new InvalidArgumentError('Give /path:HOSTDIR, for example /src:./out.');
  return [...before, { machine: text.slice(0, colon), host: text.slice(colon + 1) }];
}

export interface MountSpec {
  host: string;
  machine: string;
}

/** HOSTDIR[:/path]: where on the host, and which directory of the machine, "/" unless told. */
export function parseMount(text: string, before: MountSpec[] = []): MountSpec[] {
  const colon = text.lastIndexOf(':/');
  if (text === '' || colon === 0)
    throw new InvalidArgumentError('Give HOSTDIR or HOSTDIR:/path, for example /mnt/point:/home.');
  const spec =
    colon < 0 ? { host: text, machine: '/' } : { host: text.slice(0, colon), machine: text.slice(colon + 1) };
  return [...before, spec];
}

export interface DiskImage {
  file: string;
  readOnly: boolean;
  /** Changes are kept in memory, and thrown away with the machine. */
  scratch: boolean;
}

/** IMG, IMG:ro or IMG:scratch. */
export function parseDisk(text: string, before: DiskImage[] = []): DiskImage[] {
  const [, file, how = ''] = /^(.*?)(?::(ro|scratch))?$/s.exec(text) as RegExpExecArray;
  if (file === '')
    throw new InvalidArgumentError('Give IMG, IMG:ro to only read it, or IMG:scratch to throw changes away.');
  return [...before, { file, readOnly: how === 'ro', scratch: how === 'scratch' }];
}

/** NAME=VALUE, or NAME for the value that it has here. */
export function parseVariable(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, , value] = /^([^=]+)(=(.*))?$/s.exec(text) ?? [];
  const given = value ?? process.env[name];
  if (name === undefined || given === undefined)
    throw new InvalidArgumentError('Give NAME=VALUE, or the name of a variable that is set.');
  return { ...before, [name]: given };
}

/** 12.3 MiB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['bytes', 'KiB', 'MiB']) {
    if (value < 1024)
      return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
    value /= 1024;
  }
  const [large, unit] = value < 1024 ? [value, 'GiB'] : [value / 1024, 'TiB'];
  return `${large.toLocaleString('en', { maximumFractionDigits: 2 })} ${unit}`;
}

/** A time that a person reads: 0.42 ms, 12 ms, 3.1 s. */
export function formatMs(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A duration that may be very short: 850 ns, 12 µs, 3.1 ms. */
export function formatNs(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${(ns / 1000).toFixed(ns < 10_000 ? 1 : 0)} µs`;
  return formatMs(ns / 1e6);
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
