import { SA_SIZE } from '../../assembly/abi/layout.ts';
import type { KernelExports } from '../../host/machine/exports.ts';

/** Calls of the kernel as data: made once, recorded, and made again when a failure is shrunk. */

export type ExportName = keyof KernelExports;

/** What stands in the syscall area before the call: bytes (one per character), words or a double. */
export interface Patch {
  /** Offset in the area; what does not fit is left out. */
  at: number;
  text?: string;
  words?: readonly number[];
  double?: number;
}

/** What the hardware does wrong, or does at all, during the call. */
export type Trouble =
  /** The n-th copy between RAM and a host buffer fails with EIO. */
  | { kind: 'copy'; nth: number }
  /** The console takes so many bytes only, or refuses with an errno. */
  | { kind: 'console'; result: number }
  /** The first copy traps into the kernel again on the same CPU. */
  | { kind: 'reenter'; name: ExportName };

export interface Call {
  name: ExportName;
  args: number[];
  patches: Patch[];
  trouble?: Trouble;
}

/** A call, and what the fuzzer learns from its result. */
export interface Step {
  call: Call;
  done?: (result: number) => void;
}

const PRINTABLE = 60;

function showText(text: string): string {
  const shown = JSON.stringify(text.length > PRINTABLE ? text.slice(0, PRINTABLE) : text);
  return text.length > PRINTABLE ? `${shown}… (${text.length} bytes)` : shown;
}

function showPatch({ at, text, words, double }: Patch): string {
  const what = text !== undefined ? showText(text) : words ? `[${words.slice(0, 12).join(' ')}]` : double;
  return `@${at}=${what}`;
}

/** One line for a human reader. */
export function showCall({ name, args, patches, trouble }: Call): string {
  const parts = [`${name}(${args.join(', ')})`, ...patches.map(showPatch)];
  if (trouble) parts.push(JSON.stringify(trouble));
  return parts.join(' ');
}

/** Write what a call needs into the syscall area. */
export function writePatches(memory: { u8: Uint8Array; view: DataView }, area: number, call: Call): void {
  for (const { at, text, words, double } of call.patches) {
    if (text !== undefined) {
      const length = Math.min(text.length, SA_SIZE - at);
      for (let i = 0; i < length; i++) memory.u8[area + at + i] = text.charCodeAt(i);
    }
    if (words) {
      for (let i = 0; i < words.length && at + 4 * i + 4 <= SA_SIZE; i++)
        memory.view.setUint32(area + at + 4 * i, words[i], true);
    }
    if (double !== undefined) memory.view.setFloat64(area + at, double, true);
  }
}
