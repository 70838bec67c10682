/** Directories that grow and shrink: indexes of one to three levels, cookies that last, what e2fsck says of them. */
import { expect, test } from 'vitest';
import type { Machine } from '../../host/machine/machine.ts';
import { debugfs, mkfs, MOUNTPOINT, onImage } from './image.ts';

const TOP = `${MOUNTPOINT}/d`;

/** Names of all lengths, in no order. */
const nameOf = (i: number, length = 8 + ((i * 7919) % 60)) =>
  `${(i * 2654435761) % 4294967296}-${i}-`.padEnd(length, 'abcdefghij');

function make(machine: Machine, names: string[]): void {
  machine.fs.mkdirSync(TOP);
  machine.fs.writeFileSync(`${TOP}/${names[0]}`, '');
  for (const name of names.slice(1)) machine.fs.linkSync(`${TOP}/${names[0]}`, `${TOP}/${name}`);
}

/** The index's depth as debugfs sees it; 0: none. */
function levels(image: Uint8Array): number {
  const found = /Indirect levels: (\d)/.exec(debugfs(image, 'htree_dump /d'));
  return found === null ? 0 : Number(found[1]) + 1;
}

test.each([
  ['1 KiB, half MD4', ['-b', '1024'], 2000, 2, 'half_md4'],
  ['1 KiB, TEA', ['-b', '1024'], 500, 1, 'tea'],
  ['1 KiB, legacy', ['-b', '1024'], 500, 1, 'legacy'],
  ['4 KiB', ['-b', '4096'], 3000, 1, 'half_md4'],
  ['1 KiB, without metadata_csum', ['-b', '1024', '-O', '^metadata_csum'], 2000, 2, 'half_md4'],
  ['1 KiB, without dir_index', ['-b', '1024', '-O', '^dir_index'], 500, 0, 'half_md4'],
] as const)('%s: names come and go', (_name, args, count, depth, hash) => {
  const names = Array.from({ length: count }, (_, i) => nameOf(i));
  const full = onImage(
    mkfs(['-t', 'ext4', ...args], { debugfs: [`ssv def_hash_version ${hash}`] }),
    (machine) => {
      make(machine, names);
      expect(machine.fs.readdirSync(TOP).sort()).toEqual([...names].sort());
    },
  );
  expect(levels(full)).toBe(depth);
  const half = onImage(full, (machine) => {
    for (const name of names) expect(machine.fs.existsSync(`${TOP}/${name}`)).toBe(true);
    expect(machine.fs.existsSync(`${TOP}/nothing`)).toBe(false);
    for (let i = 1; i < names.length; i += 2) machine.fs.unlinkSync(`${TOP}/${names[i]}`);
  });
  onImage(half, (machine) => {
    expect(machine.fs.readdirSync(TOP).sort()).toEqual(names.filter((_, i) => i % 2 === 0).sort());
    for (let i = 1; i < names.length; i += 2) machine.fs.linkSync(`${TOP}/${names[0]}`, `${TOP}/${names[i]}`);
    for (const name of names) machine.fs.unlinkSync(`${TOP}/${name}`);
    machine.fs.rmdirSync(TOP);
  });
});

test('large_dir: an index of three levels', () => {
  const names = Array.from({ length: 36_000 }, (_, i) => nameOf(i, 255));
  const image = mkfs(['-t', 'ext4', '-b', '1024', '-O', 'large_dir'], { sizeBytes: 64 << 20 });
  const full = onImage(image, (machine) => make(machine, names), { ram: 64 << 20 });
  expect(levels(full)).toBe(3);
  onImage(full, (machine) => expect(machine.fs.readdirSync(TOP).length).toBe(names.length), {
    ram: 64 << 20,
  });
});

test('a listing goes on where it was while others come and go', () => {
  onImage(mkfs(['-t', 'ext4', '-b', '1024']), (machine) => {
    const names = Array.from({ length: 600 }, (_, i) => nameOf(i));
    make(machine, names);
    const seen: string[] = [];
    const dir = machine.fs.opendirSync(TOP, { bufferSize: 1 });
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
      seen.push(entry.name);
      const at = seen.length;
      if (at % 3 === 0) machine.fs.linkSync(`${TOP}/${names[0]}`, `${TOP}/new-${at}-${'z'.repeat(at % 90)}`);
      if (at % 5 === 0 && names.includes(entry.name) && entry.name !== names[0])
        machine.fs.unlinkSync(`${TOP}/${entry.name}`);
    }
    dir.closeSync();
    expect(new Set(seen).size).toBe(seen.length);
    expect(names.filter((name) => !seen.includes(name))).toEqual([]);
  });
});
