/** isomorphic-git, which nobody here wrote, on the machine's fs. */
import git from 'isomorphic-git';
import { expect, test } from 'vitest';
import { testMachine } from './machine.ts';

test('a repository: add, commit, branch, checkout, status', async () => {
  const { fs } = testMachine({ ram: 64 << 20 });
  const dir = '/home/repo';
  const author = { name: 'A', email: 'a@example.org' };
  fs.mkdirSync(`${dir}/sub/deep`, { recursive: true });
  await git.init({ fs, dir, defaultBranch: 'main' });
  const files = Array.from({ length: 60 }, (_, i) => `${i % 2 ? 'sub/deep/' : ''}file-${i}.txt`);
  for (const [i, file] of files.entries()) fs.writeFileSync(`${dir}/${file}`, `line ${i}\n`.repeat(i));
  await git.add({ fs, dir, filepath: files });
  const first = await git.commit({ fs, dir, message: 'first', author });
  await git.branch({ fs, dir, ref: 'side', checkout: true });
  fs.writeFileSync(`${dir}/${files[3]}`, 'changed on the side');
  fs.unlinkSync(`${dir}/${files[4]}`);
  expect(await git.status({ fs, dir, filepath: files[3] })).toBe('*modified');
  await git.add({ fs, dir, filepath: files[3] });
  await git.remove({ fs, dir, filepath: files[4] });
  await git.commit({ fs, dir, message: 'second', author });
  await git.checkout({ fs, dir, ref: 'main' });
  expect(fs.readFileSync(`${dir}/${files[3]}`, 'utf8')).toBe('line 3\n'.repeat(3));
  expect(fs.existsSync(`${dir}/${files[4]}`)).toBe(true);
  const matrix = await git.statusMatrix({ fs, dir });
  expect(matrix.length).toBe(files.length);
  expect(matrix.every(([, head, work, stage]) => head === 1 && work === 1 && stage === 1)).toBe(true);
  const log = await git.log({ fs, dir, ref: 'side' });
  expect(log.map(({ commit }) => commit.message.trim())).toEqual(['second', 'first']);
  expect(log[1].oid).toBe(first);
});
