/** Node's parseArgs as a package. */
export { parseArgs } from '@pkgjs/parseargs';
