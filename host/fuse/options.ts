/** What can be asked of a server, and what it does unasked. */
export interface ServeOptions {
  /** Seconds for which Linux may believe a name, attributes, and that a name is not there. */
  entryTimeout: number;
  attrTimeout: number;
  negativeTimeout: number;
  /** Let Linux collect what is written, and send it later. */
  writebackCache: boolean;
}

/**
 * Nothing changes but by requests, and Linux sees to its own caches then: what it was told stays good. A day
 * stands for that.
 */
const AS_LONG_AS_IT_LIKES = 86400;

export const SERVE_DEFAULTS: ServeOptions = {
  entryTimeout: AS_LONG_AS_IT_LIKES,
  attrTimeout: AS_LONG_AS_IT_LIKES,
  negativeTimeout: AS_LONG_AS_IT_LIKES,
  writebackCache: false,
};
