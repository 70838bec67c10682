/**
 * How each contestant is brought up. The peers are loaded by name when asked for and need not be
 * installed: one that is missing fails to open, and its column stays empty.
 */
import * as nodeFs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { openDamselfly } from './damselfly.ts';
import type { BenchFs, Subject } from './fixture.ts';
import type { ContestantName, Plan } from './types.ts';

/** Every contestant whose operations are JavaScript calls; the C program is in native.ts. */
export function openSubject(name: Exclude<ContestantName, 'native'>, plan: Plan): Promise<Subject> {
  switch (name) {
    case 'damselflyUp':
      return openDamselfly(name, 'up', plan);
    case 'damselflySmp':
      return openDamselfly(name, 'smp', plan);
    case 'memfs':
      return openMemfs();
    case 'zenfs':
      return openZenFs();
    case 'nodefs':
      return openNodeFs(plan);
  }
}

// Held in variables so that neither compiler nor bundler follows the name of an optional package.
const MEMFS: string = 'memfs';
const ZENFS: string = '@zenfs/core';

/** Only what is called here, so that building does not need the peer's types. */
interface Memfs {
  Volume: new () => object;
  createFsFromVolume(volume: object): unknown;
}

interface ZenFs {
  InMemory: unknown;
  configureSingle(config: { backend: unknown }): Promise<void>;
  fs: unknown;
}

async function openMemfs(): Promise<Subject> {
  const memfs = (await import(MEMFS)) as Memfs;
  const fs = memfs.createFsFromVolume(new memfs.Volume()) as BenchFs;
  return {
    ...inHeap(fs, installedVersion(MEMFS)),
    name: 'memfs',
    boot: async () => {
      const start = performance.now();
      const another = memfs.createFsFromVolume(new memfs.Volume()) as BenchFs;
      another.statSync('/');
      return performance.now() - start;
    },
  };
}

async function openZenFs(): Promise<Subject> {
  const { InMemory, configureSingle, fs } = (await import(ZENFS)) as ZenFs;
  await configureSingle({ backend: InMemory });
  return {
    ...inHeap(fs as BenchFs, installedVersion(ZENFS)),
    name: 'zenfs',
    // It has one root per process: configuring again would take the files away.
    boot: null,
  };
}

function inHeap(fs: BenchFs, version: string) {
  return { version, fs, root: '/', kernel: null, ramInUse: heapInUse, close: () => {} };
}

function heapInUse(): number {
  if (!globalThis.gc) throw new Error('the garbage collector is not exposed');
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A fresh directory on the host's tmpfs, made the cwd, so that paths are as long as elsewhere. */
async function openNodeFs(plan: Plan): Promise<Subject> {
  const dir = makeHostDir(plan);
  process.chdir(dir);
  return {
    name: 'nodefs',
    version: process.version,
    fs: nodeFs,
    root: '',
    kernel: null,
    boot: null,
    ramInUse: null,
    close() {
      process.chdir(path.dirname(dir));
      nodeFs.rmSync(dir, { recursive: true });
    },
  };
}

/** @throws Error when this host has no tmpfs */
export function makeHostDir(plan: Plan): string {
  if (plan.tmpfs === null) throw new Error('no tmpfs on this host (name one with --tmpfs)');
  return nodeFs.mkdtempSync(path.join(plan.tmpfs, 'damselfly-bench-'));
}

/** The version in the package.json above a package's entry point. */
function installedVersion(name: string): string {
  const { resolve } = createRequire(import.meta.url);
  for (let dir = path.dirname(resolve(name)); dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (!nodeFs.existsSync(file)) continue;
    const found = JSON.parse(nodeFs.readFileSync(file, 'utf8')) as { name?: string; version?: string };
    if (found.name === name && found.version) return found.version;
  }
  return 'unknown';
}
