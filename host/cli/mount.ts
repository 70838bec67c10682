/** `damselfly mount` and `damselfly umount`: a machine's tree as a directory of the host. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { connect } from '../fuse/control.ts';
import { LAUNCHER } from '../fuse/launcher.ts';
import { linuxList, type MountOptions, parseMountOptions } from '../fuse/mountoptions.ts';
import { MountError, type SessionConfig, startSession, unmount } from '../fuse/session.ts';
import { parseImage } from './img/image.ts';
import { makedev } from '../syscalls/devices.ts';
import { CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './errors.ts';
import { parseDisk, parseSize } from './values.ts';

export interface MountCommandOptions {
  tmpfs?: number;
  ram?: number;
  options?: string[];
  readOnly?: boolean;
  daemon?: boolean;
  /** Set for itself: a mounted descriptor of /dev/fuse; where to say that the tree is there. */
  device?: number;
  readyFd?: number;
}

/** @returns the exit code */
export async function mountCommand(places: readonly string[], options: MountCommandOptions): Promise<number> {
  const config = configOf(places, options);
  if (process.platform !== 'linux') throw new CommandError('mount: only Linux has FUSE as it is spoken here');
  if (options.daemon) return daemon(config);
  if (process.getuid?.() !== 0 && options.device === undefined) return byFusermount(config);
  return serve(config, options.readyFd);
}

function configOf(places: readonly string[], options: MountCommandOptions): SessionConfig {
  const wanted = options.tmpfs === undefined ? 2 : 1;
  if (places.length !== wanted) {
    throw new CommandError(
      'mount: give an image and a directory, or --tmpfs SIZE and a directory',
      EXIT_USAGE,
    );
  }
  const directory = path.resolve(places[wanted - 1]);
  let parsed: MountOptions;
  try {
    parsed = parseMountOptions(options.options ?? []);
  } catch (error) {
    throw new CommandError((error as Error).message, EXIT_USAGE);
  }
  if (options.readOnly) parsed.readOnly = true;
  const ram = options.ram ?? (parsed.ram === undefined ? undefined : parseSize(parsed.ram));
  const { device } = options;
  const mountOptions = parsed.machine.join(',');
  if (options.tmpfs !== undefined) {
    const volume = { tmpfsBytes: options.tmpfs, ram };
    return { directory, source: parsed.source ?? 'damselfly', volume, options: parsed, device };
  }
  const image = imageOf(places[0]);
  if (parsed.readOnly) image.readOnly = true;
  const volume = { image, ram, mountOptions };
  return { directory, source: parsed.source ?? image.file, volume, options: parsed, device };
}

/** IMG[:ro|:scratch][#partition], in either order. */
function imageOf(text: string): { file: string; partition: number; readOnly: boolean; scratch: boolean } {
  const [, front, how = ''] = /^(.+?)(?::(ro|scratch))?(?=#\d+$|$)/.exec(text) ?? ['', text];
  const { file, partition } = parseImage(
    front + text.slice(front.length + (how === '' ? 0 : how.length + 1)),
  );
  const [disk] = parseDisk(how === '' ? file : `${file}:${how}`);
  return { ...disk, file: path.resolve(disk.file), partition };
}

async function serve(config: SessionConfig, readyFd: number | undefined): Promise<number> {
  let session: Awaited<ReturnType<typeof startSession>> | undefined;
  let stopped = false;
  // before it is mounted: a signal may come as soon as others see it
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // a second one does not wait for what cannot be mounted
      if (stopped && session === undefined) process.exit(EXIT_FAILED);
      stopped = true;
      session?.stop();
    });
  }
  try {
    session = await startSession(config);
  } catch (error) {
    if (config.device !== undefined) await unmount(config.directory, true);
    if (!(error instanceof MountError)) throw error;
    if (readyFd !== undefined) fs.writeSync(readyFd, `${error.message}\n`);
    throw new CommandError(error.message);
  }
  if (stopped) session.stop();
  if (readyFd !== undefined) {
    fs.writeSync(readyFd, READY);
    fs.closeSync(readyFd);
  }
  // whoever started a daemon reads no longer what it says
  process.stderr.on('error', () => undefined);
  const problem = await session.ended;
  if (problem === undefined) return EXIT_OK;
  process.stderr.write(`damselfly: ${problem}\n`);
  return EXIT_FAILED;
}

