/** Directories renamed with all that is in them. */
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../../assembly/abi/flags.ts';
import { differences, digestTree } from '../../hostfiles/digest.ts';
import { scanTree } from '../../hostfiles/scan.ts';
import type { NodeFs } from '../../index.ts';
import { formatCount, formatMs } from '../values.ts';
import { check, codeThrown, type Scene } from './scene.ts';
import { largestDirectory } from './subjects.ts';

export async function renames({ machine, imported, say }: Scene): Promise<void> {
  const { fs, init } = machine;
  const { path, names } = largestDirectory(imported) ?? ownDirectory(fs);
  const attributes = async (at: string) => {
    const tree = await scanTree(fs, Buffer.from(at));
    return digestTree(fs, { ...tree, entries: tree.entries.filter(({ size }) => size < 4096) });
  };
  const before = await attributes(path);
  const inside = machine.process();
  inside.chdir(path);
  const started = performance.now();
  fs.renameSync(path, '/home/moved');
  const ms = performance.now() - started;
  check(!fs.existsSync(path), `${path} is still there`);
  check(inside.cwd() === '/home/moved', `the process in it finds itself in ${inside.cwd()}`);
  say(
    `${path} with ${formatCount(names, 'name')} in it became /home/moved in ${formatMs(ms)}; a process in it moved along`,
  );
  const lines = differences(before, await attributes('/home/moved'), 'before', 'after');
  check(lines.length === 0, `${lines.length} names differ after the rename, such as ${lines[0]}`);
  fs.mkdirSync('/home/other/sub', { recursive: true });
  const refusals = {
    'into itself': codeThrown(() => fs.renameSync('/home/moved', '/home/moved/inner')),
    'over a full one': codeThrown(() => fs.renameSync('/home/moved', '/home/other')),
    'with NOREPLACE': codeThrown(() => init.rename2('/home/moved', '/home/other', RENAME_NOREPLACE)),
  };
  const found = Object.values(refusals).join(' ');
  check(found === 'EINVAL ENOTEMPTY EEXIST', `the refusals are ${found}, not EINVAL ENOTEMPTY EEXIST`);
  say(
    Object.entries(refusals)
      .map(([what, code]) => `${what}: ${code}`)
      .join('; '),
  );
  init.rename2('/home/moved', '/home/other', RENAME_EXCHANGE);
  check(inside.cwd() === '/home/other' && fs.existsSync('/home/moved/sub'), 'the two did not change places');
  inside.exit();
  fs.renameSync('/home/other', path);
  fs.rmSync('/home/moved', { recursive: true });
  const back = differences(before, await attributes(path), 'before', 'after');
  check(back.length === 0, `${back.length} names differ after it came back, such as ${back[0]}`);
  say('exchanged with another directory in one step, and brought back: nothing in it changed');
}

/** Where none was imported. */
function ownDirectory(fs: NodeFs): { path: string; names: number } {
  const path = '/home/own';
  fs.mkdirSync(`${path}/inner`, { recursive: true });
  for (const name of ['a', 'b', 'inner/c']) fs.writeFileSync(`${path}/${name}`, name);
  return { path, names: fs.readdirSync(path, { recursive: true }).length };
}
