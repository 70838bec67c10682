/** `damselfly boot`: a machine, files in and out of it, and the tour. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EXT4_MAGIC } from '../../assembly/abi/ext4.ts';
import { RAM_DEFAULT_BYTES, RAM_MAX_BYTES, RAM_MIN_BYTES } from '../../assembly/abi/layout.ts';
import { copyIn, MachineFullError, removeOthers } from '../hostfiles/copyin.ts';
import { copyOut } from '../hostfiles/copyout.ts';
import { type CopyResult, codeOf, reasonOf } from '../hostfiles/entry.ts';
import { ramFor, scanTree, type Tree } from '../hostfiles/scan.ts';
import { loadSnapshot, saveSnapshot } from '../hostfiles/snapshotfile.ts';
import { type BootOptions, boot, type Flavour, KernelPanic, type Machine, type Snapshot } from '../index.ts';
import {
  checkGiven,
  closeDisks,
  type OpenDisk,
  openDisks,
  placeDisks,
  reportDisks,
  showDisks,
} from './disks.ts';
import { CommandError, EXIT_FAILED, EXIT_NO_ROOM, EXIT_OK, EXIT_USAGE } from './errors.ts';
import { interruptible } from './interrupt.ts';
import { detail, heading, hush, meter, print, style } from './output.ts';
import { reportCopy } from './report.ts';
import { isInteractive } from './terminal.ts';
import type { Imported } from './tour/scene.ts';
import { TOUR_SPARE_BYTES, takeTour } from './tour.ts';
import {
  formatBytes,
  formatCount,
  formatMs,
  type DiskImage,
  type ImportSpec,
  type MountSpec,
  type RootSpec,
} from './values.ts';

export interface BootCommandOptions {
  import?: ImportSpec[];
  update?: ImportSpec[];
  disk?: DiskImage[];
  root?: RootSpec;
  export?: ImportSpec[];
  ram?: number;
  flavour: Flavour;
  seed?: number;
  tour?: boolean;
  save?: string;
  from?: string;
  command?: string;
  control?: string;
  login?: boolean;
  mount?: MountSpec[];
  mountOptions?: string[];
}

/** Left for work beside what is imported. */
const SPARE_BYTES = 32 * 2 ** 20;

/** RAM of a machine that has its root on a disk. */
const ROOT_RAM_BYTES = 512 * 2 ** 20;

interface Measured {
  spec: ImportSpec;
  /** Only what differs is copied, and what is not there any more removed. */
  update: boolean;
  tree: Tree;
}

/** @returns the exit code */
export async function bootCommand(options: BootCommandOptions): Promise<number> {
  if (options.tour && options.import === undefined && options.update === undefined) {
    throw new CommandError('--tour needs files to work on: add --import HOSTDIR:/path', EXIT_USAGE);
  }
  if (options.root !== undefined && options.from !== undefined) {
    throw new CommandError('--root: a snapshot (--from) has its root already', EXIT_USAGE);
  }
  if (options.ram !== undefined && !(options.ram >= RAM_MIN_BYTES && options.ram <= RAM_MAX_BYTES)) {
    throw new CommandError(
      `--ram must be from ${RAM_MIN_BYTES} (4m) to ${RAM_MAX_BYTES} bytes (4g less 64k), and is ${options.ram}`,
      EXIT_USAGE,
    );
  }
  if (wantsShell(options) && (options.command !== undefined || !isInteractive())) hush();
  const images = (options.disk ?? []).map(({ file }) => path.resolve(file));
  const measured = [
    ...(await measure(options.import ?? [], images, false)),
    ...(await measure(options.update ?? [], images, true)),
  ];
  const snapshot = options.from === undefined ? undefined : await readSnapshot(options.from);
  const disks = openDisks(options.disk ?? []);
  try {
    return await withDisks(options, disks, measured, snapshot);
  } finally {
    closeDisks(disks);
  }
}

async function withDisks(
  options: BootCommandOptions,
  images: readonly OpenDisk[],
  measured: readonly Measured[],
  snapshot: Snapshot | undefined,
): Promise<number> {
  const ram = snapshot === undefined ? chooseRam(measured, options) : snapshot.ramBytes;
  const started = performance.now();
  const disks = placeDisks(images, snapshot?.disks);
  if (options.from !== undefined) checkGiven(options.from, snapshot?.disks ?? [], images.length);
  const machine = await bootOnDisks({ ...bootOptions(options, ram, snapshot), disks }, options.from);
  const attached = machine.disks;
  heading('Boot');
  detail(
    `${machine.flavour} kernel, ${formatBytes(machine.ramBytes)} of RAM${options.ram === undefined && measured.length > 0 ? ' to fit the files' : ''}, ` +
      `${formatMs(performance.now() - started)}`,
  );
  showDisks(attached);
  let code: number;
  try {
    code = await work(machine, measured, options);
  } finally {
    // A machine that panicked cannot be shut down; the panic is what is reported.
    if (machine.cpu.panic === undefined) machine.shutdown();
  }
  return reportDisks(attached) ? code : code || EXIT_FAILED;
}

