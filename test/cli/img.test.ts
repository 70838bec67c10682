import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences, digestTree } from '../../host/hostfiles/digest.ts';
import { scanTree } from '../../host/hostfiles/scan.ts';
import { readHostXattrs } from '../../host/hostfiles/xattrs.ts';
import { damselfly, isRoot, MAIN, makeAwkwardTree } from './command.ts';

const SBIN = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const MIB = 2 ** 20;

let base: string;
let source: string;

beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), 'damselfly-img-'));
  source = join(base, 'source');
  makeAwkwardTree(source);
});

afterAll(() => {
  execFileSync('chmod', ['-R', 'u+rwx', base]);
  fs.rmSync(base, { recursive: true });
});

const at = (name: string) => join(base, name);
const scan = (path: string) => scanTree(fs, Buffer.from(path));

/** Run `img`, which must succeed and have no complaints. */
function img(...args: string[]): string {
  const { status, stdout, stderr } = damselfly(['img', ...args]);
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
}

function expectCleanOnHost(image: string): void {
  const { status, stdout } = spawnSync('e2fsck', ['-fn', image], { env: SBIN, encoding: 'utf8' });
  expect(status, stdout).toBe(0);
}

async function expectSame(copy: string): Promise<void> {
  const [wanted, got] = [await scan(source), await scan(copy)];
  expect(differences(await digestTree(fs, wanted), await digestTree(fs, got), 'source', 'copy')).toEqual([]);
  expect(await readHostXattrs(Buffer.from(copy))).toEqual(await readHostXattrs(Buffer.from(source)));
  const sparse = (tree: typeof got) => tree.entries.find(({ path }) => path.toString() === 'sparse');
  expect(sparse(got)?.allocated).toBeLessThanOrEqual(sparse(wanted)?.allocated ?? 0);
}

describe.skipIf(!isRoot)('a tree there and back (as root, for owners and devices)', () => {
  test.each(['ext4', 'ext3', 'ext2'])(
    'on %s',
    async (type) => {
      const image = at(`${type}.img`);
      img('create', image, '--size', '64M', '--type', type, '--label', 'a label');
      expectCleanOnHost(image);
      img('put', image, source, '/in/deep');
      expectCleanOnHost(image);
      expect(img('check', image)).toMatch(/clean/);
      img('get', image, '/in/deep', at(`${type}-copy`));
      await expectSame(at(`${type}-copy`));
    },
    120_000,
  );

  test('into and out of directories that are there, as cp -a does', async () => {
    const image = at('names.img');
    img('create', image, '--size', '32M');
    img('put', image, source, '/');
    fs.mkdirSync(at('there'));
    img('get', image, '/source', at('there'));
    await expectSame(at('there/source'));
  }, 120_000);

  test('as tar streams', async () => {
    const image = at('tar.img');
    img('create', image, '--size', '32M');
    const archive = execFileSync('tar', [
      '-C',
      source,
      '--format=posix',
      '-cf',
      '-',
      'closed',
      'plain',
      'link',
      'fifo',
    ]);
    const unpacked = spawnSync(process.execPath, [MAIN, 'img', 'untar', image, '/new/dir'], {
      input: archive,
    });
    expect(unpacked.stderr.toString()).toBe('');
    const packed = spawnSync(process.execPath, [MAIN, 'img', 'tar', image, '/new/dir'], {
      maxBuffer: 64 * MIB,
    });
    expect(packed.stderr.toString()).toBe('');
    fs.mkdirSync(at('untarred'));
    execFileSync('tar', ['-C', at('untarred'), '-xf', '-'], { input: packed.stdout });
    const [wanted, got] = [await scan(join(source, 'closed')), await scan(at('untarred/dir/closed'))];
    expect(differences(await digestTree(fs, wanted), await digestTree(fs, got), 'source', 'copy')).toEqual(
      [],
    );
    expectCleanOnHost(image);
  }, 120_000);
});

test('commands run on an image as if it were all there is', () => {
  const image = at('look.img');
  img('create', image, '--size', '16M');
  fs.writeFileSync(at('hello'), 'hello\n');
  img('put', image, at('hello'), '/hello');
  img('mkdir', image, '-p', '/a/b');
  img('ln', image, '-s', '/hello', '/a/link');
  expect(img('cat', image, '/hello', '/a/link')).toBe('hello\nhello\n');
  expect(img('ls', image, '/')).toBe('a\nhello\nlost+found\n');
  expect(img('tree', image, '/a')).toContain('└── link -> /hello');
  img('rm', image, '-r', '/a');
  expect(img('find', image, '/', '-maxdepth', '1').split('\n')).not.toContain('/a');
  const missing = damselfly(['img', 'cat', image, '/none']);
  expect(missing.status).toBe(1);
  expect(missing.stderr).toBe('cat: /none: No such file or directory\n');
  expectCleanOnHost(image);
}, 120_000);

