import type { NodeFs } from '../../../host/index.ts';

/** Each path below `root`, in words: type, attributes, link target, SHA-256. */
export function describeAll(fs: NodeFs, root: string): Record<string, string>;
