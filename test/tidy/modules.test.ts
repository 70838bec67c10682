/** What must be true of the compiled kernel, proved on the modules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOOTBLOCK } from '../../assembly/abi/layout.ts';
import * as vops from '../../assembly/abi/vops.ts';
import { repositoryRoot } from '../oracle/root.ts';
import {
  buildPlain,
  FLAVOURS,
  moduleBytes,
  moduleText,
  namedText,
  plainWithoutNames,
  withoutNames,
} from './modules.ts';

const registers = [
  ...readFileSync(join(repositoryRoot, 'assembly/kern/cpu.ts'), 'utf8').matchAll(/^export let (\w+)/gm),
].map((match) => match[1]);
/** Registers that `up` never reads: the optimiser leaves them out. */
const SMP_ONLY = ['curalone'];
const upRegisters = registers.filter((name) => !SMP_ONLY.includes(name));

let plain = '';
beforeAll(() => {
  buildPlain();
  plain = namedText();
}, 120_000);

/** The lines of a function of asc's text, without its head and locals. */
function bodyOf(name: string): string[] {
  const at = plain.indexOf(`\n (func $${name} `);
  if (at < 0) throw new Error(`no function ${name}`);
  const end = plain.indexOf('\n )', at);
  return plain
    .slice(at + 1, end)
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('(local '));
}

/**
 * A disassembly's instructions, less what assemblers are free to write otherwise: the block
 * structure, the order of locals, and what can never be reached.
 */
function instructions(text: string): string[] {
  return text
    .slice(text.indexOf('\n  (func '))
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/ *;; label = .*$/, '')
        .replace(/^(br|br_if|local\.get|local\.set|local\.tee) \d+.*/, '$1')
        .replace(/\)+$/, ''),
    )
    .filter((line) => !/^(block|end|loop|nop|unreachable|\(local)\b|^$/.test(line));
}

interface Inlined {
  op: string;
  lines: string[];
}

/** Every place where a vop_* wrapper was inlined, from its first instruction to its end. */
function wrappers(): Inlined[] {
  const lines = plain.split('\n');
  const found: Inlined[] = [];
  for (let i = 0; i < lines.length; i++) {
    const head = /^(\s*)block \$assembly\/vfs\/vop\/vop_(\w+)\|inlined\.\d+/.exec(lines[i]);
    if (!head) continue;
    let end = i;
    while (lines[end] !== `${head[1]}end`) end++;
    found.push({ op: head[2], lines: lines.slice(i + 1, end).map((line) => line.trim()) });
  }
  return found;
}

/** What stands for a wrapper, once its arguments are in locals: the count, the slot, the call. */
function wrapperPattern(op: string): RegExp {
  const OP = op.toUpperCase();
  return new RegExp(
    [
      `global\\.get \\$assembly/abi/vops/VOP_${OP}`,
      'local\\.set \\$(\\d+)',
      'global\\.get \\$assembly/kern/cpu/curcpu',
      'global\\.get \\$assembly/kern/cpu/CPU_VOPS',
      'i32\\.add',
      'local\\.get \\$\\1',
      'i32\\.const 2',
      'i32\\.shl',
      'i32\\.add',
      'local\\.set \\$(\\d+)',
      'local\\.get \\$\\2',
      'local\\.get \\$\\2',
      'i32\\.load',
      'i32\\.const 1',
      'i32\\.add',
      'i32\\.store',
      '(?:local\\.get \\$\\d+\\n)+call \\$assembly/vfs/fsmanage/Fsmanage#get:fm_(\\w+)',
      'call_indirect \\(type \\$\\d+\\)',
      `br \\$assembly/vfs/vop/vop_${op}\\|inlined\\.\\d+$`,
    ].join('\\n'),
  );
}