test('a partition is named by its number', () => {
  const [disk, part] = [at('disk.img'), at('part.img')];
  img('create', part, '--size', '16M');
  img('put', part, at('source/plain'), '/plain');
  // one partition of Linux's type, from sector 2048 on
  const table = Buffer.alloc(512);
  table.writeUInt8(0x83, 450);
  table.writeUInt32LE(2048, 454);
  table.writeUInt32LE((16 * MIB) / 512, 458);
  table.writeUInt16LE(0xaa55, 510);
  const fd = fs.openSync(disk, 'w');
  fs.writeSync(fd, table, 0, 512, 0);
  const content = fs.readFileSync(part);
  fs.writeSync(fd, content, 0, content.length, 2048 * 512);
  fs.closeSync(fd);
  expect(img('cat', `${disk}#1`, '/plain')).toBe('plain text');
  expect(img('check', `${disk}#1`)).toMatch(/clean/);
  expect(img('info', `${disk}#1`)).toMatch(/Filesystem magic number/);
  const whole = damselfly(['img', 'ls', disk]);
  expect(whole.status).toBe(1);
  expect(whole.stderr).toMatch(/cannot mount .*name one as IMG#1/);
  const none = damselfly(['img', 'ls', `${disk}#2`]);
  expect(none.stderr).toMatch(/has no partition 2/);
}, 120_000);

test('what is wrong is said of what', () => {
  const image = at('wrong.img');
  const said = (...args: string[]) => {
    const { status, stderr } = damselfly(['img', ...args]);
    return `${status}: ${stderr}`;
  };
  expect(said('create', image)).toMatch(/^2: .*--size/);
  expect(said('create', image, '--size', '10k')).toMatch(/^2: /);
  expect(fs.existsSync(image)).toBe(false);
  expect(said('ls', at('none.img'))).toMatch(/^2: .*none\.img.*ENOENT/);
  fs.writeFileSync(image, Buffer.alloc(MIB));
  expect(said('ls', image)).toMatch(/^1: .*cannot mount/);
  expect(said('check', image)).toMatch(/^1: $/);
  expect(said('put', image, at('nothing'), '/')).toMatch(/^2: .*cannot read/);
}, 120_000);

test('a machine on an image goes on where it was, unless what it does is thrown away', () => {
  const image = at('root.img');
  img('create', image, '--size', '64M');
  const run = (disk: string, line: string) =>
    damselfly(['boot', '--disk', disk, '--root', 'ext4:/dev/vbd0', '-c', line]);
  expect(run(image, 'echo kept >/root/note; mkdir /srv; hostname')).toMatchObject({
    status: 0,
    stdout: 'damselfly\n',
  });
  expectCleanOnHost(image);
  expect(run(`${image}:scratch`, 'cat /root/note; echo lost >/root/note')).toMatchObject({
    status: 0,
    stdout: 'kept\n',
  });
  expect(run(image, 'cat /root/note; mount | grep " / "').stdout).toMatch(
    /^kept\n\/dev\/vbd0 on \/ type ext4/,
  );
  expect(run(`${image}:ro`, 'echo no >/root/note').stderr).toMatch(/Read-only file system/);
  const refused = damselfly(['boot', '--root', 'ext4:/dev/vbd0', '-c', 'true']);
  expect(refused.stderr).toMatch(/cannot use \/dev\/vbd0 as the root/);
}, 120_000);

test('an update copies what differs, and removes what is gone', async () => {
  const tree = at('tree');
  fs.mkdirSync(join(tree, 'sub'), { recursive: true });
  for (const name of ['one', 'two', 'sub/three']) fs.writeFileSync(join(tree, name), name);
  const image = at('update.img');
  img('create', image, '--size', '32M');
  img('put', image, tree, '/src');
  fs.writeFileSync(join(tree, 'one'), 'changed');
  fs.rmSync(join(tree, 'two'));
  fs.rmSync(join(tree, 'sub'), { recursive: true });
  fs.writeFileSync(join(tree, 'sub'), 'a file now');
  const { status, stderr } = damselfly([
    ...['boot', '--disk', image, '--root', 'ext4:/dev/vbd0'],
    ...['--update', `${tree}:/src`, '--export', `/src:${at('updated')}`],
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [wanted, got] = [await scan(tree), await scan(at('updated'))];
  expect(differences(await digestTree(fs, wanted), await digestTree(fs, got), 'tree', 'copy')).toEqual([]);
}, 120_000);
