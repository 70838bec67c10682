/** `damselfly run`: a WASI program on a machine, with this command's standard input, output and error. */
import fs from 'node:fs';
import path from 'node:path';
import { RAM_DEFAULT_BYTES } from '../../assembly/abi/layout.ts';
import { copyIn, MachineFullError } from '../hostfiles/copyin.ts';
import { reasonOf } from '../hostfiles/entry.ts';
import { ramFor, scanTree, type Tree } from '../hostfiles/scan.ts';
import { boot, type Machine } from '../index.ts';
import { compileCommand, NoCommandError } from '../programs/modules.ts';
import { type GuestOptions, guestProgram } from '../programs/guest.ts';
import { becomeModule } from '../programs/spawn.ts';
import { standardPrograms } from '../programs/standard.ts';
import { type Become, environment, Userland } from '../programs/userland.ts';
import { canSuspend } from '../wasi/guest.ts';
import { closeDisks, type OpenDisk, openDisks, placeDisks, reportDisks } from './disks.ts';
import { CommandError, EXIT_FAILED, EXIT_NO_ROOM } from './errors.ts';
import { reportCopy } from './report.ts';
import { between } from './script.ts';
import { runSynchronously } from './synchronous.ts';
import type { DiskImage, ImportSpec, RootSpec } from './values.ts';

export interface RunCommandOptions {
  guest?: boolean;
  disk?: DiskImage[];
  root?: RootSpec;
  dir?: ImportSpec[];
  env?: Record<string, string>;
  cwd: string;
  ram?: number;
}

/** As shells have it. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const SPARE_BYTES = 64 * 2 ** 20;
const QUIET = { file: () => {}, bytes: () => {} };

/** @returns the program's exit code */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: RunCommandOptions,
): Promise<number> {
  const module = options.guest ? undefined : await readProgram(program);
  const trees: [ImportSpec, Tree][] = [];
  const images = (options.disk ?? []).map(({ file }) => path.resolve(file));
  for (const spec of options.dir ?? []) trees.push([spec, await scan(spec.host, images)]);
  const disks = openDisks(options.disk ?? []);
  try {
    return await onMachine(program, module, args, options, trees, disks);
  } finally {
    closeDisks(disks);
  }
}

async function onMachine(
  program: string,
  module: WebAssembly.Module | undefined,
  args: readonly string[],
  options: RunCommandOptions,
  trees: readonly [ImportSpec, Tree][],
  disks: readonly OpenDisk[],
): Promise<number> {
  const needed = ramFor(
    trees.map(([, tree]) => tree),
    SPARE_BYTES,
  );
  const ram = options.ram ?? Math.max(RAM_DEFAULT_BYTES, options.root === undefined ? needed : 0);
  const machine = await bootFor(options, ram, disks);
  const attached = machine.disks;
  let code: number;
  try {
    for (const [spec, tree] of trees) await importTree(machine, spec, tree);
    code = await runOn(machine, program, module, args, options);
  } finally {
    if (machine.cpu.panic === undefined) machine.shutdown();
  }
  return reportDisks(attached) ? code : code || EXIT_FAILED;
}

async function runOn(
  machine: Machine,
  program: string,
  module: WebAssembly.Module | undefined,
  args: readonly string[],
  { env, cwd }: RunCommandOptions,
): Promise<number> {
  const userland = new Userland(machine, standardPrograms);
  if (machine.init.fs.statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandError(`--cwd ${cwd}: the machine has no such directory`);
  const variables = environment({ env: { TERM: process.env.TERM, LANG: process.env.LANG, ...env } });
  const argv = [module === undefined ? program : path.basename(program), ...args];
  const become =
    (guest: GuestOptions): Become =>
    (context, committed) =>
      module === undefined
        ? context.execGuest(program, argv, variables, guest, committed)
        : becomeModule(context, argv, variables, guestProgram(module, guest), committed);
  try {
    if (!canSuspend) return await runSynchronously(userland, argv, cwd, variables, become);
    return await between((streams) =>
      userland.start(argv, { ...streams, cwd, env: variables, become: become({}) }),
    );
  } catch (error) {
    throw notRun(program, error);
  }
}

/** Why a program of the machine's could not be run; other errors as they are. */
function notRun(program: string, error: unknown): unknown {
  const { code, syscall } = error as { code?: string; syscall?: string };
  if (error instanceof NoCommandError) return new CommandError(`${program}: ${error.reason}`, NOT_EXECUTABLE);
  if (syscall !== 'execve') return error;
  const exitCode = code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
  return new CommandError(`cannot run ${program} in the machine: ${reasonOf(error)}`, exitCode);
}

async function readProgram(file: string): Promise<WebAssembly.Module> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(fs.readFileSync(file));
  } catch (error) {
    const hint = file.startsWith('/') ? '; --guest takes it from the machine' : '';
    throw new CommandError(`cannot read the program ${file}: ${reasonOf(error)}${hint}`, NOT_FOUND);
  }
  try {
    return await compileCommand(bytes, file);
  } catch (error) {
    throw notRun(file, error);
  }
}

async function scan(host: string, images: readonly string[]): Promise<Tree> {
  try {
    return await scanTree(fs, Buffer.from(path.resolve(host)), { without: images });
  } catch (error) {
    throw new CommandError(`--dir: cannot read ${host}: ${reasonOf(error)}`);
  }
}

async function bootFor(
  { root }: RunCommandOptions,
  ram: number,
  disks: readonly OpenDisk[],
): Promise<Machine> {
  const console = (bytes: Uint8Array) => void process.stderr.write(bytes);
  try {
    return await boot({ ram, root, console, disks: placeDisks(disks) });
  } catch (error) {
    if (root === undefined || (error as { code?: string }).code === undefined) throw error;
    throw new CommandError(`cannot use ${root.source} as the root, as ${root.type}: ${reasonOf(error)}`);
  }
}

async function importTree(
  machine: Machine,
  { host, machine: target }: ImportSpec,
  tree: Tree,
): Promise<void> {
  try {
    const copied = await copyIn(machine.init, tree, target, QUIET);
    if (!reportCopy(copied, 'not imported'))
      throw new CommandError(`--dir: ${host} was not imported as a whole`);
  } catch (error) {
    if (!(error instanceof MachineFullError)) throw error;
    throw new CommandError(`--dir ${host}: it does not fit: ${error.message}`, EXIT_NO_ROOM);
  }
}
