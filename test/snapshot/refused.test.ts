/** Snapshots that must not be booted: of another build or flavour, cut short, altered. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  BB_FLAVOUR,
  BB_FRAMES_TOTAL,
  BB_MAGIC,
  BB_STATE,
  BB_VERSION,
  BOOTBLOCK,
  MACHINE_UP,
  PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import { loadSnapshot, saveSnapshot } from '../../host/hostfiles/snapshotfile.ts';
import { boot, bootSync } from '../../host/machine/boot.ts';
import type { Snapshot } from '../../host/machine/snapshot.ts';
import { debugMachine, kernelFile } from '../unit/kernel/kit.ts';

const module = kernelFile('up-debug');
const machine = debugMachine({ ram: 4 << 20, files: { '/kept': 'text' } });
const snapshot = machine.snapshot();
const directory = mkdtempSync(join(tmpdir(), 'damselfly-snapshot-'));
const file = join(directory, 'saved');
afterAll(() => {
  machine.shutdown();
  rmSync(directory, { recursive: true });
});

const bootFrom = (changes: object, more: object = {}) => {
  const from = { ...snapshot, ...changes } as Snapshot;
  return () => bootSync({ module, from, ...more });
};

/** The same frames, one word of the boot block changed. */
function withWord(offset: number, value: number): object {
  const bytes = snapshot.bytes.slice();
  const at = snapshot.frames.indexOf(BOOTBLOCK / PAGE_SIZE) * PAGE_SIZE + offset;
  new DataView(bytes.buffer).setUint32(at, value, true);
  return { bytes };
}

/** A module that does the same and is another build: a custom section more, and another name. */
function otherBuild(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(readFileSync(module));
  const name = Buffer.from('damselfly');
  const at = Buffer.from(bytes).lastIndexOf(name) + name.length;
  bytes[at] = bytes[at] === 48 ? 49 : 48;
  return bytes;
}

describe('a snapshot', () => {
  test('as it was taken boots', () => {
    const copy = bootFrom({})();
    expect(copy.fs.readFileSync('/kept', 'utf8')).toBe('text');
    copy.shutdown();
  });

  test('names the build by what the build put into the module', () => {
    expect(snapshot.kernel).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of another build is refused, however the kernel is given', async () => {
    const bytes = otherBuild();
    const refusal = /made by another kernel build/;
    expect(() => bootSync({ module: bytes, from: snapshot })).toThrow(refusal);
    expect(() => bootSync({ module: new WebAssembly.Module(bytes), from: snapshot })).toThrow(refusal);
    await expect(boot({ module: bytes, from: snapshot })).rejects.toThrow(refusal);
    expect(bootFrom({ kernel: snapshot.kernel.replace(/^./, (c) => (c === '0' ? '1' : '0')) })).toThrow(
      refusal,
    );
    expect(bootFrom({}, { module: kernelFile('up') })).toThrow(refusal);
  });

  test('is refused by a module that does not say which build it is', () => {
    const bytes = new Uint8Array(readFileSync(module));
    // without its last section, the name
    const unnamed = bytes.slice(0, Buffer.from(bytes).lastIndexOf('damselfly') - 3);
    const compiled = new WebAssembly.Module(unnamed);
    expect(WebAssembly.Module.customSections(compiled, 'damselfly')).toEqual([]);
    expect(() => bootSync({ module: compiled, from: { ...snapshot, kernel: 'unknown' } })).toThrow(
      /does not say which build/,
    );
  });

  test('of another flavour is refused', () => {
    expect(bootFrom({}, { flavour: 'smp' })).toThrow(/of a machine of flavour up-debug, not smp/);
    expect(bootFrom({ flavour: 'up' })).toThrow(/not of flavour up/);
    expect(bootFrom({ flavour: 'smp-debug' })).toThrow(/not of flavour smp-debug/);
    expect(bootFrom({ flavour: 'vax' })).toThrow(/no flavour vax/);
  });

  test('of another format is refused', () => {
    expect(bootFrom({ format: 2 })).toThrow(/format 2: this version reads format 1/);
  });

  test('cut short is refused', () => {
    const { frames, bytes } = snapshot;
    expect(bootFrom({ bytes: bytes.subarray(0, -1) })).toThrow(/frame list and bytes do not match/);
    expect(bootFrom({ bytes: bytes.subarray(PAGE_SIZE) })).toThrow(/do not match/);
    expect(bootFrom({ frames: frames.subarray(1) })).toThrow(/do not match/);
    expect(bootFrom({ frames: frames.slice(0, 0), bytes: bytes.slice(0, 0) })).toThrow(/no boot block/);
  });

  test('with frames that cannot be is refused', () => {
    const { frames } = snapshot;
    const last = frames.length - 1;
    expect(bootFrom({ frames: frames.with(last, 1 << 20) })).toThrow(/bad frame 1048576/);
    expect(bootFrom({ frames: frames.with(5, frames[4]) })).toThrow(/bad frame/);
    expect(bootFrom({ ramBytes: 2 << 20 })).toThrow(/no machine has 2097152 bytes/);
    expect(bootFrom({ ramBytes: 5e12 })).toThrow(/no machine has/);
    expect(bootFrom({ ramBytes: 8 << 20 })).toThrow(/has not 8388608 bytes of RAM/);
  });

  test.each([
    [BB_MAGIC, 1, /no boot block/],
    [BB_VERSION, 99, /another version/],
    [BB_FLAVOUR, 0, /not of flavour up-debug/],
    [BB_FRAMES_TOTAL, 7, /bytes of RAM/],
    [BB_STATE, MACHINE_UP, /was not stopped/],
  ])('whose boot block is altered at %i is refused', (offset, value, refusal) => {
    expect(bootFrom(withWord(offset, value))).toThrow(refusal);
  });
});

describe('a saved snapshot', () => {
  const save = () => saveSnapshot(file, snapshot);

  test('is read back as it was', async () => {
    await save();
    expect(await loadSnapshot(file)).toEqual(snapshot);
  });

  test('with any byte altered is refused', async () => {
    await save();
    const whole = readFileSync(file);
    const header = whole.indexOf(10) + 1;
    for (const at of [header, header + 4 * snapshot.frames.length, whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 4;
      writeFileSync(file, bytes);
      await expect(loadSnapshot(file)).rejects.toThrow(/is damaged: its checksum is wrong/);
    }
  });

  test('cut short, or longer, is refused', async () => {
    await save();
    const { length } = readFileSync(file);
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(1)]));
    await expect(loadSnapshot(file)).rejects.toThrow(/cut short/);
    for (const size of [length - 1, 8192, 100, 1, 0]) {
      truncateSync(file, size);
      await expect(loadSnapshot(file)).rejects.toThrow(/cut short|not a snapshot/);
    }
  });

  test('that is something else is refused', async () => {
    for (const text of ['', '\n', 'hello\n', '{}\n', 'null\n', '[1]\n', '{"type":"damselfly-snapshot"}\n']) {
      writeFileSync(file, text);
      await expect(loadSnapshot(file)).rejects.toThrow(/is not a snapshot/);
    }
    await expect(loadSnapshot(directory)).rejects.toThrow(/EISDIR/);
    await expect(loadSnapshot(`${file}.absent`)).rejects.toThrow(/ENOENT/);
  });
});
