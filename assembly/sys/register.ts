/** Which file systems and devices this kernel has: the one place that names them. */
import { consoleInit } from '../dev/console';
import { diskNodeInit } from '../dev/disknode';
import { diskPagerInit } from '../dev/diskpager';
import { memInit } from '../dev/mem';
import { ptyInit } from '../dev/pty';
import { deadfsInit } from '../fs/deadfs/vnops';
import { pipeInit } from '../fs/fifofs/pipe';
import { pipefsInit } from '../fs/pipefs/vfsops';
import { devfsInit } from '../fs/devfs/vfsops';
import { devptsInit } from '../fs/devpts/vfsops';
import { jbd2Init } from '../fs/jbd2/journal';
import { revokeInit } from '../fs/jbd2/revoke';
import { nullfsInit } from '../fs/nullfs/vfsops';
import { procfsInit } from '../fs/procfs/vfsops';
import { ext4Init } from '../fs/ext4/vfsops';
import { tmpfsInit } from '../fs/tmpfs/vfsops';

/** Register all of them. Boot only, on the first CPU. */
export function fsInit(): void {
  deadfsInit();
  pipeInit();
  pipefsInit();
  tmpfsInit();
  ext4Init();
  devfsInit();
  devptsInit();
  procfsInit();
  nullfsInit();
  jbd2Init();
  revokeInit();
  diskPagerInit();
  diskNodeInit();
  consoleInit();
  ptyInit();
  memInit();
}
