/**
 * A fresh process that boots a machine from a snapshot in a file and tells, as JSON, what it finds:
 *
 *     node show-snapshot.mjs SNAPSHOT TREE PID FD PIPE
 *
 * PID has the descriptors FD, of a file that has no name any more, and PIPE, with bytes in it.
 */
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { bootSync } from '../../../build/dist/host/index.js';
import { describeAll } from './describe.mjs';

const [file, root, pid, fd, pipe] = process.argv.slice(2);
const machine = bootSync({ from: deserialize(readFileSync(file)) });
const { fs } = machine;
const frames = machine.framesInUse;
const tree = describeAll(fs, root);
const mounts = fs.readFileSync('/proc/mounts', 'utf8');
const owner = machine.attach(Number(pid));
const unnamed = Buffer.alloc(100);
const unnamedLength = owner.fs.readSync(Number(fd), unnamed, 0, 100, null);
const piped = Buffer.alloc(100);
const pipedLength = owner.fs.readSync(Number(pipe), piped);
const answer = {
  frames,
  tree,
  mounts,
  cwd: owner.cwd(),
  unnamed: unnamed.toString('utf8', 0, unnamedLength),
  piped: piped.toString('utf8', 0, pipedLength),
};
// It is a machine like any other: it can be worked on, and leaves nothing when it goes.
fs.writeFileSync(`${root}/written-after`, 'x'.repeat(100_000));
fs.rmSync(root, { recursive: true });
machine.shutdown();
process.stdout.write(JSON.stringify(answer));
