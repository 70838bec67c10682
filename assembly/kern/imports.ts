/** What the hardware around the machine offers. Imports never throw: they return an errno. */

// @ts-ignore: decorator
@external('host', 'copyin')
export declare function hostCopyin(space: u32, uaddr: u32, kaddr: usize, len: u32): i32;
// @ts-ignore: decorator
@external('host', 'copyout')
export declare function hostCopyout(space: u32, uaddr: u32, kaddr: usize, len: u32): i32;
// @ts-ignore: decorator
@external('host', 'clock_read')
export declare function hostClockRead(clock: i32, kaddr: usize): void;
// @ts-ignore: decorator
@external('host', 'entropy')
export declare function hostEntropy(kaddr: usize, len: u32): void;
// @ts-ignore: decorator
@external('host', 'console_write')
export declare function hostConsoleWrite(kaddr: usize, len: u32): i32;
/** Do what a Bio says (abi/disk.ts): 0, it is done; 1, it will be (shared memory only). */
// @ts-ignore: decorator
@external('host', 'disk_strategy')
export declare function diskStrategy(bio: usize): i32;
// @ts-ignore: decorator
@external('host', 'panicked')
export declare function hostPanicked(): void;
