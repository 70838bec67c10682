import { pathToFileURL } from 'node:url';
import { called, same, sameEach, tree } from './oracle.ts';

same('stat, lstat, fstat of each type', (fs, root) => {
  fs.writeFileSync(`${root}/file`, 'hello', { mode: 0o640 });
  fs.symlinkSync('file', `${root}/link`);
  fs.symlinkSync('nowhere', `${root}/dangling`);
  fs.mkdirSync(`${root}/dir`, 0o750);
  const fd = fs.openSync(`${root}/file`, 'r');
  try {
    return [
      fs.statSync(`${root}/file`),
      fs.statSync(`${root}/link`),
      fs.lstatSync(`${root}/link`),
      fs.lstatSync(`${root}/dangling`),
      fs.statSync(`${root}/dir`),
      fs.statSync(`${root}/dir/`),
      fs.fstatSync(fd),
      fs.statSync(`${root}/none`, { throwIfNoEntry: false }),
      fs.statSync(`${root}/file`, { bigint: true }).size,
      typeof fs.statSync(`${root}/file`, { bigint: true }).mtimeNs,
    ];
  } finally {
    fs.closeSync(fd);
  }
});

same('times', (fs, root) => {
  const file = `${root}/file`;
  fs.writeFileSync(file, '');
  const read = () => {
    const s = fs.lstatSync(file);
    const b = fs.lstatSync(file, { bigint: true });
    return [s.atimeMs, s.mtimeMs, s.atime, s.mtime, b.atimeNs, b.mtimeNs, b.mtimeMs, b.mtime];
  };
  const results: unknown[] = [];
  fs.utimesSync(file, 1, 2);
  results.push(read());
  fs.utimesSync(file, '1234.5', new Date(86400123));
  results.push(read());
  fs.utimesSync(file, 1500000000.123, new Date(-5500));
  results.push(read());
  const fd = fs.openSync(file, 'r+');
  fs.futimesSync(fd, 99.25, 1e9);
  fs.closeSync(fd);
  results.push(read());
  fs.symlinkSync('file', `${root}/link`);
  fs.lutimesSync(`${root}/link`, 7, 8);
  results.push(read(), fs.lstatSync(`${root}/link`).mtimeMs);
  return results;
});

