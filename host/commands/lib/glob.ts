/** Shell patterns as fnmatch(3) takes them. */

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '\\p{L}\\p{N}',
  alpha: '\\p{L}',
  blank: ' \\t',
  cntrl: '\\p{Cc}',
  digit: '0-9',
  graph: '!-~',
  lower: '\\p{Ll}',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: '\\p{Lu}',
  xdigit: '0-9A-Fa-f',
};

function bracket(pattern: string, at: number): { source: string; end: number } | undefined {
  let i = at + 1;
  const isNegated = pattern[i] === '!' || pattern[i] === '^';
  if (isNegated) i++;
  let body = '';
  for (let first = true; i < pattern.length; first = false) {
    const named = /^\[:(\w+):\]/.exec(pattern.slice(i));
    if (named !== null && Object.hasOwn(CLASSES, named[1])) {
      body += CLASSES[named[1]];
      i += named[0].length;
      continue;
    }
    const c = pattern[i];
    if (c === ']' && !first) return { source: `[${isNegated ? '^' : ''}${body}]`, end: i + 1 };
    const literal = c === '\\' && i + 1 < pattern.length ? pattern[++i] : c;
    body += literal === '-' && c === '-' ? '-' : literal.replace(/[\\\][^&~|-]/, '\\$&');
    i++;
  }
  return undefined;
}

/** The whole of a text has to match. "*" and "?" match slashes and leading dots too. */
export function globExpression(pattern: string, ignoreCase = false): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; ) {
    const c = pattern[i];
    const set = c === '[' ? bracket(pattern, i) : undefined;
    if (set !== undefined) {
      source += set.source;
      i = set.end;
      continue;
    }
    if (c === '*') source += '[^]*';
    else if (c === '?') source += '[^]';
    else {
      const literal = c === '\\' && i + 1 < pattern.length ? pattern[++i] : c;
      source += literal.replace(/[\\^$.|?*+()[\]{}/]/, '\\$&');
    }
    i++;
  }
  // With the v or u flag a pattern's stray escapes would be errors; there are none left here.
  return new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u');
}