async function work(
  machine: Machine,
  measured: readonly Measured[],
  options: BootCommandOptions,
): Promise<number> {
  let failed = false;
  const imported: Imported[] = [];
  for (const each of measured) {
    const { spec, tree } = each;
    // Several lanes would make files in an order that depends on the host's speed.
    failed = !(await importTree(machine, each, options.seed === undefined ? undefined : 1)) || failed;
    imported.push({ tree, host: spec.host, target: spec.machine, update: each.update });
  }
  const mounts = await mountsOf(machine, options);
  let well = true;
  let code: number;
  try {
    code = await workMounted(machine, imported, options, failed);
  } finally {
    well = (await mounts?.end()) ?? true;
  }
  return well ? code : code || EXIT_FAILED;
}

async function mountsOf(machine: Machine, { mount = [], mountOptions = [] }: BootCommandOptions) {
  if (mount.length === 0) return undefined;
  const { mountAll } = await import('./live.ts');
  return mountAll(machine, mount, mountOptions);
}

async function workMounted(
  machine: Machine,
  imported: readonly Imported[],
  options: BootCommandOptions,
  failedBefore: boolean,
): Promise<number> {
  let failed = failedBefore;
  if (options.tour) failed = !(await takeTour(machine, imported)) || failed;
  const code = failed ? undefined : await useShell(machine, options);
  for (const spec of options.export ?? []) failed = !(await exportTree(machine, spec)) || failed;
  if (options.save !== undefined) await save(machine, options.save);
  return failed ? EXIT_FAILED : (code ?? EXIT_OK);
}

/** Is this command to end in a shell? Not when something else was asked of it. */
function wantsShell({ command, control, login, tour, save, export: exports }: BootCommandOptions): boolean {
  if (command !== undefined || control !== undefined || login) return true;
  return !tour && save === undefined && exports === undefined;
}

/** The shell, at the terminal or between pipes: its exit code, if there was to be one. */
async function useShell(machine: Machine, options: BootCommandOptions): Promise<number | undefined> {
  if (!wantsShell(options)) return undefined;
  const { runShell } = await import('./shell.ts');
  return runShell(machine, { ...options, imported: options.import });
}

/** @throws CommandError when the root that was asked for cannot be had, or a disk is not the snapshot's */
async function bootOnDisks(options: BootOptions, from: string | undefined): Promise<Machine> {
  try {
    return await boot(options);
  } catch (error) {
    if (from !== undefined && !(error instanceof KernelPanic))
      throw new CommandError(`cannot go on from ${from}: ${reasonOf(error)}`);
    const { root } = options;
    if (root === undefined || codeOf(error) === undefined) throw error;
    throw new CommandError(`cannot use ${root.source} as the root, as ${root.type}: ${reasonOf(error)}`);
  }
}

function bootOptions(options: BootCommandOptions, ram: number, from: Snapshot | undefined): BootOptions {
  const console = (bytes: Uint8Array) => void process.stderr.write(bytes);
  if (from !== undefined) return { from, console };
  return { ram, flavour: options.flavour, seed: options.seed, console, root: options.root };
}

/** Scan what is to be copied, images of disks in use left out. */
async function measure(
  specs: readonly ImportSpec[],
  images: readonly string[],
  update: boolean,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  if (specs.length > 0) heading('Measure');
  for (const spec of specs) {
    const root = path.resolve(spec.host);
    const started = performance.now();
    let tree: Tree;
    try {
      tree = await scanTree(fs, Buffer.from(root), { without: images });
    } catch (error) {
      throw new CommandError(`cannot read ${spec.host} to import it: ${reasonOf(error)}`);
    }
    const { files, directories, symlinks, specials, links, bytes } = tree.totals;
    const kinds = [
      formatCount(files, 'file'),
      formatCount(directories, 'directory', 'directories'),
      formatCount(symlinks, 'symlink'),
      ...(specials > 0 ? [formatCount(specials, 'special file')] : []),
      ...(links > 0 ? [formatCount(links, 'further hard link')] : []),
      formatBytes(bytes),
    ];
    detail(`${root}: ${kinds.join(', ')}  ${style.dim(formatMs(performance.now() - started))}`);
    measured.push({ spec, tree, update });
  }
  return measured;
}

/** RAM that fits, before anything is copied. @throws CommandError that says what would */
function chooseRam(measured: readonly Measured[], { ram, tour, root }: BootCommandOptions): number {
  // the files are on a disk, and RAM is a cache of it
  if (root !== undefined) return ram ?? ROOT_RAM_BYTES;
  const trees = measured.map(({ tree }) => tree);
  const needed = ramFor(trees, tour ? TOUR_SPARE_BYTES : SPARE_BYTES);
  const chosen = ram ?? Math.max(needed, RAM_DEFAULT_BYTES);
  if (measured.length > 0 && needed > RAM_MAX_BYTES) {
    throw new CommandError(
      `these files need a machine with ${formatBytes(needed)} of RAM, and the largest has ${formatBytes(RAM_MAX_BYTES)}: import less`,
      EXIT_NO_ROOM,
    );
  }
  if (measured.length > 0 && chosen < needed) {
    throw new CommandError(
      `these files need ${formatBytes(needed)} of RAM, and --ram gives ${formatBytes(chosen)}: ` +
        `give --ram ${Math.ceil(needed / 2 ** 20)}m, or leave --ram out`,
      EXIT_NO_ROOM,
    );
  }
  // The tour holds the machine, a snapshot of it and a fork. Memory is used as it is touched.
  const used = Math.min(chosen, needed) * (tour ? 3 : 1);
  const available = availableMemory();
  if (used > available) {
    throw new CommandError(
      `${formatBytes(used)} of this host's memory are needed${tour ? ' for the machine, its snapshot and its fork' : ''}, ` +
        `and ${formatBytes(available)} are available: import less`,
      EXIT_NO_ROOM,
    );
  }
  return chosen;
}

