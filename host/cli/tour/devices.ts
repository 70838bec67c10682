/** Device nodes made by hand, and a mount on which they do not count. */
import { MS_NODEV, S_IFCHR } from '../../../assembly/abi/flags.ts';
import { check, codeThrown, type Scene } from './scene.ts';

const MEM_MAJOR = 1;
const NULL_MINOR = 3;
const ZERO_MINOR = 5;
const FULL_MINOR = 7;
const device = (minor: number): number => (MEM_MAJOR << 8) | minor;

export function deviceNodes({ machine, costs, say }: Scene): void {
  const { fs, init } = machine;
  const dir = '/tmp/devices';
  fs.mkdirSync(dir);
  for (const [name, minor] of [
    ['null', NULL_MINOR],
    ['zero', ZERO_MINOR],
    ['full', FULL_MINOR],
  ] as const) {
    init.mknod(`${dir}/${name}`, S_IFCHR | 0o666, device(minor));
    const stat = fs.statSync(`${dir}/${name}`);
    check(
      stat.isCharacterDevice() && stat.rdev === device(minor),
      `${name} is not the device it was made as`,
    );
  }
  fs.writeFileSync(`${dir}/null`, 'gone');
  check(fs.readFileSync(`${dir}/null`).length === 0, 'null gave bytes');
  const buffer = Buffer.alloc(65536, 1);
  const zero = fs.openSync(`${dir}/zero`, 'r');
  check(
    fs.readSync(zero, buffer) === buffer.length && buffer.every((byte) => byte === 0),
    'zero gave other bytes',
  );
  fs.closeSync(zero);
  const full = codeThrown(() => fs.writeFileSync(`${dir}/full`, 'x'));
  check(full === 'ENOSPC', `full gave ${full}, not ENOSPC`);
  say(`mknod null, zero and full (major ${MEM_MAJOR}): empty; ${buffer.length} zeros; ENOSPC`);
  const at = `${dir}/nodev`;
  fs.mkdirSync(at);
  init.mount('none', at, 'tmpfs', MS_NODEV, 'size=64k');
  costs.mounted(at, `${at} (tmpfs nodev, gone)`);
  init.mknod(`${at}/null`, S_IFCHR | 0o666, device(NULL_MINOR));
  const refused = codeThrown(() => fs.readFileSync(`${at}/null`));
  costs.unmounting(at);
  init.umount(at);
  check(refused === 'EACCES', `a device on a nodev mount gave ${refused}, not EACCES`);
  fs.rmSync(dir, { recursive: true });
  say('the same null on a nodev mount: EACCES');
}