sameEach('errors of calls on names', async (fs, root, attempt) => {
  fs.writeFileSync(`${root}/file`, 'x');
  fs.mkdirSync(`${root}/dir`);
  fs.writeFileSync(`${root}/dir/inner`, '');
  fs.symlinkSync('loop', `${root}/loop`);
  const none = `${root}/none`;
  const file = `${root}/file`;
  const long = `${root}/${'n'.repeat(256)}`;
  const longer = `/${'d/'.repeat(2100)}`;
  await attempt('stat', () => fs.statSync(none));
  await attempt('stat below a file', () => fs.statSync(`${file}/x`));
  await attempt('stat file/', () => fs.statSync(`${file}/`));
  await attempt('stat loop', () => fs.statSync(`${root}/loop`));
  await attempt('stat long', () => fs.statSync(long));
  await attempt('stat longer', () => fs.statSync(longer));
  await attempt('stat empty', () => fs.statSync(''));
  await attempt('lstat', () => fs.lstatSync(none));
  await attempt('access', () => fs.accessSync(none));
  await attempt('access x', () => fs.accessSync(file, fs.constants.X_OK));
  await attempt('access ok', () => fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK));
  await attempt('chmod', () => fs.chmodSync(none, 0o600));
  await attempt('chown', () => fs.chownSync(none, 1, 1));
  await attempt('lchown', () => fs.lchownSync(none, 1, 1));
  await attempt('utimes', () => fs.utimesSync(none, 1, 1));
  await attempt('lutimes', () => fs.lutimesSync(none, 1, 1));
  await attempt('link none', () => fs.linkSync(none, `${root}/l`));
  await attempt('link over', () => fs.linkSync(file, `${root}/dir`));
  await attempt('link dir', () => fs.linkSync(`${root}/dir`, `${root}/l`));
  await attempt('symlink over', () => fs.symlinkSync('x', file));
  await attempt('symlink type', () => fs.symlinkSync('x', `${root}/y`, 'zz' as 'dir'));
  await attempt('readlink file', () => fs.readlinkSync(file));
  await attempt('readlink none', () => fs.readlinkSync(none));
  await attempt('unlink none', () => fs.unlinkSync(none));
  await attempt('unlink dir', () => fs.unlinkSync(`${root}/dir`));
  await attempt('rmdir file', () => fs.rmdirSync(file));
  await attempt('rmdir full', () => fs.rmdirSync(`${root}/dir`));
  await attempt('rmdir none', () => fs.rmdirSync(none));
  await attempt('rename none', () => fs.renameSync(none, `${root}/r`));
  await attempt('rename file to dir', () => fs.renameSync(file, `${root}/dir`));
  await attempt('rename dir to file', () => fs.renameSync(`${root}/dir`, file));
  await attempt('rename into itself', () => fs.renameSync(`${root}/dir`, `${root}/dir/sub`));
  await attempt('mkdir there', () => fs.mkdirSync(file));
  await attempt('mkdir nowhere', () => fs.mkdirSync(`${none}/x`));
  await attempt('mkdir -p over file', () => fs.mkdirSync(file, { recursive: true }));
  await attempt('mkdir -p below file', () => fs.mkdirSync(`${file}/a/b`, { recursive: true }));
  await attempt('open none', () => fs.openSync(none, 'r'));
  await attempt('open dir for writing', () => fs.openSync(`${root}/dir`, 'w'));
  await attempt('open wx', () => fs.openSync(file, 'wx'));
  await attempt('truncate none', () => fs.truncateSync(none));
  await attempt('truncate dir', () => fs.truncateSync(`${root}/dir`));
  await attempt('readdir none', () => fs.readdirSync(none));
  await attempt('readdir file', () => fs.readdirSync(file));
  await attempt('realpath none', () => fs.realpathSync(`${none}/x`));
  await attempt('realpath below file', () => fs.realpathSync(`${file}/x/y`));
  await attempt('realpath loop', () => fs.realpathSync(`${root}/loop`));
  await attempt('realpath.native none', () => fs.realpathSync.native(none));
  await attempt('statfs none', () => fs.statfsSync(none));
  await attempt('mkdtemp nowhere', () => fs.mkdtempSync(`${none}/x-`));
  await attempt('copyFile none', () => fs.copyFileSync(none, file));
  await attempt('copyFile excl', () =>
    fs.copyFileSync(file, `${root}/dir/inner`, fs.constants.COPYFILE_EXCL),
  );
  await attempt('copyFile to dir', () => fs.copyFileSync(file, `${root}/dir`));
  await attempt('exists', () => [
    fs.existsSync(file),
    fs.existsSync(none),
    fs.existsSync(5 as unknown as string),
  ]);
  await attempt('rm none', () => fs.rmSync(none));
  await attempt('rm dir', () => fs.rmSync(`${root}/dir`));
  await attempt('rmdir -r none', () => fs.rmdirSync(none, { recursive: true }));
});

sameEach('bad arguments', async (fs, root, attempt) => {
  const bad = <T>(value: unknown) => value as T;
  for (const value of [5, null, undefined, {}, [1], true, 5n, Symbol('s'), () => {}, 'a\0b', new Map()]) {
    await attempt('stat', () => fs.statSync(bad(value)));
    await attempt('readFile', () => called((cb) => fs.stat(bad(value), cb)));
    await attempt('rename', () => fs.renameSync(`${root}/a`, bad(value)));
    await attempt('mode', () => fs.chmodSync(root, bad(value)));
    await attempt('uid', () => fs.chownSync(root, bad(value), 0));
    await attempt('time', () =>
      fs.utimesSync(root, bad(value === null || value === undefined ? {} : value), 0),
    );
  }
  for (const value of ['8', 'abc', '', -1, 1.5, 2 ** 33, Number.NaN]) {
    await attempt('mode', () => fs.chmodSync(root, bad(value)));
    await attempt('mkdir mode', () => fs.mkdirSync(`${root}/none/x`, bad(value)));
    await attempt('uid', () => fs.chownSync(root, bad(value), 0));
  }
  await attempt('URL scheme', () => fs.statSync(new URL('http://x/')));
  await attempt('URL host', () => fs.statSync(new URL('file://host/x')));
  await attempt('URL slash', () => fs.statSync(new URL('file:///a%2Fb')));
  await attempt('Buffer with NUL', () => fs.statSync(Buffer.from('a\0b')));
  await attempt('no callback', () => (fs.stat as unknown as (path: string) => void)(root));
  await attempt('readdir options', () => fs.readdirSync(root, bad(5)));
  await attempt('readdir encoding', () => fs.readdirSync(root, bad('zz')));
  await attempt('readdir recursive', () => fs.readdirSync(root, bad({ recursive: 3 })));
  await attempt('mkdir recursive', () => fs.mkdirSync(root, bad({ recursive: 3 })));
  await attempt('rm options', () => fs.rmSync(root, bad(5)));
  await attempt('rm recursive', () => fs.rmSync(root, bad({ recursive: 3 })));
  await attempt('rm retryDelay', () => fs.rmSync(root, { retryDelay: -1 }));
  await attempt('mkdtemp', () => fs.mkdtempSync(bad(5)));
  await attempt('opendir bufferSize', () => fs.opendirSync(root, { bufferSize: 0 }));
  await attempt('truncate', () => fs.ftruncateSync(1, bad('a')));
});

