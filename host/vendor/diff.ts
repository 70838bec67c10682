/** jsdiff's comparison of two sequences. */
export { diffArrays } from 'diff';
