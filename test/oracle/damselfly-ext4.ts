/** The machine's ext4 as a target: each reset is a fresh machine on a copy of one empty file system. */
import { MemoryDisk } from '../../host/devices/memory.ts';
import { check } from '../../host/ext4/check.ts';
import { type MkfsOptions, mkfs } from '../../host/ext4/mkfs.ts';
import { BareMachine } from './bare.ts';
import { ATIME_FLAGS, MachineTarget } from './machine-target.ts';

/** With an inode for each of the contract's scenes and what is in them: they are not taken away. */
const SIZE_BYTES = 256 << 20;

export interface Ext4TargetOptions {
  flavour: string;
  mkfs?: MkfsOptions;
  /** Mount options: 'data=journal'. */
  options?: string;
}

export class Ext4Target extends MachineTarget {
  readonly #disk: { current: MemoryDisk | undefined };

  constructor({ flavour, mkfs: how = {}, options = '' }: Ext4TargetOptions) {
    const empty = new MemoryDisk({ sizeBytes: SIZE_BYTES, writeCache: true });
    mkfs(empty, {
      type: 'ext4',
      seed: 1,
      isZeroed: true,
      blockSize: 4096,
      reservedPercent: 0,
      bytesPerInode: 4096,
      ...how,
    });
    const disk: { current: MemoryDisk | undefined } = { current: undefined };
    super(
      {
        flavour,
        mount: (init, path, { atime = 'relative' }) => {
          const result = init.mount('/dev/vbd0', path, 'ext4', ATIME_FLAGS[atime], options);
          if (result === 0) {
            init.chmod(path, 0o755);
            init.rmdir(`${path}/lost+found`);
          }
          return result;
        },
      },
      () =>
        new BareMachine({
          flavour,
          disks: () => {
            disk.current = empty.fork();
            return [disk.current];
          },
        }),
    );
    this.#disk = disk;
  }

  override abandon(): void {
    super.abandon();
    this.#disk.current = undefined;
  }

  /** @throws Error when what was left on the disk is not a sound file system */
  override dispose(): void {
    super.dispose();
    // the constructor of the base resets first of all
    const disk = #disk in this ? this.#disk.current : undefined;
    if (disk === undefined) return;
    this.#disk.current = undefined;
    const { clean, findings } = check(disk);
    disk.close();
    if (!clean) throw new Error(`the disk is damaged: ${findings.map(({ message }) => message).join('; ')}`);
  }
}
