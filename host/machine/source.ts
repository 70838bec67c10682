/** Source lines of the debug kernels: their source maps, read when a panic asks. */
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { loadBytesSync } from '#platform';
import type { SourceLookup } from './panic.ts';

/** A lookup over the source map beside the module at `url`; finds nothing where it cannot be read. */
export function sourceLookup(url: URL): SourceLookup {
  let map: TraceMap;
  try {
    const bytes = loadBytesSync(new URL(`${url.href}.map`));
    if (bytes === undefined) return () => undefined;
    map = new TraceMap(new TextDecoder().decode(bytes));
  } catch {
    return () => undefined;
  }
  return (offset) => {
    // asc writes one generated line; columns are byte offsets in the module
    const { source, line, column } = originalPositionFor(map, { line: 1, column: offset });
    return source === null
      ? undefined
      : `${source.replace(/^.*?assembly\//, 'assembly/')}:${line}:${column + 1}`;
  };
}
