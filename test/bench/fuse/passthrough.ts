/**
 * The peer of a mount: a directory of the host's tmpfs through FUSE, by Node's own fs calls.
 *
 *     node passthrough.js SOURCE DIRECTORY
 *
 * It mounts, negotiates, reads requests and writes answers as `damselfly mount` does, in the same two threads;
 * what differs is who does the work. Prints "ready" once mounted; ends when it is unmounted. As root.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { linuxList, parseMountOptions } from '../../../host/fuse/mountoptions.ts';
import type { PassConfig } from './passworker.ts';

const [source, directory] = process.argv.slice(2);
process.umask(0);
const fd = fs.openSync('/dev/fuse', 'r+');
const list = linuxList(parseMountOptions([]), false, 'passthrough').replace(/,fsname=.*$/, '');
const options = `${list},fd=3,rootmode=40000,user_id=0,group_id=0`;
execFileSync('mount', ['-i', '-t', 'fuse.passthrough', '-o', options, 'passthrough', directory], {
  stdio: ['ignore', 'ignore', 'inherit', fd],
});
new Worker(new URL('./passworker.js', import.meta.url), {
  workerData: { fd, source } satisfies PassConfig,
});
process.stdout.write('ready\n');
