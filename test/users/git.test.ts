/**
 * isomorphic-git, which nobody here wrote, on the machine's fs: a repository of 1,000 files that
 * is worked on, pushed to, cloned from and fetched from the host's own git, and carried out to
 * the host for that git to check. Once by promises, once by callbacks.
 */
import { execFileSync } from 'node:child_process';
import hostFs from 'node:fs';
import git, { type CallbackFsClient, type PromiseFsClient } from 'isomorphic-git';
import http from 'isomorphic-git/http/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeFs } from '../../host/index.ts';
import { GIT_ENV, type GitBackend, serveGit } from './git-backend.ts';
import { bootChecked, hostDirectory, usage } from './machine.ts';
import { copyTree, describeTree } from './trees.ts';

const FILES = 1000;
const MOUNT = '/mnt/work';
const DIR = `${MOUNT}/repo`;
const CLONE = `${MOUNT}/clone`;

function hostGit(directory: string, ...args: string[]): string {
  return execFileSync('git', ['-C', directory, ...args], { env: GIT_ENV, encoding: 'utf8', stdio: 'pipe' });
}

/** Files of many sizes in directories of several depths: empty ones, binary ones, odd names, links. */
function makeWork(fs: NodeFs): string[] {
  const paths: string[] = [];
  for (let i = 0; i < FILES - 4; i++) {
    const directory = ['src', `src/part-${i % 7}`, `lib/deep/er/${i % 13}`, `assets/ø ${i % 5}`][i % 4];
    fs.mkdirSync(`${DIR}/${directory}`, { recursive: true });
    const path = `${directory}/file-${i}.txt`;
    fs.writeFileSync(`${DIR}/${path}`, `${i}: a line of text\n`.repeat(i % 90));
    paths.push(path);
  }
  fs.writeFileSync(
    `${DIR}/binary`,
    Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) >> 3),
  );
  fs.writeFileSync(`${DIR}/run.sh`, '#!/bin/sh\necho run\n', { mode: 0o755 });
  fs.symlinkSync('src/file-0.txt', `${DIR}/link`);
  fs.writeFileSync(`${DIR}/shared.txt`, Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join(''));
  return [...paths, 'binary', 'run.sh', 'link', 'shared.txt'];
}

/** A client as isomorphic-git tells them apart: with `promises`, or with callbacks only. */
const clients: Record<string, (fs: NodeFs) => PromiseFsClient | CallbackFsClient> = {
  promises: (fs) => ({ promises: fs.promises }),
  callbacks: (fs) => {
    const { promises: _, ...callbacks } = fs;
    return callbacks;
  },
};

