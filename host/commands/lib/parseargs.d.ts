/** Types of @pkgjs/parseargs, which brings none. */
declare module '@pkgjs/parseargs' {
  export const parseArgs: typeof import('node:util').parseArgs;
}
