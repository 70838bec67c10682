/**
 * Where our shell and dash are meant to differ: by script, what is not compared, and why. A script
 * that is not here must agree in everything; one that is here must differ in what it names.
 */
export type Aspect = 'stdout' | 'stderr' | 'code' | 'tree';

export interface Difference {
  readonly aspects: readonly Aspect[];
  readonly reason: string;
}

export const differences: Readonly<Record<string, Difference>> = {
  'arithmetic-increment': {
    aspects: ['stdout', 'stderr', 'code'],
    reason: 'dash has no ++, -- and comma; POSIX asks for neither, C has them',
  },
  'bracket-circumflex': {
    aspects: ['stdout'],
    reason: 'POSIX leaves [^…] open: here it negates, as in every other shell',
  },
  'dollar-single-quotes': {
    aspects: ['stdout'],
    reason: "$'…' is of POSIX's 2024 edition, which this dash is older than",
  },
  'empty-things': {
    aspects: ['stderr'],
    reason: 'dash says of the empty name that permission is denied; nothing of that name is found',
  },
  'jobs-list': {
    aspects: ['stdout', 'tree'],
    reason: "dash keeps no command's text without job control",
  },
  lineno: {
    aspects: ['stdout'],
    reason: 'Debian builds dash without LINENO, which POSIX asks for',
  },
  multibyte: {
    aspects: ['stdout'],
    reason: 'characters are characters here, as POSIX asks; dash takes bytes for them',
  },
  pipefail: {
    aspects: ['stdout', 'stderr', 'code'],
    reason: "pipefail is of POSIX's 2024 edition, which this dash is older than",
  },
  'positional-unset': {
    aspects: ['stdout'],
    reason:
      'without positional parameters $@ is not set here, and a default takes its place; dash takes it for set',
  },
  'script-stdin-shared': {
    aspects: ['stdout', 'stderr'],
    reason: 'dash reads a script on standard input in blocks; here, as POSIX asks, no further than the line',
  },
};
