/** Commands on disks. */
import { expect, it } from 'vitest';
import { FaultDisk } from '../../host/devices/fault.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { boot } from '../../host/index.ts';
import { standardPrograms } from '../../host/programs/standard.ts';
import { Userland } from '../../host/programs/userland.ts';

it('umount says that not all could be written', async () => {
  const lower = new MemoryDisk({ sizeBytes: 8 << 20 });
  mkfs(lower, { type: 'ext4', seed: 1 });
  const disk = new FaultDisk(lower);
  const machine = await boot({ flavour: 'up-debug', disks: [disk] });
  const userland = new Userland(machine, standardPrograms);
  expect(await userland.run('mkdir /mnt/a && mount /dev/vbd0 /mnt/a && echo x >/mnt/a/f')).toMatchObject({
    code: 0,
  });
  disk.add({ kind: 'error', on: 'write', times: Number.POSITIVE_INFINITY });
  expect(await userland.run('umount /mnt/a')).toMatchObject({
    code: 32,
    stderr: 'umount: /mnt/a: not all could be written: Input/output error.\n',
  });
  // it is unmounted all the same
  expect(await userland.run('umount /mnt/a')).toMatchObject({
    code: 32,
    stderr: 'umount: /mnt/a: not mounted.\n',
  });
  expect(machine.fs.readFileSync('/proc/kmsg', 'utf8')).toMatch(
    /vbd0: (not all could be written|now read-only)/,
  );
  disk.clear();
  machine.shutdown();
});
