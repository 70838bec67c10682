/** Other mounts: a tmpfs of its own size, and a read-only view of a tree. */
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from '../../../assembly/abi/flags.ts';
import { formatBytes, formatCount } from '../values.ts';
import { check, codeThrown, type Scene } from './scene.ts';
import { largestFile, sha256 } from './subjects.ts';

const SIZE = 8 * 2 ** 20;

export function secondTmpfs({ machine, imported, costs, say }: Scene): void {
  const { fs, init } = machine;
  const at = '/mnt/second';
  fs.mkdirSync(at, { recursive: true });
  init.mount('none', at, 'tmpfs', 0, `size=${SIZE},mode=755`);
  costs.mounted(at, `${at} (tmpfs, gone)`);
  check(
    fs.statSync(at).dev !== fs.statSync('/mnt').dev,
    'the new mount has the device number of the old one',
  );
  const { blocks, bsize } = fs.statfsSync(at);
  check(blocks * bsize === SIZE, `statfs says ${blocks * bsize} bytes, not ${SIZE}`);
  const fd = fs.openSync(`${at}/filler`, 'w');
  const block = Buffer.alloc(1 << 20, 0xa5);
  let written = 0;
  const full = codeThrown(() => {
    for (;;) written += fs.writeSync(fd, block);
  });
  fs.closeSync(fd);
  check(full === 'ENOSPC', `writing past its size gave ${full}, not ENOSPC`);
  say(`${at} takes ${formatBytes(written)} of its ${formatBytes(SIZE)}, then says ENOSPC`);
  fs.unlinkSync(`${at}/filler`);
  const { path, size, digest } = largestFile(imported, fs, SIZE - 2 ** 20);
  fs.copyFileSync(path, `${at}/copy`);
  check(sha256(fs, `${at}/copy`) === digest, `the copy of ${path} differs`);
  say(`emptied, it takes a copy of ${path} (${formatBytes(size)}), SHA-256 equal`);
  const rename = codeThrown(() => fs.renameSync(`${at}/copy`, '/mnt/copy'));
  const link = codeThrown(() => fs.linkSync(`${at}/copy`, '/mnt/copy'));
  check(
    rename === 'EXDEV' && link === 'EXDEV',
    `rename and link out of it gave ${rename} and ${link}, not EXDEV`,
  );
  const busy = fs.openSync(`${at}/copy`, 'r');
  const refused = codeThrown(() => init.umount(at));
  fs.closeSync(busy);
  check(refused === 'EBUSY', `umount with a file open gave ${refused}, not EBUSY`);
  costs.unmounting(at);
  init.umount(at);
  check(fs.readdirSync(at).length === 0, 'its files are still seen after umount');
  fs.rmdirSync(at);
  say('rename and link out of it: EXDEV; umount while a file is open: EBUSY, and afterwards done');
}

export function readOnlyBind({ machine, imported, say }: Scene): void {
  const { fs, init } = machine;
  const [{ target }] = imported;
  const at = '/mnt/view';
  fs.mkdirSync(at, { recursive: true });
  init.mount(target, at, '', MS_BIND);
  init.mount('', at, '', MS_BIND | MS_REMOUNT | MS_RDONLY);
  const names = fs.readdirSync(at);
  check(names.length === fs.readdirSync(target).length, 'the view lists other names');
  say(`${at} shows the ${formatCount(names.length, 'name')} of ${target}`);
  const file = largestFile(imported.slice(0, 1), fs);
  const seen = at + file.path.slice(target.length);
  check(sha256(fs, seen) === file.digest, `${seen} reads differently`);
  const refusals = {
    open: codeThrown(() => fs.openSync(seen, 'r+')),
    create: codeThrown(() => fs.writeFileSync(`${at}/new`, '')),
    unlink: codeThrown(() => fs.unlinkSync(seen)),
    mkdir: codeThrown(() => fs.mkdirSync(`${at}/new`)),
    chmod: codeThrown(() => fs.chmodSync(seen, 0o600)),
    rename: codeThrown(() => fs.renameSync(seen, `${seen}-renamed`)),
  };
  for (const [call, code] of Object.entries(refusals))
    check(code === 'EROFS', `${call} gave ${code}, not EROFS`);
  say(`through it ${Object.keys(refusals).join(', ')} are EROFS`);
  fs.writeFileSync(`${target}/.tour`, 'written below');
  check(
    fs.readFileSync(`${at}/.tour`, 'utf8') === 'written below',
    'what is written below is not seen in the view',
  );
  fs.unlinkSync(`${target}/.tour`);
  init.umount(at);
  fs.rmdirSync(at);
  say(`${target} itself is writable, and what is written there is seen in the view`);
}
