/**
 * `damselfly/disks`: devices and layers for the machine's disks, and crash states. In Node the entry
 * has disks in files too (node/index.ts).
 */
export { AsyncDisk } from './async.ts';
export { type CrashOptions, type CrashSpec, type CrashState, CrashStates } from './crash.ts';
export { type Fault, FaultDisk, type FaultKind, type FaultTrigger, type RequestKind } from './fault.ts';
export { FLASH_DISK, HARD_DISK, LatencyDisk, type LatencyModel } from './latency.ts';
export { GatheringLayer, Layer } from './layer.ts';
export { MemoryDisk, type MemoryDiskOptions } from './memory.ts';
export { OverlayDisk, type OverlayOptions } from './overlay.ts';
export {
  type ForkableDisk,
  type RecordedRequest,
  Recorder,
  type RecorderOptions,
  type Recording,
} from './recorder.ts';
export { type ListenPort, type PostPort, RemoteDisk, serveDisk, shapeOf } from './remote.ts';
export { restoreDisk } from './restore.ts';
export type { DiskSnapshot } from './snapshot.ts';
export { type Traced, type TracedKind, TracerDisk, type TracerOptions } from './tracer.ts';
export {
  type AsyncBlockDevice,
  type BlockDevice,
  Device,
  DiskError,
  type DiskErrorCode,
  type DiskShape,
  type SectorBytes,
} from './types.ts';
