/** What the host attaches: disks. */
import { cpuEnter, cpuLeave } from '../kern/cpu';
import { diskAttach, diskDetach } from '../dev/disk';

export function disk_attach(slot: u32, sizeBytes: f64, sectorBytes: u32, flags: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(diskAttach(slot, sizeBytes, sectorBytes, flags));
}

export function disk_detach(slot: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(diskDetach(slot));
}
