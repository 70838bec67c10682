/** What reads the patterns of glob. */
export { GLOBSTAR, Minimatch } from 'minimatch';
