/** Linux's device numbers: a byte of the minor, twelve bits of the major, the other twelve of the minor (makedev(3)). */
export const MAJOR_MAX = 0xfff;
export const MINOR_MAX = 0xfffff;

export const major = (dev: number): number => (dev >>> 8) & MAJOR_MAX;
export const minor = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00);
export const makedev = (majorNumber: number, minorNumber: number): number =>
  ((minorNumber & 0xff) | (majorNumber << 8) | ((minorNumber & 0xfff00) << 12)) >>> 0;