const READY = 'ready\n';

/** This command's own arguments, for another process of it. */
function again(...extra: string[]): string[] {
  const [, main, ...args] = process.argv;
  return [...process.execArgv, main, ...args.filter((arg) => arg !== '--daemon' && arg !== '-d'), ...extra];
}

/** The command that serves, with more arguments; of somebody who is not root by way of fusermount3. */
function serverCommand({ directory, source, options }: SessionConfig, extra: string[]): [string, string[]] {
  if (process.getuid?.() === 0) return [process.execPath, again(...extra)];
  const list = linuxList(options, options.readOnly, source);
  const command = [process.execPath, ...again('--device', 'FD', ...extra)];
  return ['perl', ['-e', LAUNCHER, directory, list, ...command]];
}

/** Leave a server behind: done when the tree is there. */
async function daemon(config: SessionConfig): Promise<number> {
  const [command, args] = serverCommand(config, ['--ready-fd', '3']);
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const pipe = child.stdio[3] as Socket;
  const stderr = child.stderr as Socket;
  let complaint = '';
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint += chunk;
  });
  const said = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.on('error', (error) => reject(new CommandError(`cannot run ${command}: ${error.message}`)));
    pipe.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text === READY) resolve(text);
    });
    pipe.on('end', () => resolve(text));
  });
  pipe.destroy();
  stderr.destroy();
  child.unref();
  if (said === READY) return EXIT_OK;
  throw new CommandError(said.trim() || complaint.trim() || 'the server did not start; try without --daemon');
}

/** As a user: fusermount3 mounts, and this command goes on in a process that has its descriptor. */
async function byFusermount(config: SessionConfig): Promise<number> {
  const [command, args] = serverCommand(config, []);
  const child = spawn(command, args, { stdio: 'inherit' });
  // a terminal's ^C goes to both, and it is the server that unmounts; what is for this process only is handed on
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new CommandError(`cannot run perl: ${error.message}`)));
    child.on('close', (code) => resolve(code ?? EXIT_FAILED));
  });
}

/** Unmount, and wait until the server has written everything and is gone. */
export async function umountCommand(place: string, { lazy = false }: { lazy?: boolean }): Promise<number> {
  const directory = path.resolve(place);
  const found = mountedAt(directory);
  if (found === undefined) throw new CommandError(`${place}: no Damselfly machine is mounted there`);
  const server = await connect(found.uid, found.dev);
  const problem = await unmount(directory, lazy);
  if (problem !== undefined) {
    server?.close();
    throw new CommandError(problem);
  }
  const how = await server?.ended;
  if (how !== undefined) throw new CommandError(how);
  return EXIT_OK;
}

/** Device number and owner of what is mounted on a directory, by /proc/self/mountinfo: the server may not answer. */
function mountedAt(directory: string): { dev: number; uid: number } | undefined {
  const lines = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  for (const line of lines.reverse()) {
    const [, , dev, , at] = line.split(' ');
    if (at?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))) !== directory)
      continue;
    const [type, , options = ''] = line.slice(line.indexOf(' - ') + 3).split(' ');
    if (type !== 'fuse.damselfly') return undefined;
    const [majorNumber, minorNumber] = dev.split(':').map(Number);
    const uid = Number(/(?:^|,)user_id=(\d+)/.exec(options)?.[1] ?? 0);
    return { dev: makedev(majorNumber, minorNumber), uid };
  }
  return undefined;
}