same('permissions, owners, links', (fs, root) => {
  const file = `${root}/file`;
  fs.writeFileSync(file, 'x');
  fs.chmodSync(file, 0o4751);
  fs.linkSync(file, `${root}/second`);
  const results = [fs.statSync(file)];
  fs.chownSync(file, 12, 34);
  results.push(fs.statSync(`${root}/second`));
  fs.chmodSync(file, '600');
  fs.unlinkSync(file);
  results.push(fs.statSync(`${root}/second`));
  fs.symlinkSync('second', `${root}/link`);
  fs.lchownSync(`${root}/link`, 5, 6);
  fs.chownSync(`${root}/link`, -1, 77);
  results.push(fs.lstatSync(`${root}/link`), fs.statSync(`${root}/link`));
  const fd = fs.openSync(`${root}/second`, 'r+');
  fs.fchmodSync(fd, 0o111);
  fs.fchownSync(fd, 1, 2);
  results.push(fs.fstatSync(fd));
  fs.closeSync(fd);
  return results;
});

same('names in other alphabets, Buffers and URLs', (fs, root) => {
  const names = ['ascii', 'äöü', '日本語', '😀 smile', 'lone\ud800surrogate', 'per%cent', "qu'ote"];
  for (const name of names) fs.writeFileSync(`${root}/${name}`, name);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'raw');
  fs.mkdirSync(pathToFileURL(`${root}/by url`));
  return [
    fs.readdirSync(root),
    fs.readdirSync(root, 'buffer').map((name) => name.toString('hex')),
    fs.readdirSync(root, 'base64' as 'latin1'),
    fs.readdirSync(root, { withFileTypes: true }).map((entry) => entry.name),
    fs.readdirSync(root, 'latin1'),
    fs.readdirSync(root, { encoding: 'hex' as 'latin1' }),
    fs.readFileSync(Buffer.from(`${root}/äöü`), 'utf8'),
    fs.readFileSync(pathToFileURL(`${root}/per%cent`), 'utf8'),
    fs.realpathSync(Buffer.from(`${root}/日本語`), 'hex' as 'latin1'),
    fs.statSync(new URL(`file://localhost${root}`)).isDirectory(),
  ];
});

same('rename and unlink move and drop names', (fs, root) => {
  fs.mkdirSync(`${root}/a/b/c`, { recursive: true });
  fs.writeFileSync(`${root}/a/b/c/file`, 'deep');
  fs.renameSync(`${root}/a/b`, `${root}/z`);
  fs.writeFileSync(`${root}/over`, 'old');
  fs.renameSync(`${root}/z/c/file`, `${root}/over`);
  fs.mkdirSync(`${root}/empty`);
  fs.renameSync(`${root}/z`, `${root}/empty`);
  return tree(fs, root);
});

same('readlink and realpath', (fs, root) => {
  fs.mkdirSync(`${root}/dir/sub`, { recursive: true });
  fs.symlinkSync('dir', `${root}/l1`);
  fs.symlinkSync(`${root}/l1/sub`, `${root}/l2`);
  fs.symlinkSync('../..', `${root}/dir/sub/up`);
  return [
    fs.readlinkSync(`${root}/l1`),
    fs.readlinkSync(`${root}/l2`, 'buffer'),
    fs.realpathSync(`${root}/l2/up/l1/./sub/../sub`),
    fs.realpathSync.native(`${root}/l2`),
    fs.realpathSync('/'),
    fs.realpathSync(`${root}/l2`, { encoding: 'buffer' }),
  ];
});
