/** Extended attributes: in the inode and in blocks, shared ones too. */
import { expect, test } from 'vitest';
import { codeOf } from '../unit/kernel/kit.ts';
import { ask, debugfs, mkfs, MOUNTPOINT as M, onImage } from './image.ts';
import { SHAPES } from './shapes.ts';

const bytes = (n: number, seed = 1) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed) & 255);

test.each(SHAPES)('%s: attributes come and go', (_name, args) => {
  const expected = new Map<string, Uint8Array>();
  const after = onImage(mkfs(args), (machine) => {
    const root = machine.process();
    machine.fs.writeFileSync(`${M}/f`, 'file');
    const file = `${M}/f`;
    const set = (name: string, value: Uint8Array) => {
      root.setxattr(file, name, value);
      expected.set(name, value);
    };
    for (let i = 0; i < 12; i++) set(`user.name${i}`, bytes(i * 5, i));
    set('trusted.t', bytes(100));
    set('user.name3', bytes(60, 9));
    set('user.empty', new Uint8Array(0));
    for (const name of ['user.name0', 'user.name11', 'trusted.t']) {
      root.removexattr(file, name);
      expected.delete(name);
    }
    expect(codeOf(() => root.setxattr(file, 'user.huge', bytes(5000)))).toBe('ENOSPC');
    expect(codeOf(() => root.getxattr(file, 'user.none'))).toBe('ENODATA');
    expect(root.listxattr(file).sort()).toEqual([...expected.keys()].sort());
    machine.fs.mkdirSync(`${M}/dir`);
    root.setxattr(`${M}/dir`, 'user.on', bytes(200));
    machine.fs.rmdirSync(`${M}/dir`);
  });
  const found = debugfs(after, 'ea_list /f');
  for (const name of expected.keys()) expect(found).toContain(name);
  onImage(after, (machine) => {
    const root = machine.process();
    expect(root.listxattr(`${M}/f`).sort()).toEqual([...expected.keys()].sort());
    for (const [name, value] of expected) expect(root.getxattr(`${M}/f`, name)).toEqual(value);
    for (const name of expected.keys()) root.removexattr(`${M}/f`, name);
    expect(root.listxattr(`${M}/f`)).toEqual([]);
  });
});

test('what debugfs sets is read', () => {
  const image = mkfs(['-t', 'ext4', '-b', '1024'], {
    debugfs: ['write /dev/null f', 'ea_set f user.small value', `ea_set f user.large ${'v'.repeat(500)}`],
  });
  onImage(image, (machine) => {
    const root = machine.process();
    expect(Buffer.from(root.getxattr(`${M}/f`, 'user.small')).toString()).toBe('value');
    expect(Buffer.from(root.getxattr(`${M}/f`, 'user.large')).toString()).toBe('v'.repeat(500));
    root.setxattr(`${M}/f`, 'user.large', bytes(10));
  });
});

// A dynamic revision without a single feature, and the same with room for attributes in the inode.
test.each([
  ['in a block, journalled', ['-t', 'ext4', '-b', '1024', '-I', '128', '-O', '^ext_attr'], 300],
  ['in the inode, journalled', ['-t', 'ext4', '-b', '1024', '-I', '256', '-O', '^ext_attr'], 10],
  ['in a block, no feature at all', ['-b', '1024', '-I', '128', '-r', '1', '-O', 'none'], 300],
  ['in the inode, no journal', ['-t', 'ext2', '-b', '4096', '-I', '256', '-O', '^ext_attr'], 10],
])('the first attribute announces the feature: %s', (_name, args, size) => {
  const image = mkfs(args);
  expect(ask('dumpe2fs', ['-h'], image).output).not.toContain('ext_attr');
  const after = onImage(image, (machine) => {
    machine.fs.writeFileSync(`${M}/f`, 'file');
    machine.process().setxattr(`${M}/f`, 'user.first', bytes(size));
  });
  expect(ask('dumpe2fs', ['-h'], after).output).toContain('ext_attr');
  onImage(after, (machine) => {
    expect(machine.process().getxattr(`${M}/f`, 'user.first')).toEqual(bytes(size));
  });
});
