/** The server is killed in the middle of writes: the image replays, checks clean, and has what was fsynced. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../ext4/tools.ts';
import { Random } from '../fuzz/random.ts';
import { checkClean, makeImage, Mounted, scratch, skipMounts } from './mounted.ts';

/** 100 in the full campaign, `make fuse-kills`. */
const KILLS = Number(process.env.KILLS ?? 10);
/** Of the moments and the options; the processes that meet there are the host's to schedule. */
const SEED = Number(process.env.SEED ?? 1);
/** After the first file is synced. */
const LATEST_MS = 1500;
/** As what the image is mounted, one after the other. */
const OPTIONS = ['', 'writeback_cache', 'data=journal', 'commit=1'];

/** Writes files, syncs each, and says so only then. */
const WRITER = `
const fs = require('node:fs');
const at = process.argv[1];
const round = process.argv[2];
for (let i = 0; ; i++) {
  const dir = at + '/' + round + '-' + (i >> 4);
  fs.mkdirSync(dir, { recursive: true });
  const text = (round + ':' + i + '\\n').repeat(1 + (i * 7919) % 3000);
  const fd = fs.openSync(dir + '/' + i + '.new', 'w');
  fs.writeSync(fd, text);
  fs.writeFileSync(dir + '/' + i + '.loose', text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  if (i % 3 === 0) {
    fs.renameSync(dir + '/' + i + '.new', dir + '/' + i + '.moved');
    const d = fs.openSync(dir, 'r');
    fs.fsyncSync(d);
    fs.closeSync(d);
  }
  if (i > 20 && i % 5 === 0) fs.rmSync(at + '/' + round + '-' + ((i - 20) >> 4) + '/' + (i - 20) + '.loose');
  fs.writeSync(1, i + '\\n');
}
`;

describe.skipIf(skipMounts)('kill -9', () => {
  let directory = '';
  let image = '';
  beforeAll(() => {
    directory = scratch();
    image = makeImage(directory, 64 << 20);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

  it(`${KILLS} times`, { timeout: KILLS * 20_000 }, async () => {
    const random = new Random(SEED);
    let before: Round = { kill: -1, synced: [] };
    let [files, replayed] = [0, 0];
    for (let kill = 0; kill < KILLS; kill++) {
      const mounted = await Mounted.start(directory, [image], '-o', OPTIONS[kill % OPTIONS.length]);
      checkSynced(mounted.at, before);
      before = { kill, synced: await writeUntilKilled(mounted, kill, random.below(LATEST_MS)) };
      expect(before.synced.length).toBeGreaterThan(0);
      files += before.synced.length;
      if (checkReplayed(image, path.join(directory, 'copy.img'))) replayed++;
    }
    const last = await Mounted.start(directory, [image]);
    checkSynced(last.at, before);
    await last.end();
    checkClean(image);
    if (process.env.KILLS !== undefined)
      console.log(
        `seed ${SEED}: killed ${KILLS} times, ${replayed} journals replayed, ${files} files were synced and found whole`,
      );
  });
});

interface Round {
  readonly kill: number;
  /** What the writer was told is on the disk. */
  readonly synced: readonly number[];
}

async function writeUntilKilled(mounted: Mounted, kill: number, afterMs: number): Promise<number[]> {
  const writer = spawn(process.execPath, ['-e', WRITER, mounted.at, String(kill)]);
  let said = '';
  writer.stdout.on('data', (text) => {
    said += text;
  });
  const gone = new Promise((resolve) => writer.once('close', resolve));
  // whenever it is, it is in the middle of something
  while (said === '' && writer.exitCode === null) await sleep(10);
  await sleep(afterMs);
  await mounted.kill();
  writer.kill('SIGKILL');
  await gone;
  return said.split('\n').slice(0, -1).map(Number);
}

/** What e2fsck makes of a copy: the journal is replayed (was there anything in it?), and then nothing is wrong. */
function checkReplayed(image: string, copy: string): boolean {
  fs.copyFileSync(image, copy);
  const { status, output } = run('e2fsck', '-fp', copy);
  // 1: it replayed the journal, or cleared orphans
  if (status > 1) throw new Error(`e2fsck: ${status}\n${output}`);
  checkClean(copy);
  return output.includes('recovering journal');
}

/** Mounted again, it has every file that was synced, whole. Then it is emptied. */
function checkSynced(at: string, { kill, synced }: Round): void {
  for (const i of synced) {
    const file = path.join(at, `${kill}-${i >> 4}`, `${i}.${i % 3 === 0 ? 'moved' : 'new'}`);
    const text = fs.readFileSync(file, 'utf8');
    if (text !== `${kill}:${i}\n`.repeat(1 + ((i * 7919) % 3000)))
      throw new Error(`${file} is not what was synced`);
  }
  for (const name of fs.readdirSync(at))
    if (name !== 'lost+found') fs.rmSync(path.join(at, name), { recursive: true });
}
