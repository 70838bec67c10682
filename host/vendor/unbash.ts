/** The shell's parser. */
export { forEachChild, parse } from 'unbash';
