/**
 * Numbers of the vnode and namespace operations: their slots in an Fsmanage's vector, their
 * per-CPU counts, their names in traces. Compiled by asc and by tsc alike.
 */
export const VOP_NRESOLVE: u32 = 0;
export const VOP_NLOOKUPDOTDOT: u32 = 1;
export const VOP_NCREATE: u32 = 2;
export const VOP_NMKDIR: u32 = 3;
export const VOP_NMKNOD: u32 = 4;
export const VOP_NLINK: u32 = 5;
export const VOP_NSYMLINK: u32 = 6;
export const VOP_NWHITEOUT: u32 = 7;
export const VOP_NREMOVE: u32 = 8;
export const VOP_NRMDIR: u32 = 9;
export const VOP_NRENAME: u32 = 10;
export const VOP_NTMPFILE: u32 = 11;
export const VOP_OPEN: u32 = 12;
export const VOP_CLOSE: u32 = 13;
export const VOP_ACCESS: u32 = 14;
export const VOP_GETATTR: u32 = 15;
export const VOP_SETATTR: u32 = 16;
export const VOP_READ: u32 = 17;
export const VOP_WRITE: u32 = 18;
export const VOP_READDIR: u32 = 19;
export const VOP_READLINK: u32 = 20;
export const VOP_IOCTL: u32 = 21;
export const VOP_POLL: u32 = 22;
export const VOP_LSEEK: u32 = 23;
export const VOP_FSYNC: u32 = 24;
export const VOP_ALLOCATE: u32 = 25;
export const VOP_ADVLOCK: u32 = 26;
export const VOP_GETPAGES: u32 = 27;
export const VOP_PUTPAGES: u32 = 28;
export const VOP_INACTIVE: u32 = 29;
export const VOP_RECLAIM: u32 = 30;
export const VOP_GETXATTR: u32 = 31;
export const VOP_SETXATTR: u32 = 32;
export const VOP_LISTXATTR: u32 = 33;
export const VOP_REMOVEXATTR: u32 = 34;
export const VOP_STRATEGY: u32 = 35;
export const VOP_COPYRANGE: u32 = 36;
/** Where a magic link (VN_MAGIC) leads. */
export const VOP_JUMP: u32 = 37;
export const VOP_WRITEATTR: u32 = 38;
export const NVOPS: u32 = 39;
