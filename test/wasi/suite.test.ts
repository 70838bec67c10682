/** The WASI suite on the Node at hand. */
import { describe, it } from 'vitest';
import { play } from './scene.ts';
import { CASES, titleOf, VARIANTS } from './suite.ts';

describe.each(VARIANTS.map((variant) => ({ title: titleOf(variant), variant })))('$title', ({ variant }) => {
  it.each(CASES.map((each) => ({ title: each.name, each })))('$title', ({ each }) => play(variant, each.act));
});
