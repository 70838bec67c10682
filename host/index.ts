/** Damselfly: the file-system half of a kernel, as a virtual machine. */
export { boot, bootSync, type BootOptions, type ClockOptions } from './machine/boot.ts';
export { joinMachine, type JoinOptions, type Joined, Member, type Ticket } from './machine/join.ts';
export { Machine } from './machine/machine.ts';
export type { Child, ChildOptions, Limits, ProgramSource } from './programs/spawn.ts';
export { KernelPanic, LeakError } from './machine/panic.ts';
export type { Flavour } from './machine/kernels.ts';
export type { Snapshot } from './machine/snapshot.ts';
export type { RootOptions } from './machine/switchroot.ts';
export type { InitialFile } from './machine/tree.ts';
export { type Credentials, Process, type ProcessOptions } from './syscalls/process.ts';
export type { NodeFs } from './syscalls/fs/types.ts';
export type { AttachedDisk, DiskOptions, DiskSpec, SnapshotDisk } from './machine/disks.ts';
export type { DiskStats } from './machine/strategy.ts';
export { MemoryDisk, type MemoryDiskOptions } from './devices/memory.ts';
export { SharedDisk, type SharedDiskOptions, type SharedDiskSpec } from './devices/shared.ts';
export type { DiskSnapshot } from './devices/snapshot.ts';
export { type AsyncBlockDevice, type BlockDevice, DiskError } from './devices/types.ts';
