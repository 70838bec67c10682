/** Pathname expansion by the kernel's own lookups: directories read, names looked at. */
import type { NodeFs } from '../../syscalls/fs/types.ts';
import { compareBytes } from '../../syscalls/bytes.ts';
import { isPattern, Pattern, unescapePattern } from './pattern.ts';

/** The components of a pattern, and the slashes before each. */
function components(pattern: string): { slashes: string; name: string }[] {
  return [...pattern.matchAll(/(\/*)((?:\\[\s\S]|[^/\\]|\\$)*)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, slashes, name]) => ({ slashes, name }));
}

/** The paths that a pattern matches, sorted by their bytes. */
export function globPaths(fs: NodeFs, pattern: string): string[] {
  let found = [''];
  let checked = true;
  for (const { slashes, name } of components(pattern)) {
    if (isPattern(name)) {
      found = found.flatMap((base) => matching(fs, base + slashes, name));
      checked = true;
    } else {
      const plain = unescapePattern(name);
      found = found.map((base) => base + slashes + plain);
      checked = false;
    }
    if (found.length === 0) return [];
  }
  if (!checked) found = found.filter((path) => exists(fs, path));
  return found.sort(compareBytes);
}

function matching(fs: NodeFs, base: string, name: string): string[] {
  let names: string[];
  try {
    names = fs.readdirSync(base === '' ? '.' : base);
  } catch {
    return [];
  }
  const pattern = Pattern.of(name);
  // A leading dot is matched by a dot alone.
  const dots = name.startsWith('.') || name.startsWith('\\.');
  if (dots) names.push('.', '..');
  return names
    .filter((each) => (dots ? each.startsWith('.') : !each.startsWith('.')) && pattern.matches(each))
    .map((each) => base + each);
}

function exists(fs: NodeFs, path: string): boolean {
  try {
    // A directory is asked for where the pattern ends in a slash.
    if (path.endsWith('/')) fs.statSync(path);
    else fs.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
