/** Running the built command, and trees for it to work on. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../build/dist/host/cli/main.js', import.meta.url));

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Run the command to its end, with this text as its input. */
export function damselfly(args: readonly string[], cwd?: string, input: string | Uint8Array = ''): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    input,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

export const isRoot = process.getuid?.() === 0;

/** A directory with one of everything that `cp -a` keeps, as far as this user may make it. */
export function makeAwkwardTree(root: string): void {
  const at = (name: string) => `${root}/${name}`;
  fs.mkdirSync(root);
  fs.writeFileSync(at('plain'), 'plain text');
  fs.writeFileSync(at('empty'), '');
  fs.writeFileSync(at('large'), Buffer.alloc(3 * 2 ** 20 + 17, 'large file '));
  fs.writeFileSync(at('unreadable'), 'root reads it', { mode: 0o000 });
  fs.writeFileSync(Buffer.from(`${root}/bytes-\xff\xfe`, 'latin1'), 'a name that is not UTF-8');
  fs.writeFileSync(at("it's a -- name\nin two lines"), 'quoted');
  fs.writeFileSync(at('-option'), 'not an option');
  fs.mkdirSync(at('closed/deeper/still'), { recursive: true });
  fs.writeFileSync(at('closed/deeper/still/file'), 'deep down');
  fs.mkdirSync(at('empty-directory'));
  fs.linkSync(at('plain'), at('closed/hard-link'));
  fs.linkSync(at('plain'), at('another-hard-link'));
  fs.symlinkSync('plain', at('link'));
  fs.symlinkSync('/nowhere/at/all', at('dangling'));
  fs.symlinkSync(Buffer.from('target-\xff', 'latin1'), at('link-to-bytes'));
  const sparse = fs.openSync(at('sparse'), 'w');
  fs.writeSync(sparse, 'begin', 0);
  fs.writeSync(sparse, 'middle', 1 << 20);
  fs.ftruncateSync(sparse, 8 << 20);
  fs.closeSync(sparse);
  setXattr(at('large'), 'user.empty', '');
  setXattr(at('large'), 'user.na=me\\ \n', '0x00ff0a');
  setXattr(at('empty-directory'), 'user.mime', 'inode/directory');
  execFileSync('mkfifo', ['-m', '640', at('fifo')]);
  if (isRoot) makeRootsFiles(at);
  // Last, since making things in directories changes their times.
  const touch = (time: string, name: string) => execFileSync('touch', ['-h', '-d', time, '--', at(name)]);
  touch('@1500000000.123456789', 'plain');
  touch('@1400000000.987654321', 'link');
  touch('@-86400.25', 'empty');
  touch('@1300000000.000000001', 'closed/deeper');
  touch('@1200000000.999999999', 'closed');
  touch('@1100000000.555555555', '.');
  fs.chmodSync(at('empty-directory'), 0o1777);
  fs.chmodSync(at('closed'), 0o500);
}

function setXattr(file: string, name: string, value: string): void {
  execFileSync('setfattr', ['-n', name, '-v', value, file]);
}

function makeRootsFiles(at: (name: string) => string): void {
  fs.writeFileSync(at('set-id'), '#!/bin/true');
  setXattr(at('set-id'), 'trusted.t', 'for root');
  fs.chownSync(at('set-id'), 12, 34);
  fs.chmodSync(at('set-id'), 0o6755);
  fs.lchownSync(at('dangling'), 56, 78);
  fs.chownSync(at('empty-directory'), 90, 12);
  execFileSync('mknod', ['-m', '666', at('null'), 'c', '1', '3']);
  execFileSync('mknod', ['-m', '660', at('disk'), 'b', '259', '70000']);
}
