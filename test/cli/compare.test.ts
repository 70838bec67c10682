/** The tour's comparison finds what it is there to find. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareWithHost } from '../../host/cli/tour/compare.ts';
import { CheckError, type Scene } from '../../host/cli/tour/scene.ts';
import { copyIn } from '../../host/hostfiles/copyin.ts';
import { scanTree } from '../../host/hostfiles/scan.ts';
import { boot, type Machine } from '../../host/index.ts';

const root = fs.mkdtempSync(join(tmpdir(), 'damselfly-compare-'));
let machine: Machine;
let scene: Scene;
let said: string[] = [];

beforeAll(async () => {
  fs.mkdirSync(`${root}/directory`);
  fs.writeFileSync(`${root}/directory/file`, 'contents');
  fs.writeFileSync(`${root}/other`, 'contents');
  fs.symlinkSync('directory', `${root}/link`);
  machine = await boot({ flavour: 'up-debug' });
  const tree = await scanTree(fs, Buffer.from(root));
  await copyIn(machine.init, tree, '/src', { file() {}, bytes() {} });
  scene = {
    machine,
    imported: [{ tree, host: root, target: '/src', update: false }],
    say: (line) => said.push(line),
  } as Partial<Scene> as Scene;
});

afterAll(() => {
  machine.shutdown();
  fs.rmSync(root, { recursive: true });
});

async function found(): Promise<string> {
  said = [];
  await expect(compareWithHost(scene)).rejects.toThrow(CheckError);
  return said.join('\n');
}

test('a faithful import compares equal', async () => {
  await compareWithHost(scene);
});

function relink(m: Machine['fs'], target: string): void {
  m.unlinkSync('/src/link');
  m.symlinkSync(target, '/src/link');
}

/** Break something and mend it, times included. */
const BREAKS: Record<
  string,
  readonly [name: string, breaks: (fs: Machine['fs']) => void, mends: (fs: Machine['fs']) => void]
> = {
  contents: [
    'directory/file',
    (m) => m.writeFileSync('/src/directory/file', 'Contents'),
    (m) => m.writeFileSync('/src/directory/file', 'contents'),
  ],
  size: [
    'directory/file',
    (m) => m.appendFileSync('/src/directory/file', '\0'),
    (m) => m.truncateSync('/src/directory/file', 8),
  ],
  mode: [
    'directory',
    (m) => m.chmodSync('/src/directory', 0o711),
    (m) => m.chmodSync('/src/directory', fs.statSync(`${root}/directory`).mode),
  ],
  owner: [
    'other',
    (m) => m.chownSync('/src/other', 3, 4),
    (m) => m.chownSync('/src/other', fs.statSync(root).uid, fs.statSync(root).gid),
  ],
  target: ['link', (m) => relink(m, 'other'), (m) => relink(m, 'directory')],
  missing: [
    'other',
    (m) => m.renameSync('/src/other', '/tmp/other'),
    (m) => m.renameSync('/tmp/other', '/src/other'),
  ],
  extra: ['new', (m) => m.writeFileSync('/src/new', ''), (m) => m.unlinkSync('/src/new')],
};

for (const [what, [name, breaks, mends]] of Object.entries(BREAKS)) {
  test(`a difference in ${what} is found`, async () => {
    const times = ['/src', '/src/directory', '/src/directory/file', '/src/other', '/src/link'];
    const kept = times.map((path) => machine.init.fstatat(-100, path, 0x100));
    breaks(machine.fs);
    // The times alone would tell: they are put back, so that the comparison has to look further.
    const settle = () => {
      for (const [i, path] of times.entries()) {
        if (machine.fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
        const ns = (value: bigint) => ({
          seconds: Number(value / 1_000_000_000n),
          nanoseconds: Number(value % 1_000_000_000n),
        });
        machine.init.utimensat(-100, path, ns(kept[i].atimeNs), ns(kept[i].mtimeNs), 0x100);
      }
    };
    settle();
    expect(await found()).toContain(name);
    mends(machine.fs);
    settle();
    await compareWithHost(scene);
  });
}

test('what changed on the host meanwhile is left out, and said', async () => {
  fs.writeFileSync(`${root}/other`, 'Contents');
  said = [];
  await compareWithHost(scene);
  expect(said.join('\n')).toContain('1 name changed on the host');
});
