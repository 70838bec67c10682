/** The image tools as commands, on a machine's own /dev/vbd0 and on files. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standardPrograms } from '../../host/programs/standard.ts';
import { Userland } from '../../host/programs/userland.ts';
import { boot, type Machine } from '../../host/index.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { check } from '../../host/ext4/check.ts';
import { e2fsck, must, save, skipTools } from './tools.ts';

const MIB = 2 ** 20;
const UUID = '12345678-9abc-4def-8123-456789abcdef';

let machine: Machine;
let userland: Userland;
const disk = new MemoryDisk({ sizeBytes: 32 * MIB });
const spare = new MemoryDisk({ sizeBytes: MIB });

beforeAll(async () => {
  machine = await boot({ flavour: 'up-debug', disks: [disk, spare] });
  userland = new Userland(machine, standardPrograms);
});

afterAll(() => machine.shutdown());

async function run(line: string) {
  const { code, stdout, stderr } = await userland.run(line);
  return { code, stdout, stderr };
}

describe('on /dev/vbd0', () => {
  it('makes, checks, tells and changes', async () => {
    expect(await run('blkid')).toEqual({ code: 2, stdout: '', stderr: '' });
    const made = await run('mkfs.ext4 -L first -O metadata_csum_seed -E root_owner=5:6 /dev/vbd0');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(
      /^Creating filesystem with 32768 1k blocks and 8192 inodes\nFilesystem UUID: .*\nSuperblock backups stored on blocks: \n\t8193, 24577\nCreating journal \(4096 blocks\): done\n$/,
    );
    expect(await run('fsck.ext4 -n /dev/vbd0')).toEqual({
      code: 0,
      stdout: '/dev/vbd0: 11/8192 files, 6938/32768 blocks\n',
      stderr: '',
    });
    expect(await run(`tune2fs -L second -U ${UUID} /dev/vbd0`)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('blkid')).toEqual({
      code: 0,
      stdout: `/dev/vbd0: LABEL="second" UUID="${UUID}" BLOCK_SIZE="1024" TYPE="ext4"\n`,
      stderr: '',
    });
    expect(await run('blkid -s UUID -o value /dev/vbd0')).toMatchObject({ code: 0, stdout: `${UUID}\n` });
    const { stdout } = await run('dumpe2fs -h /dev/vbd0');
    expect(stdout).toContain(`Filesystem UUID:          ${UUID}\n`);
    // nothing is in the cache only
    expect(check(disk).findings).toEqual([]);
    if (skipTools) return;
    const path = save(disk);
    expect(e2fsck(path).status).toBe(0);
    expect(must('dumpe2fs', '-h', path).trimEnd()).toBe(stdout.trimEnd());
  });

  it('finds damage', async () => {
    await run('mke2fs -q -t ext3 /dev/vbd0');
    expect((await run('blkid -s TYPE -o value /dev/vbd0')).stdout).toBe('ext3\n');
    await run('dd if=/dev/zero of=/dev/vbd0 bs=1k seek=2 count=1 conv=notrunc,fsync status=none');
    const { code, stdout } = await run('fsck.ext3 -n /dev/vbd0');
    expect({ code, stdout }).toEqual({ code: 4, stdout: expect.stringContaining('[group.place, damage]') });
    expect(await run('tune2fs -U random /dev/vbd0')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'tune2fs: /dev/vbd0: the file system is damaged: check it first\n',
    });
  });

  it('makes what mke2fs makes when it is called so', async () => {
    expect(await run('mke2fs /dev/vbd1')).toMatchObject({ code: 0, stderr: '' });
    expect(await run('blkid -o export /dev/vbd1')).toMatchObject({
      stdout: expect.stringContaining('TYPE=ext2'),
    });
    expect(await run('mkfs.ext4 -q /dev/vbd1')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'mkfs.ext4: Filesystem too small for a journal\n',
    });
  });
});

it('on a file', async () => {
  expect(
    await run(
      'truncate -s 8M /tmp/img 2>/dev/null || dd if=/dev/zero of=/tmp/img bs=1 count=0 seek=8M status=none',
    ),
  ).toMatchObject({ code: 0 });
  expect(await run('mkfs.ext2 -q -m 1 -i 8192 /tmp/img 4096 && fsck.ext2 -n /tmp/img')).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\/tmp\/img: 11\/512 files, \d+\/4096 blocks\n$/),
    stderr: '',
  });
});

it.each([
  ['mkfs.ext4', 1, 'missing device'],
  ['mkfs.ext4 -t xfs /dev/vbd1', 1, 'unknown file system type xfs'],
  ['mkfs.ext4 -O bigalloc /dev/vbd1', 1, 'Cannot make a file system with bigalloc'],
  ['mkfs.ext4 -b 3000 /dev/vbd1', 1, 'invalid block size - 3000'],
  ['mkfs.ext4 -E nosuch /dev/vbd1', 1, 'Bad option(s) specified: nosuch'],
  ['mkfs.ext4 /nowhere', 1, 'No such file or directory while trying to open /nowhere'],
  ['mkfs.ext4 /dev/null', 8, '/dev/null is not a block device or a regular file'],
  ['fsck.ext4 /dev/vbd1', 16, 'only checks without changes can be done: use -n'],
  ['tune2fs /dev/vbd1', 1, 'nothing to change'],
  ['tune2fs -U nonsense /dev/vbd1', 1, 'Invalid UUID format'],
  ['dumpe2fs /dev/vbd1', 1, 'only the superblock can be printed: use -h'],
  ['dumpe2fs -h /etc/passwd', 1, '/etc/passwd'],
])('%s is refused', async (line, code, message) => {
  const ran = await run(line);
  expect(ran).toMatchObject({ code, stderr: expect.stringContaining(message) });
});
