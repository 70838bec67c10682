/** Programs that load a mounted tree and check what they read: fio and dbench. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { itWith, KINDS, Mounts, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();

/** A block's header says where and when it was written; fio reads all back in the end. */
const FIO =
  'fio --name=job --size=12m --rw=randwrite --bsrange=512-64k --verify=crc32c --verify_fatal=1 --randseed=11 --thread --minimal';
const BLOCKS = `${FIO} --bs=4k --bsrange=4k-4k`;
const JOBS: Readonly<Record<string, string>> = {
  psync: `${FIO} --ioengine=psync --filename=psync`,
  direct: `${BLOCKS} --ioengine=psync --direct=1 --filename=direct`,
  synced: `${BLOCKS} --ioengine=psync --fsync=64 --size=2m --filename=synced`,
  mmap: `${BLOCKS} --ioengine=mmap --filename=mmap`,
  'mmap, synced': `${BLOCKS} --ioengine=mmap --fsync=64 --size=2m --filename=mmap-synced`,
};
const ERRORS = 'cut -d";" -f5';

const SECONDS = 3;
const CLIENTS = 2;
const SCRIPT = ['/usr/share/dbench/client.txt', '/usr/share/doc/dbench/loadfiles/client.txt'];

describe.skipIf(skipMounts).each(KINDS)('%s', (kind) => {
  itWith(['fio'], 'gives fio what it wrote, at random, by calls and by maps', async () => {
    const at = await mounts.mount(kind);
    const run = (line: string) => expect([line, sh(at, `${line} | ${ERRORS}`)]).toEqual([line, '0\n']);
    for (const line of Object.values(JOBS)) run(line);
    // Linux has forgotten all of it then
    await mounts.again();
    for (const line of Object.values(JOBS)) run(`${line} --verify_only`);
    expect(() =>
      sh(at, `printf x | dd of=mmap bs=1 seek=5000000 conv=notrunc status=none; ${JOBS.mmap} --verify_only`),
    ).toThrow();
  });

  itWith(['dbench'], 'is a file server’s disk to dbench', async () => {
    const at = await mounts.mount(kind);
    const script = SCRIPT.find((file) => fs.existsSync(file)) ?? SCRIPT[0];
    const output = sh(at, `mkdir db; dbench -c ${script} -D db -t ${SECONDS} ${CLIENTS}`);
    expect(output).toMatch(new RegExp(`^Throughput [0-9.]*[1-9][0-9.]* MB/sec  ${CLIENTS} clients`, 'm'));
    expect(output).not.toMatch(/error|fail/i);
    fs.rmSync(path.join(at, 'db'), { recursive: true });
  });
});
