/** POSIX paths as text. */

export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

/** Without empty components, "." and, as far as the text goes, "..". */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !isAbsolute(path)) parts.push(part);
  }
  const text = parts.join('/');
  return isAbsolute(path) ? `/${text}` : text || '.';
}

export function join(directory: string, name: string): string {
  return normalize(`${directory}/${name}`);
}

export function resolve(cwd: string, path: string): string {
  return normalize(isAbsolute(path) ? path : `${cwd}/${path}`);
}

export function dirname(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  if (end < 0) return isAbsolute(path) ? '/' : '.';
  return path.slice(0, end).replace(/\/+$/, '') || '/';
}

export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