describe('vop_* wrappers, in the build that is not optimised', () => {
  it('asc’s text is the module’s: wabt assembles it to the same instructions', async () => {
    const assembled = instructions(await withoutNames(plain));
    expect(assembled.length).toBeGreaterThan(50_000);
    expect(assembled.join('\n') === instructions(await plainWithoutNames()).join('\n')).toBe(true);
  });

  it('are one load of the slot, one call_indirect and one per-CPU count, and nothing else', () => {
    const found = wrappers();
    expect(new Set(found.map(({ op }) => op)).size).toBeGreaterThanOrEqual(34);
    for (const { op, lines } of found) {
      const text = lines.join('\n');
      const match = wrapperPattern(op).exec(text);
      expect(match?.[3], `vop_${op}:\n${text}`).toBe(op);
      // before it, only the arguments are put into locals; nothing else is dispatched or counted there
      const before = text.slice(0, match?.index);
      expect(before).not.toMatch(/call_indirect|CPU_VOPS|\.store/);
    }
  });

  it('exist for every operation, and none for anything else', () => {
    const numbered = Object.keys(vops)
      .filter((name) => name.startsWith('VOP_'))
      .map((name) => name.slice(4).toLowerCase());
    const source = readFileSync(join(repositoryRoot, 'assembly/vfs/vop.ts'), 'utf8');
    const written = [...source.matchAll(/^export function vop_(\w+)\(/gm)].map((match) => match[1]);
    expect(written).toEqual(numbered);
    for (const { op } of wrappers()) expect(numbered).toContain(op);
  });

  it('load the slot with one instruction, each its own', () => {
    const offsets = wrappers().map(({ op }) => {
      const body = bodyOf(`assembly/vfs/fsmanage/Fsmanage#get:fm_${op}`);
      expect(body).toHaveLength(2);
      expect(body[0]).toBe('local.get $0');
      expect(body[1]).toMatch(/^i32\.load offset=\d+$/);
      return `${op} ${body[1]}`;
    });
    const distinct = new Set(offsets);
    expect(new Set([...distinct].map((line) => line.split('=')[1])).size).toBe(distinct.size);
  });
});

describe.each(FLAVOURS)('%s.wasm', (flavour) => {
  let text = '';
  beforeAll(async () => {
    text = await moduleText(flavour);
  });

  it('has no mutable global but the CPU’s registers', () => {
    const mutable = text.match(/^ {2}\(global .*\(mut .*$/gm) ?? [];
    expect(mutable).toHaveLength((flavour.startsWith('smp') ? registers : upRegisters).length);
    for (const line of mutable) expect(line).toMatch(/\(mut i32\) \(i32\.const 0\)\)$/);
    expect(
      WebAssembly.Module.exports(new WebAssembly.Module(moduleBytes(flavour))).map(({ kind }) => kind),
    ).not.toContain('global');
  });

  it('has data only below the boot block, written once and at fixed places', () => {
    const data = [
      ...text.matchAll(/^ {2}\(data \S+ \(i32\.const (\d+)\) "((?:\\[0-9a-f]{2}|\\.|[^"\\])*)"\)/gm),
    ];
    expect(data).toHaveLength((text.match(/^ {2}\(data /gm) ?? []).length);
    expect(data.length).toBeGreaterThan(10);
    for (const [, at, bytes] of data) {
      const length = bytes.replace(/\\[0-9a-f]{2}|\\./g, '.').length;
      expect(Number(at)).toBeGreaterThanOrEqual(1024);
      expect(Number(at) + length).toBeLessThanOrEqual(BOOTBLOCK);
    }
    expect(text).not.toMatch(/memory\.init|data\.drop/);
  });

  it('imports its memory and the host’s hardware, and nothing else', () => {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(moduleBytes(flavour)));
    const names = imports.map(({ module, name }) => `${module}.${name}`).sort();
    expect(names).toEqual([
      'env.memory',
      'host.clock_read',
      'host.console_write',
      'host.copyin',
      'host.copyout',
      'host.disk_strategy',
      'host.entropy',
      'host.panicked',
    ]);
  });

  it('never grows its memory and runs nothing when it is instantiated', () => {
    expect(text).not.toMatch(/memory\.grow|^ {2}\(start /m);
    const memory = /\(import "env" "memory" \(memory \(;0;\) \d+ \d+( shared)?\)\)/.exec(text);
    expect(memory?.[1] === ' shared').toBe(flavour.startsWith('smp'));
  });
});

describe('the AssemblyScript runtime', () => {
  const RUNTIME =
    /~lib\/(rt|memory|gc|array|arraybuffer|string|map|set|staticarray|typedarray)\/|__(new|alloc|realloc|free|pin|unpin|collect|link|visit|renew)\b/;

  it('is in no kernel: none of its functions, by the names of the plain and the debug builds', async () => {
    const functions = (text: string) => [...text.matchAll(/^ +\(func \$(\S+)/gm)].map((match) => match[1]);
    for (const text of [plain, await moduleText('up-debug'), await moduleText('smp-debug')]) {
      const names = functions(text);
      expect(names.length).toBeGreaterThan(500);
      expect(names.filter((name) => RUNTIME.test(name))).toEqual([]);
    }
  });

  it('the plain build’s mutable globals are the registers by name', () => {
    const mutable = [...plain.matchAll(/^ \(global \$(\S+) \(mut /gm)].map((match) => match[1]);
    expect(mutable).toEqual(registers.map((name) => `assembly/kern/cpu/${name}`));
  });
});