/** What this process may still use; Node 20's first versions cannot tell a container's limit. */
function availableMemory(): number {
  const node: { availableMemory?: () => number } = process;
  return node.availableMemory?.() ?? os.freemem();
}

async function readSnapshot(file: string): Promise<Snapshot> {
  try {
    return await loadSnapshot(file);
  } catch (error) {
    throw new CommandError(`cannot boot from ${file}: ${reasonOf(error)}`);
  }
}

async function importTree(
  machine: Machine,
  { spec, tree, update }: Measured,
  lanes?: number,
): Promise<boolean> {
  heading(`${update ? 'Update' : 'Import'} ${spec.host} to ${spec.machine}`);
  const { totals, entries } = tree;
  const progress = await meter('importing', entries.length - totals.directories, totals.bytes);
  const started = performance.now();
  const result = await interruptible(async (interruption) => {
    const { signal } = interruption;
    try {
      if (update) removeOthers(machine.init.fs, tree, spec.machine);
      const copied = await copyIn(machine.init, tree, spec.machine, progress, { lanes, update, signal });
      if (!copied.stopped) return copied;
    } catch (error) {
      if (error instanceof MachineFullError) throw fullError(machine, spec, error);
      throw error;
    } finally {
      progress.stop();
    }
    throw interruption.error(`${spec.host} was not imported as a whole`);
  });
  const ms = performance.now() - started;
  const rate = formatBytes((result.bytes / ms) * 1000);
  detail(
    `${formatCount(result.entries, 'name')}, ${formatBytes(result.bytes)} in ${formatMs(ms)} (${rate}/s)`,
  );
  detail(`${formatBytes(machine.framesInUse * 4096)} of the machine's RAM are in use`);
  return reportCopy(result, 'not imported');
}

/** @param error  ENOSPC on a disk that is the root, or RAM at its end */
function fullError(
  machine: Machine,
  { host, machine: target }: ImportSpec,
  error: MachineFullError,
): CommandError {
  const { code, message, path: at } = error;
  const { blocks, bsize, type } = machine.init.fs.statfsSync('/');
  const isDisk = code === 'ENOSPC' && type === EXT4_MAGIC;
  const full = isDisk
    ? `the root's disk is full (${formatBytes(blocks * bsize)})`
    : `the machine is full (${formatBytes(machine.ramBytes)} of RAM)`;
  const name = at.toString();
  const what = `${path.join(host, name)} to ${path.posix.join(target, name)}`;
  const hint = isDisk ? 'damselfly img create makes a larger image' : 'give it more with --ram';
  return new CommandError(`${full}: ${what} was not imported: ${message}; ${hint}`, EXIT_NO_ROOM);
}

async function exportTree(machine: Machine, spec: ImportSpec): Promise<boolean> {
  heading(`Export ${spec.machine} to ${spec.host}`);
  const target = path.resolve(spec.host);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  let tree: Tree;
  try {
    tree = await scanTree(machine.fs, Buffer.from(spec.machine));
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new CommandError(`cannot export ${spec.machine}: ${reasonOf(error)}`);
  }
  const { totals, entries } = tree;
  const progress = await meter('exporting', entries.length - totals.directories, totals.bytes);
  const started = performance.now();
  let result: CopyResult;
  try {
    result = await copyOut(machine.init, tree, target, progress);
  } finally {
    progress.stop();
  }
  const ms = performance.now() - started;
  detail(`${formatCount(result.entries, 'name')}, ${formatBytes(result.bytes)} in ${formatMs(ms)}`);
  return reportCopy(result, 'not exported');
}

async function save(machine: Machine, file: string): Promise<void> {
  const started = performance.now();
  let snapshot: Snapshot;
  try {
    snapshot = machine.snapshot();
    await saveSnapshot(file, snapshot);
  } catch (error) {
    if (error instanceof KernelPanic) throw error;
    const hint = codeOf(error) === 'EBUSY' && machine.disks.length > 0 ? '; give it as IMG:ro' : '';
    throw new CommandError(`cannot save the machine to ${file}: ${reasonOf(error)}${hint}`);
  }
  print();
  print(
    `Saved the machine to ${file}: ${formatBytes(snapshot.bytes.length)}, ${formatMs(performance.now() - started)}`,
  );
}
