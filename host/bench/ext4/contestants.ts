/** How each contestant of the ext4 rows is brought up, on a fresh file system of our own making. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { MemoryDisk } from '../../devices/memory.ts';
import type { BlockDevice } from '../../devices/types.ts';
import { FileDisk } from '../../devices/node/file.ts';
import { mkfs } from '../../ext4/mkfs.ts';
import { boot } from '../../index.ts';
import type { DiskFs, DiskSubject } from './steps.ts';
import type { DiskContestant, DiskPlan } from './types.ts';

const MOUNT = '/mnt';

export async function openDiskSubject(contestant: DiskContestant, plan: DiskPlan): Promise<DiskSubject> {
  switch (contestant) {
    case 'damselflyUp':
      return onMachine(new MemoryDisk({ sizeBytes: plan.diskBytes }), plan, () => {});
    case 'damselflyFileDisk': {
      const dir = fs.mkdtempSync(path.join(plan.tmpfs, 'damselfly-bench-'));
      const device = makeFileDisk(path.join(dir, 'disk.img'), plan);
      return onMachine(device, plan, () => fs.rmSync(dir, { recursive: true }));
    }
    case 'nodefs':
      return onLoop(plan);
  }
}

const FILL_BYTES = 1 << 20;

/** Every byte of the device is written first, so that no row pays for memory that was never touched. */
function makeFileSystem(device: BlockDevice): void {
  const bytes = new Uint8Array(FILL_BYTES).fill(0xa5);
  for (let at = 0; at < device.sizeBytes; at += FILL_BYTES) device.write(at, bytes, 0, FILL_BYTES);
  mkfs(device, { type: 'ext4', discard: false });
}

function makeFileDisk(file: string, { diskBytes }: DiskPlan): BlockDevice {
  return FileDisk.open(file, { createBytes: diskBytes });
}

async function onMachine(device: BlockDevice, plan: DiskPlan, tidy: () => void): Promise<DiskSubject> {
  makeFileSystem(device);
  const machine = await boot({ ram: plan.ramBytes, disks: [device] });
  machine.init.mount('/dev/vbd0', MOUNT, 'ext4');
  return {
    fs: machine.fs as DiskFs,
    root: MOUNT,
    sync: () => machine.init.sync(),
    close() {
      machine.init.umount(MOUNT);
      machine.shutdown();
      device.close();
      tidy();
    },
  };
}

/** The host's own ext4. @throws Error where this user may not mount */
function onLoop(plan: DiskPlan): DiskSubject {
  const dir = fs.mkdtempSync(path.join(plan.tmpfs, 'damselfly-bench-'));
  const image = path.join(dir, 'disk.img');
  const root = path.join(dir, 'mnt');
  fs.mkdirSync(root);
  const device = makeFileDisk(image, plan);
  makeFileSystem(device);
  device.close();
  try {
    execFileSync('mount', ['-o', 'loop', image, root], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
  } catch (error) {
    fs.rmSync(dir, { recursive: true });
    throw new Error(`cannot mount a loop device: ${(error as { stderr?: string }).stderr?.trim() || error}`);
  }
  return {
    fs,
    root,
    sync: () => void execFileSync('sync', ['-f', root]),
    close() {
      execFileSync('umount', [root]);
      fs.rmSync(dir, { recursive: true });
    },
  };
}
