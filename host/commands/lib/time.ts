/**
 * Times as text and back: strftime, and the dates that touch -d and date -d take. The zone is TZ's,
 * by the platform's tables of zones, and UTC where there is none.
 */
import { Failure } from './errors.ts';
import type { Time } from './stat.ts';

type Env = Readonly<Record<string, string>>;

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export interface Zone {
  /** Seconds east of Greenwich at a moment. */
  offset(seconds: number): number;
  name(seconds: number): string;
}

const UTC: Zone = { offset: () => 0, name: () => 'UTC' };

function namedZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const short = LOCALES.map((locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }));
  const part = (formatter: Intl.DateTimeFormat, seconds: number) =>
    formatter.formatToParts(new Date(seconds * 1000)).find(({ type }) => type === 'timeZoneName')?.value ??
    'GMT';
  return {
    offset(seconds) {
      const [, sign, hours, minutes] = /GMT([+-])(\d+):?(\d*)/.exec(part(format, seconds)) ?? [];
      if (sign === undefined) return 0;
      return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes || 0) * 60);
    },
    name(seconds) {
      const names = short.map((formatter) => part(formatter, seconds));
      const letters = names.find((name) => !/^(GMT|UTC)[-+]/.test(name));
      // Zones without letters have their offset for a name: GMT+3 is +03.
      return (
        letters ??
        names[0]
          .replace(/^(?:GMT|UTC)([-+])(\d)(?!\d)/, '$10$2')
          .replace(/^(GMT|UTC)/, '')
          .replace(':', '')
      );
    },
  };
}

/** Which English knows a zone's letters depends on where it is. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-NZ', 'en-IN', 'en-ZA'];

const zones = new Map<string, Zone>();

/** The zone that TZ names. */
export function zoneOf(env: Env): Zone {
  const name = (env.TZ ?? '').replace(/^:/, '');
  if (name === '' || /^(UTC|GMT)0?$/.test(name)) return UTC;
  let zone = zones.get(name);
  if (zone === undefined) {
    try {
      zone = namedZone(name);
    } catch {
      zone = UTC;
    }
    zones.set(name, zone);
  }
  return zone;
}

interface Fields {
  readonly date: Date;
  readonly time: Time;
  readonly zone: Zone;
}

const pad = (n: number, width = 2, fill = '0') => String(n).padStart(width, fill);

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86400000) + 1;
}

/** Week of the year, the first one beginning with the year's first `start` day. */
function weekOfYear(date: Date, start: number): number {
  const day = (date.getUTCDay() - start + 7) % 7;
  return Math.floor((dayOfYear(date) + 6 - day) / 7);
}

function isoWeek(date: Date): [year: number, week: number] {
  const thursday = new Date(date.getTime() + (3 - ((date.getUTCDay() + 6) % 7)) * 86400000);
  return [thursday.getUTCFullYear(), Math.floor((dayOfYear(thursday) - 1) / 7) + 1];
}

