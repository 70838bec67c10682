/**
 * awk's printf and sprintf as C has them. The library's own does not pad with zeros before a fraction,
 * rounds -2.5 down for %d, and knows no %u, no # and no exponents of two digits; so a program that asks for such is given a
 * function that does, in awk, and its calls are turned to that.
 */

const NAME = '_c_sprintf';
const ARGUMENTS_MAX = 32;

/** Conversions that the library gets right. */
const SIMPLE = /%(?:%|-?\d*(?:\.\d+)?s|-?\d*c)/g;

/** Is there a conversion in a program, or in a word given to it, that the library gets wrong? */
export function needsOwnPrintf(text: string): boolean {
  return /printf/.test(text) && text.replace(SIMPLE, '').includes('%');
}

const numbered = (text: (i: number) => string) =>
  Array.from({ length: ARGUMENTS_MAX }, (_, i) => text(i + 1));

/** The function: from a format and its arguments to text. */
const FUNCTION = `
function ${NAME}_fixed(x, p,   y, n) {
  y = x * 2 ^ (p + 1)
  if (p < 16 && y == int(y) && x < 2 ^ 40) {
    n = int(x * 10 ^ p)
    if (x * 10 ^ p - n == 0.5) return sprintf("%." p "f", (n + n % 2) / 10 ^ p)
  }
  return sprintf("%." p "f", x)
}
function ${NAME}_exponent(x, p,   s, at, e) {
  s = sprintf("%." p "e", x)
  at = index(s, "e")
  e = substr(s, at + 2)
  if (length(e) < 2) e = "0" e
  return substr(s, 1, at + 1) e
}
function ${NAME}_general(x, p, alt,   s, at, e) {
  if (p == 0) p = 1
  s = ${NAME}_exponent(x, p - 1)
  at = index(s, "e")
  e = substr(s, at + 1) + 0
  if (e >= -4 && e < p) { s = ${NAME}_fixed(x, p - 1 - e); at = length(s) + 1 }
  e = substr(s, at)
  s = substr(s, 1, at - 1)
  if (!alt && index(s, ".")) { sub(/0+$/, "", s); sub(/\\.$/, "", s) }
  return s e
}
function ${NAME}_number(x, letter, p, alt,   s, l) {
  l = tolower(letter)
  if (x != x || x - x != 0) return x != x ? "nan" : "inf"
  if (l == "f") { s = ${NAME}_fixed(x, p < 0 ? 6 : p); if (alt && p == 0) s = s "." }
  else if (l == "e") s = ${NAME}_exponent(x, p < 0 ? 6 : p)
  else if (l == "g") s = ${NAME}_general(x, p < 0 ? 6 : p, alt)
  else {
    s = l == "x" ? sprintf("%x", int(x)) : l == "o" ? sprintf("%o", int(x)) : sprintf("%d", int(x))
    while (length(s) < p) s = "0" s
    if (alt && l == "o" && s !~ /^0/) s = "0" s
    if (alt && l == "x" && int(x) != 0) s = "0x" s
  }
  return letter == l ? s : toupper(s)
}
function ${NAME}(_f, ${numbered((i) => `_${i}`).join(', ')},   _v, _at, _out, _c, _g, _w, _p, _s, _x, _lead) {
  ${numbered((i) => `_v[${i}] = _${i}`).join('; ')}
  _at = 1
  _out = ""
  while (match(_f, /%[-+ #0]*([0-9]+|\\*)?(\\.([0-9]+|\\*)?)?[hlLqjzt]*[A-Za-z%]/)) {
    _out = _out substr(_f, 1, RSTART - 1)
    _s = substr(_f, RSTART + 1, RLENGTH - 1)
    _f = substr(_f, RSTART + RLENGTH)
    _c = substr(_s, length(_s))
    match(_s, /^[-+ #0]*/)
    _g = substr(_s, 1, RLENGTH)
    _s = substr(_s, RLENGTH + 1)
    if (substr(_s, 1, 1) == "*") { _w = int(_v[_at++]); _s = substr(_s, 2); if (_w < 0) { _g = _g "-"; _w = -_w } }
    else { match(_s, /^[0-9]*/); _w = substr(_s, 1, RLENGTH) + 0; _s = substr(_s, RLENGTH + 1) }
    _p = -1
    if (substr(_s, 1, 1) == ".") {
      _s = substr(_s, 2)
      if (substr(_s, 1, 1) == "*") _p = int(_v[_at++])
      else { match(_s, /^[0-9]*/); _p = substr(_s, 1, RLENGTH) + 0 }
    }
    _lead = ""
    if (_c == "%") { _s = "%"; _w = 0 }
    else if (_c == "s") { _s = _v[_at++] ""; if (_p >= 0) _s = substr(_s, 1, _p) }
    else if (_c == "c") _s = sprintf("%c", _v[_at++])
    else if (index("dioxXufFeEgG", _c)) {
      _x = _v[_at++] + 0
      if (_x < 0) { _lead = "-"; _x = -_x }
      else if (index(_g, "+") && index("oxXu", _c) == 0) _lead = "+"
      else if (index(_g, " ") && index("oxXu", _c) == 0) _lead = " "
      _s = ${NAME}_number(_x, _c, _p, index(_g, "#"))
      if (_s ~ /^0[xX]/) { _lead = _lead substr(_s, 1, 2); _s = substr(_s, 3) }
      if (index(_g, "0") && !index(_g, "-") && _s !~ /^[iInN]/ && (_p < 0 || index("fFeEgG", _c)))
        while (length(_lead) + length(_s) < _w) _s = "0" _s
    } else _s = "%" _g (_w ? _w : "") (_p < 0 ? "" : "." _p) _c
    _s = _lead _s
    while (length(_s) < _w) _s = index(_g, "-") ? _s " " : " " _s
    _out = _out _s
  }
  return _out _f
}
`;

