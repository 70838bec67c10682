/** A snapshot, and another machine made of it. */
import { differences, digestTree } from '../../hostfiles/digest.ts';
import { scanTree } from '../../hostfiles/scan.ts';
import { OverlayDisk } from '../../devices/overlay.ts';
import { boot, type DiskSpec, type Machine } from '../../index.ts';
import { formatBytes, formatCount, formatMs } from '../values.ts';
import { check, type Scene } from './scene.ts';

export async function fork({ machine, imported, say }: Scene): Promise<void> {
  const started = performance.now();
  const snapshot = machine.snapshot();
  const taken = performance.now();
  const other = await boot({ from: snapshot, disks: basesOf(machine) });
  const booted = performance.now();
  say(
    `snapshot of ${formatBytes(snapshot.bytes.length)} in ${formatMs(taken - started)}, booted again in ${formatMs(booted - taken)}`,
  );
  try {
    check(
      other.framesInUse === machine.framesInUse,
      `${other.framesInUse} frames are in use, not ${machine.framesInUse}`,
    );
    for (const { target } of imported) {
      const ours = await digestOf(machine, target);
      const lines = differences(ours, await digestOf(other, target), 'machine', 'fork');
      check(lines.length === 0, `${lines.length} names differ, such as ${lines[0]}`);
      say(`${formatCount(ours.size, 'name')} of ${target} are in the fork what they are in the machine`);
    }
    other.fs.writeFileSync('/tmp/in-the-fork', 'here only');
    check(!machine.fs.existsSync('/tmp/in-the-fork'), 'what the fork does is seen in the machine');
    for (const { target } of imported) other.fs.rmSync(target, { recursive: true });
    for (const { target } of imported)
      check(machine.fs.existsSync(target), `${target} is gone from the machine too`);
    say('the fork removed them all; the machine has them still');
  } finally {
    if (other.cpu.panic === undefined) other.shutdown();
  }
}

/** What lies below the disks of a snapshot is given again. */
function basesOf(machine: Machine): DiskSpec[] {
  const bases: DiskSpec[] = [];
  for (const { slot, device } of machine.disks) if (device instanceof OverlayDisk) bases[slot] = device.base;
  return bases;
}

async function digestOf(machine: Machine, path: string) {
  return digestTree(machine.fs, await scanTree(machine.fs, Buffer.from(path)));
}