function offsetText(seconds: number, separator: string): string {
  const minutes = Math.abs(seconds) / 60;
  return `${seconds < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

const hour12 = (date: Date) => date.getUTCHours() % 12 || 12;

const CONVERSIONS: Readonly<Record<string, (fields: Fields) => string>> = {
  a: ({ date }) => DAYS[date.getUTCDay()].slice(0, 3),
  A: ({ date }) => DAYS[date.getUTCDay()],
  b: ({ date }) => MONTHS[date.getUTCMonth()].slice(0, 3),
  h: ({ date }) => MONTHS[date.getUTCMonth()].slice(0, 3),
  B: ({ date }) => MONTHS[date.getUTCMonth()],
  c: (fields) => expand('%a %b %e %H:%M:%S %Y', fields),
  C: ({ date }) => pad(Math.floor(date.getUTCFullYear() / 100)),
  d: ({ date }) => pad(date.getUTCDate()),
  D: (fields) => expand('%m/%d/%y', fields),
  e: ({ date }) => pad(date.getUTCDate(), 2, ' '),
  F: (fields) => expand('%Y-%m-%d', fields),
  g: ({ date }) => pad(isoWeek(date)[0] % 100),
  G: ({ date }) => String(isoWeek(date)[0]),
  H: ({ date }) => pad(date.getUTCHours()),
  I: ({ date }) => pad(hour12(date)),
  j: ({ date }) => pad(dayOfYear(date), 3),
  k: ({ date }) => pad(date.getUTCHours(), 2, ' '),
  l: ({ date }) => pad(hour12(date), 2, ' '),
  m: ({ date }) => pad(date.getUTCMonth() + 1),
  M: ({ date }) => pad(date.getUTCMinutes()),
  n: () => '\n',
  N: ({ time }) => pad(time.nanoseconds, 9),
  p: ({ date }) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ date }) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  r: (fields) => expand('%I:%M:%S %p', fields),
  R: (fields) => expand('%H:%M', fields),
  s: ({ time }) => String(time.seconds),
  S: ({ date }) => pad(date.getUTCSeconds()),
  t: () => '\t',
  T: (fields) => expand('%H:%M:%S', fields),
  u: ({ date }) => String(date.getUTCDay() || 7),
  U: ({ date }) => pad(weekOfYear(date, 0)),
  V: ({ date }) => pad(isoWeek(date)[1]),
  w: ({ date }) => String(date.getUTCDay()),
  W: ({ date }) => pad(weekOfYear(date, 1)),
  x: (fields) => expand('%m/%d/%y', fields),
  X: (fields) => expand('%H:%M:%S', fields),
  y: ({ date }) => pad(date.getUTCFullYear() % 100),
  Y: ({ date }) => String(date.getUTCFullYear()),
  z: ({ time, zone }) => offsetText(zone.offset(time.seconds), ''),
  ':z': ({ time, zone }) => offsetText(zone.offset(time.seconds), ':'),
  Z: ({ time, zone }) => zone.name(time.seconds),
  '%': () => '%',
};

function expand(format: string, fields: Fields): string {
  return format.replace(
    /%([-_0^]*)(\d*)(:z|[a-zA-Z%])/g,
    (whole, flags: string, width: string, c: string) => {
      const conversion = CONVERSIONS[c];
      if (conversion === undefined) return whole;
      let text = conversion(fields);
      if (flags.includes('^')) text = text.toUpperCase();
      if (c === 'N' && width !== '') return text.slice(0, Number(width));
      if (flags.includes('-')) return text.replace(/^[0 ]+(?=.)/, '');
      if (flags.includes('_')) text = text.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length));
      return width === '' ? text : text.padStart(Number(width), /^[\s\d]/.test(text) ? '0' : ' ');
    },
  );
}

/** strftime(3) with GNU date's %N, %:z, %-, %_ and %^. */
export function strftime(format: string, time: Time, zone: Zone): string {
  const date = new Date((time.seconds + zone.offset(time.seconds)) * 1000);
  return expand(format, { date, time, zone });
}

/** Seconds of a local time, its zone's offset taken away. */
function fromLocal(localSeconds: number, zone: Zone): number {
  const guess = localSeconds - zone.offset(localSeconds);
  return localSeconds - zone.offset(guess);
}

const DATE =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(?:(Z|UTC|GMT)|([+-])(\d\d):?(\d\d)?)?$/i;

const UNITS: Readonly<Record<string, number>> = {
  sec: 1,
  second: 1,
  min: 60,
  minute: 60,
  hour: 3600,
  day: 86400,
  week: 604800,
  fortnight: 1209600,
};

function absolute(text: string, zone: Zone): Time | undefined {
  const seconds = /^@(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds) {
    return { seconds: Number(seconds[1]), nanoseconds: Number((seconds[2] ?? '').padEnd(9, '0')) };
  }
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', utc, sign, zh, zm = '0'] =
    match;
  const local = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000;
  const check = new Date(local * 1000);
  if (check.getUTCMonth() !== +month - 1 || check.getUTCDate() !== +day || +hour > 23 || +minute > 59)
    return undefined;
  const nanoseconds = Number(fraction.padEnd(9, '0'));
  if (utc) return { seconds: local, nanoseconds };
  if (sign) return { seconds: local - (sign === '-' ? -1 : 1) * (+zh * 3600 + +zm * 60), nanoseconds };
  return { seconds: fromLocal(local, zone), nanoseconds };
}

function addMonths(time: Time, months: number, zone: Zone): Time {
  const local = new Date((time.seconds + zone.offset(time.seconds)) * 1000);
  local.setUTCMonth(local.getUTCMonth() + months);
  return { ...time, seconds: fromLocal(Math.floor(local.getTime() / 1000), zone) };
}

/**
 * A date as `date -d` takes it: ISO 8601 with or without a zone, @SECONDS, now, today, yesterday,
 * tomorrow, and amounts such as "2 days ago" or "+3 hours" behind any of them.
 * @throws Failure "invalid date"
 */
export function parseDate(text: string, now: Time, env: Env): Time {
  const zone = zoneOf(env);
  let rest = text.trim();
  const amounts: [amount: number, unit: string][] = [];
  const AMOUNT =
    /(?:^|\s)([+-]?\s*\d+|next|last)\s*(sec|second|min|minute|hour|day|week|fortnight|month|year)s?(\s+ago)?$/i;
  for (let match = AMOUNT.exec(rest); match; match = AMOUNT.exec(rest)) {
    const word = match[1].toLowerCase().replace(/\s/g, '');
    const n = word === 'next' ? 1 : word === 'last' ? -1 : Number(word);
    amounts.push([match[3] ? -n : n, match[2].toLowerCase()]);
    rest = rest.slice(0, match.index).trim();
  }
  const word = /\s+(now|today|yesterday|tomorrow)$/i.exec(rest);
  if (word !== null) {
    amounts.push([{ yesterday: -1, tomorrow: 1 }[word[1].toLowerCase()] ?? 0, 'day']);
    rest = rest.slice(0, word.index);
  }
  const days: Readonly<Record<string, number>> = { '': 0, now: 0, today: 0, yesterday: -1, tomorrow: 1 };
  const day = Object.hasOwn(days, rest.toLowerCase()) ? days[rest.toLowerCase()] : undefined;
  let time = day === undefined ? absolute(rest, zone) : { ...now, seconds: now.seconds + day * 86400 };
  if (time === undefined || (text.trim() === '' && amounts.length > 0))
    throw new Failure(`invalid date '${text}'`);
  for (const [n, unit] of amounts) {
    if (unit === 'month' || unit === 'year') time = addMonths(time, unit === 'year' ? n * 12 : n, zone);
    else time = { ...time, seconds: time.seconds + n * UNITS[unit] };
  }
  return time;
}

/** POSIX's [[CC]YY]MMDDhhmm[.ss] of touch -t. @throws Failure */
export function parseStamp(text: string, now: Time, env: Env): Time {
  const match = /^(\d{2}|\d{4})?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(text);
  if (!match) throw new Failure(`invalid date format '${text}'`);
  const [, yy, month, day, hour, minute, second = '0'] = match;
  const zone = zoneOf(env);
  const thisYear = new Date((now.seconds + zone.offset(now.seconds)) * 1000).getUTCFullYear();
  const year = yy === undefined ? thisYear : yy.length === 4 ? +yy : +yy + (+yy < 69 ? 2000 : 1900);
  const local = Date.UTC(year, +month - 1, +day, +hour, +minute, +second) / 1000;
  const check = new Date(local * 1000);
  if (check.getUTCMonth() !== +month - 1 || check.getUTCDate() !== +day || +hour > 23 || +minute > 59)
    throw new Failure(`invalid date format '${text}'`);
  return { seconds: fromLocal(local, zone), nanoseconds: 0 };
}