/** A piece of a program: strings, expressions and comments whole. */
const TOKEN = /"(?:\\[\s\S]|[^"\\])*"|#[^\n]*|\\\n|[A-Za-z_]\w*|\d[\w.]*|\n|[ \t\r]+|>>|&&|\|\||[\s\S]/y;
const REGULAR = /\/(?:\\.|\[(?:\^?\]?)(?:\\.|[^\]\n])*\]|[^/\\\n])*\//y;
/** After these a slash divides. */
const OPERAND = /^(?:[\w)\]$"]|\+\+|--)/;
const KEYWORDS = /^(?:print|printf|return|in|if|while|else|do|and|or|not|exit|getline)$/;

function tokensOf(program: string): string[] {
  const tokens: string[] = [];
  let before = '';
  for (let at = 0; at < program.length; ) {
    let pattern = TOKEN;
    if (program[at] === '/' && !(OPERAND.test(before) && !KEYWORDS.test(before))) pattern = REGULAR;
    pattern.lastIndex = at;
    const token = pattern.exec(program)?.[0] ?? program[at];
    tokens.push(token);
    at += token.length;
    if (!/^\s|^#/.test(token) || token === '\n') before = token;
  }
  return tokens;
}

/** Where the list of a printf that begins at `from` ends: at what redirects or ends the statement. */
function listEnd(tokens: readonly string[], from: number): number {
  let depth = 0;
  let before = '';
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at];
    if (depth === 0 && /^(?:[;}|>#]|>>)$|^#/.test(token)) return at;
    if (depth === 0 && token === '\n' && before !== ',') return at;
    if (/^[([{]$/.test(token)) depth++;
    else if (/^[)\]}]$/.test(token)) depth--;
    if (depth < 0) return at;
    if (!/^\s|^\\\n/.test(token)) before = token;
  }
  return tokens.length;
}

/** Is the whole list in one pair of parentheses? */
function isParenthesized(list: readonly string[]): boolean {
  let depth = 0;
  for (const [i, token] of list.entries()) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    if (depth === 0) return list.slice(i + 1).every((rest) => /^\s*$/.test(rest)) && token === ')';
  }
  return false;
}

function turned(tokens: readonly string[]): string {
  let text = '';
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === 'sprintf') text += NAME;
    else if (token !== 'printf') text += token;
    else {
      const end = listEnd(tokens, at + 1);
      const list = tokens.slice(at + 1, end);
      while (list.length > 0 && /^\s*$/.test(list[0])) list.shift();
      const inner = turned(list);
      text += `printf "%s", ${NAME}${isParenthesized(list) ? inner : `(${inner})`}`;
      at = end - 1;
    }
  }
  return text;
}

/** A program with its calls turned, and the function behind it. */
export function withOwnPrintf(program: string): string {
  return turned(tokensOf(program)) + FUNCTION;
}
