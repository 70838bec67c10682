/** Names: rename in all its forms, links, files without names, special files, and how inodes end. */
import { expect, test } from 'vitest';
import { AT_EMPTY_PATH, O_RDWR, O_TMPFILE, RENAME_EXCHANGE } from '../../assembly/abi/flags.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import { debugfs, mkfs, MOUNTPOINT as M, onImage } from './image.ts';
import { SHAPES } from './shapes.ts';

test.each(SHAPES)('%s: renames', (_name, args) => {
  onImage(mkfs(args), (machine) => {
    const root = machine.process();
    const { fs } = root;
    for (const dir of ['a', 'b', 'a/sub', 'b/other', 'full']) fs.mkdirSync(`${M}/${dir}`);
    fs.writeFileSync(`${M}/full/file`, 'x');
    fs.writeFileSync(`${M}/a/one`, 'one');
    fs.writeFileSync(`${M}/b/two`, 'two');
    fs.renameSync(`${M}/a/one`, `${M}/a/uno`);
    fs.renameSync(`${M}/a/uno`, `${M}/b/two`);
    expect(fs.readFileSync(`${M}/b/two`, 'utf8')).toBe('one');
    fs.renameSync(`${M}/a/sub`, `${M}/b/sub`);
    expect(fs.statSync(`${M}/a`).nlink).toBe(2);
    expect(fs.statSync(`${M}/b`).nlink).toBe(4);
    expect(fs.statSync(`${M}/b/sub/..`).ino).toBe(fs.statSync(`${M}/b`).ino);
    fs.renameSync(`${M}/b/sub`, `${M}/b/other`);
    expect(codeOf(() => fs.renameSync(`${M}/b`, `${M}/full`))).toBe('ENOTEMPTY');
    expect(codeOf(() => fs.rmdirSync(`${M}/full`))).toBe('ENOTEMPTY');
    expect(codeOf(() => fs.renameSync(`${M}/b`, `${M}/b/other/in`))).toBe('EINVAL');
    root.renameat2(-100, `${M}/full`, -100, `${M}/b/two`, RENAME_EXCHANGE);
    expect(fs.readdirSync(`${M}/b/two`)).toEqual(['file']);
    expect(fs.readFileSync(`${M}/full`, 'utf8')).toBe('one');
    expect(fs.statSync(`${M}`).nlink).toBe(3 + 2);
  });
});

test.each(SHAPES)('%s: files without names, special files, link counts', (_name, args) => {
  const after = onImage(mkfs(args), (machine) => {
    const root = machine.process();
    const { fs } = root;
    const open = fs.openSync(`${M}/open`, 'w+');
    fs.writeSync(open, 'still here '.repeat(2000));
    fs.unlinkSync(`${M}/open`);
    expect(fs.fstatSync(open).nlink).toBe(0);
    const hidden = fs.openSync(M, O_TMPFILE | O_RDWR, 0o600);
    fs.writeSync(hidden, 'hidden');
    fs.closeSync(hidden);
    const named = fs.openSync(M, O_TMPFILE | O_RDWR, 0o600);
    fs.writeSync(named, 'named');
    root.linkat(named, '', -100, `${M}/named`, AT_EMPTY_PATH);
    fs.closeSync(named);
    expect(fs.readFileSync(`${M}/named`, 'utf8')).toBe('named');
    root.mknod(`${M}/fifo`, 0o010644);
    root.mknod(`${M}/null`, 0o020666, 0x103);
    root.mknod(`${M}/big`, 0o060600, ((300 << 8) | 7) + (2 << 20));
    root.mknod(`${M}/sock`, 0o140600);
    expect(fs.statSync(`${M}/null`).rdev).toBe(0x103);
    fs.writeFileSync(`${M}/null`, 'goes nowhere');
    fs.chownSync(`${M}/named`, 70_000, 80_000);
    fs.closeSync(open);
  });
  expect(debugfs(after, 'stat <2>')).toContain('Links: 3');
  onImage(after, (machine) => {
    const { fs } = machine;
    expect(fs.readdirSync(M).sort()).toEqual(['big', 'fifo', 'lost+found', 'named', 'null', 'sock']);
    expect(fs.statSync(`${M}/big`).rdev).toBe(((300 << 8) | 7) + (2 << 20));
    expect(fs.statSync(`${M}/fifo`).isFIFO()).toBe(true);
    expect([fs.statSync(`${M}/named`).uid, fs.statSync(`${M}/named`).gid]).toEqual([70_000, 80_000]);
  });
});

test('a directory of many directories counts its links as dir_nlink says', () => {
  const image = mkfs(['-t', 'ext4', '-b', '1024', '-N', '70000', '-I', '128'], { sizeBytes: 128 << 20 });
  const after = onImage(
    image,
    (machine) => {
      machine.fs.mkdirSync(`${M}/d`);
      for (let i = 0; i < 65_010; i++) machine.fs.mkdirSync(`${M}/d/${i}`);
      expect(machine.fs.statSync(`${M}/d`).nlink).toBe(1);
    },
    { ram: 128 << 20 },
  );
  expect(debugfs(after, 'stat /d')).toContain('Links: 1 ');
});
