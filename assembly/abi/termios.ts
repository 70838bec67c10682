/** Terminals: the numbers of their ioctls, which are Linux's. Compiled by asc and by tsc alike. */
export const TCGETS: u32 = 0x5401;
export const TIOCGWINSZ: u32 = 0x5413;
export const TIOCSWINSZ: u32 = 0x5414;
/** On a master: the slave's number, as u32. */
export const TIOCGPTN: u32 = 0x80045430;
/** On a master: lock (u32 not 0) or unlock (0) the slave. */
export const TIOCSPTLCK: u32 = 0x40045431;