describe.each(Object.keys(clients))('isomorphic-git by %s', (kind) => {
  const machine = bootChecked({ ram: 128 << 20 });
  const { fs, init } = machine;
  const client = clients[kind](fs);
  const cache = {};
  const repo = { fs: client, dir: DIR, cache };
  const served = hostDirectory();
  const bare = `${served}/bare.git`;
  let backend: GitBackend;
  let paths: string[];
  let before: ReturnType<typeof usage>;
  let seconds = 1_700_000_000;
  const author = () => ({ name: 'Ada', email: 'ada@example.org', timestamp: seconds++, timezoneOffset: 0 });
  const commit = (message: string) => git.commit({ ...repo, message, author: author() });
  const text = (path: string) => fs.readFileSync(`${DIR}/${path}`, 'utf8');

  /** Every file's state, as far as it is not the same in HEAD, the work tree and the index. */
  const changes = async () =>
    (await git.statusMatrix(repo)).filter(([, ...state]) => state.some((one) => one !== 1));

  beforeAll(async () => {
    hostGit(served, 'init', '--bare', '--initial-branch=main', bare);
    hostGit(bare, 'config', 'http.receivepack', 'true');
    hostGit(bare, 'config', 'receive.fsckObjects', 'true');
    backend = await serveGit(served);
    fs.mkdirSync(MOUNT);
    before = usage(machine);
    init.mount('tmpfs', MOUNT, 'tmpfs');
    fs.mkdirSync(DIR);
  });

  afterAll(() => backend?.close());

  test('init, add 1,000 files, commit', async () => {
    await git.init({ ...repo, defaultBranch: 'main' });
    paths = makeWork(fs);
    expect(paths).toHaveLength(FILES);
    const before = await git.statusMatrix(repo);
    expect(before.map(([path]) => path).sort()).toEqual([...paths].sort());
    expect(before.every(([, head, work, stage]) => head === 0 && work === 2 && stage === 0)).toBe(true);
    await git.add({ ...repo, filepath: paths });
    await commit('all of it');
    expect(await git.listFiles(repo)).toHaveLength(FILES);
    expect(await changes()).toEqual([]);
  });

  test('branch, checkout, status', async () => {
    await git.branch({ ...repo, ref: 'side', checkout: true });
    fs.writeFileSync(`${DIR}/shared.txt`, text('shared.txt').replace('line 2\n', 'line 2, from the side\n'));
    fs.unlinkSync(`${DIR}/${paths[4]}`);
    fs.writeFileSync(`${DIR}/new.txt`, 'new on the side\n');
    expect(await changes()).toEqual([
      ['new.txt', 0, 2, 0],
      ['shared.txt', 1, 2, 1],
      [paths[4], 1, 0, 1],
    ]);
    expect(await git.status({ ...repo, filepath: 'shared.txt' })).toBe('*modified');
    await git.add({ ...repo, filepath: ['shared.txt', 'new.txt'] });
    await git.remove({ ...repo, filepath: paths[4] });
    await commit('work on the side');
    expect(await changes()).toEqual([]);

    await git.checkout({ ...repo, ref: 'main' });
    expect(await git.currentBranch(repo)).toBe('main');
    expect(fs.existsSync(`${DIR}/new.txt`)).toBe(false);
    expect(fs.existsSync(`${DIR}/${paths[4]}`)).toBe(true);
    expect(text('shared.txt')).not.toContain('from the side');
    expect(await changes()).toEqual([]);
  });

  test('merge', async () => {
    fs.writeFileSync(`${DIR}/shared.txt`, text('shared.txt').replace('line 27\n', 'line 27, from main\n'));
    await git.add({ ...repo, filepath: 'shared.txt' });
    await commit('work on main');
    const merged = await git.merge({ ...repo, ours: 'main', theirs: 'side', author: author() });
    expect(merged.mergeCommit).toBe(true);
    await git.checkout({ ...repo, ref: 'main' });
    expect(text('shared.txt')).toContain('from the side');
    expect(text('shared.txt')).toContain('from main');
    expect(fs.existsSync(`${DIR}/new.txt`)).toBe(true);
    expect(fs.existsSync(`${DIR}/${paths[4]}`)).toBe(false);
    expect(await changes()).toEqual([]);
  });

  test('push to the host’s git over HTTP', async () => {
    const url = `${backend.url}/bare.git`;
    await git.addRemote({ ...repo, remote: 'origin', url });
    for (const ref of ['main', 'side']) {
      const pushed = await git.push({ ...repo, http, remote: 'origin', ref });
      expect(pushed).toMatchObject({ ok: true, refs: { [`refs/heads/${ref}`]: { ok: true } } });
    }
    expect(backend.requests).toContain('POST /bare.git/git-receive-pack');
    hostGit(bare, 'fsck', '--strict', '--full');
    for (const ref of ['main', 'side']) {
      expect(hostGit(bare, 'rev-parse', ref).trim()).toBe(await git.resolveRef({ ...repo, ref }));
    }
    expect(hostGit(bare, 'ls-tree', '-r', '--name-only', '-z', 'main').split('\0').filter(Boolean)).toEqual(
      await git.listFiles(repo),
    );
  });

  test('clone over HTTP', async () => {
    await git.clone({ fs: client, http, dir: CLONE, url: `${backend.url}/bare.git` });
    expect(await git.statusMatrix({ fs: client, dir: CLONE })).toHaveLength(FILES);
    const withoutGit = (root: string) =>
      Object.entries(describeTree(fs, root)).filter(([path]) => !/^\.git(\/|$)/.test(path));
    // A checkout makes no directory that it has no file for; the original kept none either.
    expect(withoutGit(CLONE)).toEqual(withoutGit(DIR));
  });

  test('fetch and fast-forward what the host’s git has committed', async () => {
    const elsewhere = `${served}/elsewhere`;
    hostGit(served, 'clone', '--quiet', bare, elsewhere);
    hostFs.writeFileSync(`${elsewhere}/from-host.txt`, 'committed by the host\n');
    hostGit(elsewhere, 'rm', '--quiet', 'link');
    hostGit(elsewhere, 'add', '.');
    const date = `${seconds++} +0000`;
    execFileSync('git', ['-C', elsewhere, 'commit', '--quiet', '-m', 'work on the host'], {
      env: {
        ...GIT_ENV,
        GIT_AUTHOR_NAME: 'Host',
        GIT_AUTHOR_EMAIL: 'host@example.org',
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: 'Host',
        GIT_COMMITTER_EMAIL: 'host@example.org',
        GIT_COMMITTER_DATE: date,
      },
    });
    hostGit(elsewhere, 'push', '--quiet', 'origin', 'main');

    const fetched = await git.fetch({ ...repo, http, remote: 'origin', ref: 'main' });
    expect(fetched.fetchHead).toBe(hostGit(bare, 'rev-parse', 'main').trim());
    const merged = await git.merge({
      ...repo,
      ours: 'main',
      theirs: 'remotes/origin/main',
      author: author(),
    });
    expect(merged.fastForward).toBe(true);
    await git.checkout({ ...repo, ref: 'main' });
    expect(text('from-host.txt')).toBe('committed by the host\n');
    expect(fs.existsSync(`${DIR}/link`)).toBe(false);
    expect(await changes()).toEqual([]);
  });

  test('the host’s git finds nothing wrong with the repository', async () => {
    const exported = `${served}/exported`;
    hostFs.mkdirSync(exported);
    copyTree(fs, DIR, hostFs, exported);
    hostGit(exported, 'fsck', '--strict', '--full');
    const shown = hostGit(exported, 'log', '--format=%H %P%n%an <%ae> %at%n%B', 'main');
    const log = await git.log({ ...repo, ref: 'main' });
    expect(log).toHaveLength(5);
    const expected = log.map(({ oid, commit: { parent, author: by, message } }) =>
      [`${oid} ${parent.join(' ')}`, `${by.name} <${by.email}> ${by.timestamp}`, message].join('\n'),
    );
    expect(shown.trim()).toBe(expected.join('\n').trim());
    expect(hostGit(exported, 'status', '--porcelain')).toBe('');
  });

  test('nothing is left of it', () => {
    expect(machine.framesInUse).toBeGreaterThan(before.frames + FILES);
    init.umount(MOUNT);
    expect(usage(machine)).toEqual(before);
    machine.shutdown();
  });
});
