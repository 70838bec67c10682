/**
 * The namecache beside a naive tree: whatever is made, moved and removed, and whatever the cache has
 * forgotten meanwhile, a path leads where the tree says, and a directory knows its path.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';
import { codeOf, debugMachine } from './kit.ts';

/** A directory has children; a file has none. */
class Node {
  parent: Node | undefined;
  name = '';
  readonly children: Map<string, Node> | undefined;

  constructor(directory: boolean) {
    this.children = directory ? new Map() : undefined;
  }

  get path(): string {
    return this.parent === undefined ? '' : `${this.parent.path}/${this.name}`;
  }

  isIn(other: Node): boolean {
    return this === other || (this.parent?.isIn(other) ?? false);
  }
}

class Tree {
  readonly root = new Node(true);

  /** The node that a path leads to, or the errno's name. */
  find(path: string): Node | string {
    let at = this.root;
    for (const name of path.split('/').slice(1)) {
      if (at.children === undefined) return 'ENOTDIR';
      const next = name === '..' ? (at.parent ?? at) : at.children.get(name);
      if (next === undefined) return 'ENOENT';
      at = next;
    }
    return at;
  }

  /** Its directory and last name, or the errno's name. */
  split(path: string): { directory: Node; name: string } | string {
    const slash = path.lastIndexOf('/');
    const directory = slash === 0 ? this.root : this.find(path.slice(0, slash));
    if (typeof directory === 'string') return directory;
    return directory.children === undefined ? 'ENOTDIR' : { directory, name: path.slice(slash + 1) };
  }

  make(path: string, directory: boolean): string {
    const place = this.split(path);
    if (typeof place === 'string') return place;
    if (place.directory.children?.has(place.name)) return 'EEXIST';
    this.#put(new Node(directory), place.directory, place.name);
    return 'none';
  }

  remove(path: string, directory: boolean): string {
    const node = this.find(path);
    if (typeof node === 'string') return node;
    if (directory && node.children === undefined) return 'ENOTDIR';
    if (!directory && node.children !== undefined) return 'EISDIR';
    if (node.children !== undefined && node.children.size > 0) return 'ENOTEMPTY';
    node.parent?.children?.delete(node.name);
    return 'none';
  }

  rename(from: string, to: string): string {
    // both directories are found before either name is looked up in them
    const origin = this.split(from);
    if (typeof origin === 'string') return origin;
    const place = this.split(to);
    if (typeof place === 'string') return place;
    const node = this.find(from);
    const target = this.find(to);
    if (typeof node === 'string') return node;
    if (place.directory.isIn(node)) return 'EINVAL';
    if (typeof target !== 'string') {
      if (target === node) return 'none';
      if (node.isIn(target)) return 'ENOTEMPTY';
      if (node.children !== undefined && target.children === undefined) return 'ENOTDIR';
      if (node.children === undefined && target.children !== undefined) return 'EISDIR';
      if (target.children !== undefined && target.children.size > 0) return 'ENOTEMPTY';
    }
    node.parent?.children?.delete(node.name);
    this.#put(node, place.directory, place.name);
    return 'none';
  }

  #put(node: Node, directory: Node, name: string): void {
    directory.children?.set(name, node);
    node.parent = directory;
    node.name = name;
  }
}

const NAMES = ['a', 'b', 'c', 'a name of more than thirty-two bytes', 'x'.repeat(200)];
const path = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })
  .map((names) => `/t/${names.join('/')}`);
const KINDS = [
  'mkdir',
  'mkdir',
  'mkdir',
  'create',
  'create',
  'unlink',
  'rmdir',
  'rename',
  'rename',
  'stat',
] as const;
const step = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constantFrom(...KINDS), path, path) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('reclaim' as const, 'chdir' as const), path, path) },
);

function perform(
  machine: Machine,
  tree: Tree,
  [what, one, other]: [string, string, string],
): [string, string] {
  const { fs, init } = machine;
  switch (what) {
    case 'mkdir':
      return [codeOf(() => fs.mkdirSync(one)), tree.make(one, true)];
    case 'create':
      return [codeOf(() => fs.closeSync(fs.openSync(one, 'wx'))), tree.make(one, false)];
    case 'unlink':
      return [codeOf(() => fs.unlinkSync(one)), tree.remove(one, false)];
    case 'rmdir':
      return [codeOf(() => init.unlinkat(-100, one, 0x200)), tree.remove(one, true)];
    case 'rename':
      return [codeOf(() => fs.renameSync(one, other)), tree.rename(one, other)];
    case 'reclaim':
      machine.reclaim();
      return ['', ''];
    default: {
      const node = tree.find(one);
      return [codeOf(() => fs.statSync(one)), typeof node === 'string' ? node : 'none'];
    }
  }
}

/** Each directory lists its names, each of them resolves, and no other name does. */
function compare({ fs }: Machine, node: Node): void {
  const { path, children } = node;
  const type = fs.statSync(path);
  expect([path, type.isDirectory()]).toEqual([path, children !== undefined]);
  if (children === undefined) return;
  expect([path, fs.readdirSync(path)]).toEqual([path, [...children.keys()].sort()]);
  for (const name of NAMES)
    expect([path, name, fs.existsSync(`${path}/${name}`)]).toEqual([path, name, children.has(name)]);
  expect(fs.statSync(`${path}/..`).ino).toBe(fs.statSync(path.slice(0, path.lastIndexOf('/')) || '/').ino);
  for (const child of children.values()) compare({ fs } as Machine, child);
}

describe.each(['up-debug', 'smp-debug', 'up'] as const)('%s', (flavour) => {
  test('paths lead where a naive tree says', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const machine = debugMachine({ flavour, ram: 4 << 20 });
        const tree = new Tree();
        machine.fs.mkdirSync('/t');
        tree.make('/t', true);
        const inside: { process: Process; node: Node }[] = [];
        for (const [i, one] of steps.entries()) {
          const node = tree.find(one[1]);
          if (one[0] === 'chdir') {
            if (typeof node === 'string' || node.children === undefined || inside.length > 3) continue;
            const process = machine.process();
            process.chdir(one[1]);
            inside.push({ process, node });
            continue;
          }
          const [got, wanted] = perform(machine, tree, one);
          expect([i, ...one, got]).toEqual([i, ...one, wanted]);
        }
        for (const again of [false, true]) {
          if (again) machine.reclaim();
          compare(machine, tree.find('/t') as Node);
          for (const { process, node } of inside) {
            if (node.parent?.children?.get(node.name) === node && node.isIn(tree.root))
              expect(process.cwd()).toBe(node.path);
            else expect(codeOf(() => process.cwd())).toBe('ENOENT');
          }
        }
        machine.shutdown();
      }),
      { seed: 2004, numRuns: 60 },
    );
  });
});
