/**
 * Terminals: termios flags, control characters and ioctl commands as Linux numbers them. Compiled by
 * asc and by tsc alike.
 */

// struct termios: c_iflag, c_oflag, c_cflag, c_lflag u32; c_line u8; c_cc u8 × NCCS
export const TERMIOS_SIZE: u32 = 36;
export const TERMIOS_IFLAG: u32 = 0;
export const TERMIOS_OFLAG: u32 = 4;
export const TERMIOS_CFLAG: u32 = 8;
export const TERMIOS_LFLAG: u32 = 12;
export const TERMIOS_LINE: u32 = 16;
export const TERMIOS_CC: u32 = 17;
export const NCCS: u32 = 19;

// struct winsize: rows, columns, width and height in pixels, u16 each
export const WINSIZE_SIZE: u32 = 8;

// c_cc
export const VINTR: u32 = 0;
export const VQUIT: u32 = 1;
export const VERASE: u32 = 2;
export const VKILL: u32 = 3;
export const VEOF: u32 = 4;
export const VTIME: u32 = 5; // tenths of a second
export const VMIN: u32 = 6;
export const VSTART: u32 = 8;
export const VSTOP: u32 = 9;
export const VSUSP: u32 = 10;
export const VEOL: u32 = 11;
export const VREPRINT: u32 = 12;
export const VDISCARD: u32 = 13;
export const VWERASE: u32 = 14;
export const VLNEXT: u32 = 15;
export const VEOL2: u32 = 16;

// c_iflag
export const IGNBRK: u32 = 0o1;
export const BRKINT: u32 = 0o2;
export const IGNPAR: u32 = 0o4;
export const PARMRK: u32 = 0o10;
export const INPCK: u32 = 0o20;
export const ISTRIP: u32 = 0o40;
export const INLCR: u32 = 0o100;
export const IGNCR: u32 = 0o200;
export const ICRNL: u32 = 0o400;
export const IUCLC: u32 = 0o1000;
export const IXON: u32 = 0o2000;
export const IXANY: u32 = 0o4000;
export const IXOFF: u32 = 0o10000;
export const IMAXBEL: u32 = 0o20000;
export const IUTF8: u32 = 0o40000;

// c_oflag
export const OPOST: u32 = 0o1;
export const OLCUC: u32 = 0o2;
export const ONLCR: u32 = 0o4;
export const OCRNL: u32 = 0o10;
export const ONOCR: u32 = 0o20;
export const ONLRET: u32 = 0o40;
export const TABDLY: u32 = 0o14000;
export const XTABS: u32 = 0o14000;

// c_cflag
export const CSIZE: u32 = 0o60;
export const CS8: u32 = 0o60;
export const CREAD: u32 = 0o200;
export const PARENB: u32 = 0o400;
export const B38400: u32 = 0o17;

// c_lflag
export const ISIG: u32 = 0o1;
export const ICANON: u32 = 0o2;
export const ECHO: u32 = 0o10;
export const ECHOE: u32 = 0o20;
export const ECHOK: u32 = 0o40;
export const ECHONL: u32 = 0o100;
export const NOFLSH: u32 = 0o200;
export const TOSTOP: u32 = 0o400;
export const ECHOCTL: u32 = 0o1000;
export const ECHOPRT: u32 = 0o2000;
export const ECHOKE: u32 = 0o4000;
export const IEXTEN: u32 = 0o100000;

// ioctl(2). Those marked "value" take a number in place of an address.
export const TCGETS: u32 = 0x5401;
export const TCSETS: u32 = 0x5402;
export const TCSETSW: u32 = 0x5403;
export const TCSETSF: u32 = 0x5404;
export const TCSBRK: u32 = 0x5409; //     value
export const TCXONC: u32 = 0x540a; //     value: TCOOFF …
export const TCFLSH: u32 = 0x540b; //     value: TCIFLUSH …
export const TIOCSCTTY: u32 = 0x540e; //  value: 1 takes it from another session (root)
export const TIOCGPGRP: u32 = 0x540f;
export const TIOCSPGRP: u32 = 0x5410;
export const TIOCGWINSZ: u32 = 0x5413;
export const TIOCSWINSZ: u32 = 0x5414;
export const TIOCNOTTY: u32 = 0x5422;
export const TIOCGSID: u32 = 0x5429;
export const TIOCGPTN: u32 = 0x80045430;
export const TIOCSPTLCK: u32 = 0x40045431;
export const TIOCGPTLCK: u32 = 0x80045439;

export const TCOOFF: u32 = 0;
export const TCOON: u32 = 1;
export const TCIOFF: u32 = 2;
export const TCION: u32 = 3;
export const TCIFLUSH: u32 = 0;
export const TCOFLUSH: u32 = 1;
export const TCIOFLUSH: u32 = 2;

// device numbers
export const TTYAUX_MAJOR: u32 = 5; // 0: the controlling terminal, 1: the console, 2: ptmx
export const PTS_MAJOR: u32 = 136;
export const PTYS_MAX: u32 = 256;
