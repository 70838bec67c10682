import type { Inapplicable } from './types.ts';
export const inapplicable: readonly Inapplicable[] = [];
