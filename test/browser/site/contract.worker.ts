/**
 * The contract in a worker: every case on a machine that the package booted here, told to the page
 * one by one.
 */
import { bootSync, type Flavour, type Machine as Product } from 'damselfly';
import { contractCases, lacking, play } from '../../contract/cases.ts';
import { type Exports, type Hardware, Machine } from '../../oracle/machine.ts';
import { MachineTarget } from '../../oracle/machine-target.ts';
import type { CaseResult } from '../results.ts';

const RAM_BYTES = 64 << 20;
const EPOCH_SECONDS = 1_700_000_000;
const NOTHING = new Uint8Array(0);

/** The package's own host: its memory, its views, its imports. */
class PackageHardware implements Hardware {
  readonly kernel: Exports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly area: number;
  readonly #machine: Product;
  #spaces: Uint8Array[] = [];

  constructor(flavour: Flavour) {
    this.#machine = bootSync({
      flavour,
      ram: RAM_BYTES,
      seed: 1,
      clock: { type: 'virtual', epochSeconds: EPOCH_SECONDS },
    });
    const { cpu } = this.#machine;
    this.kernel = cpu.exports;
    this.u8 = cpu.u8;
    this.u32 = cpu.u32;
    this.f64 = cpu.f64;
    this.area = cpu.area;
  }

  get spaces(): Uint8Array[] {
    return this.#spaces;
  }
  set spaces(buffers: Uint8Array[]) {
    const { spaces } = this.#machine.cpu;
    for (const [i, buffer] of buffers.entries()) spaces[i] = buffer;
    for (let i = buffers.length; i < this.#spaces.length; i++) spaces[i] = NOTHING;
    this.#spaces = buffers;
  }

  get dead(): boolean {
    return this.#machine.cpu.panic !== undefined;
  }
}

function* results(flavour: Flavour): Generator<CaseResult> {
  const target = new MachineTarget({ flavour }, () => new Machine(new PackageHardware(flavour)));
  let serial = 0;
  for (const item of contractCases()) {
    const { id } = item;
    const skipped = lacking(target, item);
    if (skipped !== undefined) {
      yield { id, skipped };
      continue;
    }
    try {
      play(target, item, `/s${serial++}`);
      yield { id };
    } catch (error) {
      yield { id, failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    }
  }
  try {
    target.dispose();
    yield { id: 'shutdown' };
  } catch (error) {
    yield { id: 'shutdown', failed: String(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<Flavour>) => {
  self.postMessage([...results(data)]);
};
