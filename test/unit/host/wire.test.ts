/** What crosses between a page and its worker, through structured clone alone. */
import { transferHandlers } from 'comlink';
import { expect, test } from 'vitest';
import { give, Packed } from '../../../host/browser/wire.ts';
import { KernelPanic, LeakError } from '../../../host/machine/panic.ts';
import { syscallError } from '../../../host/syscalls/errors.ts';
import { testMachine } from './machine.ts';

/** What is packed, there, as comlink would bring it. */
function carried(packed: Packed): unknown {
  const handler = transferHandlers.get('damselfly');
  if (handler?.canHandle(packed) !== true) throw new Error('nobody carries a Packed');
  const [wire, transfer] = handler.serialize(packed) as [unknown, Transferable[]];
  return (handler.deserialize(structuredClone(wire, { transfer })) as Packed).value;
}

function across(value: unknown, gives = false): unknown {
  const packed = new Packed(value, gives);
  const arrived = carried(packed);
  packed.finish();
  return arrived;
}

test('plain data, as they are', () => {
  const value = {
    list: [1, 'two', 3n, null, undefined, [true]],
    date: new Date(5),
    map: new Map([['a', 1]]),
    bytes: new Uint8Array([1, 2]),
    words: new Uint16Array([1, 2]),
    nothing: Object.assign(Object.create(null) as object, { a: 1 }),
  };
  expect(across(value)).toEqual({ ...value, nothing: { a: 1 } });
});

test('errors keep their class, text and fields, and their cause keeps its own', () => {
  const cause = syscallError(2, 'rename', '/a', '/b');
  const error = Object.assign(new RangeError('out', { cause }), {
    code: 'ERR_OUT_OF_RANGE',
    info: { at: 1 },
  });
  const back = across(error) as typeof error;
  expect(back).toBeInstanceOf(RangeError);
  expect([back.name, back.message, back.code, back.info, back.stack]).toEqual([
    'RangeError',
    'out',
    'ERR_OUT_OF_RANGE',
    { at: 1 },
    error.stack,
  ]);
  expect({ ...(back.cause as Error), message: (back.cause as Error).message }).toEqual({
    ...cause,
    message: cause.message,
  });
  expect(Object.keys(back)).toEqual(Object.keys(error));
});

test('a panic is a KernelPanic there too, and a leak a LeakError', () => {
  const panic = across(new KernelPanic('lock order')) as KernelPanic;
  expect(panic).toBeInstanceOf(KernelPanic);
  expect([panic.name, panic.code, panic.message]).toEqual([
    'KernelPanic',
    'ERR_KERNEL_PANIC',
    'kernel panic: lock order',
  ]);
  const leak = across(new LeakError(2, 'vnode 1\n')) as LeakError;
  expect(leak).toBeInstanceOf(LeakError);
  expect([leak.name, leak.count, leak.code]).toEqual(['LeakError', 2, 'ERR_KERNEL_LEAK']);
});

test('Stats, StatFs and Dirent keep their methods', () => {
  const { fs } = testMachine();
  const stats = fs.lstatSync('/etc');
  const back = across([stats, fs.lstatSync('/etc', { bigint: true }), fs.statfsSync('/tmp')]) as [
    typeof stats,
    { isDirectory(): boolean; mtimeNs: bigint },
    object,
  ];
  expect([back[0].isDirectory(), back[0].isFile(), back[1].isDirectory()]).toEqual([true, false, true]);
  expect(back[0].mtime).toEqual(stats.mtime);
  expect({ ...back[0] }).toEqual({ ...stats });
  expect(back[2].constructor.name).toBe('StatFs');
  const entries = across(fs.readdirSync('/', { withFileTypes: true })) as {
    name: string;
    isDirectory(): boolean;
  }[];
  expect(entries.every((entry) => entry.isDirectory())).toBe(true);
  expect(entries.map(({ name }) => name)).toContain('etc');
});

test('bytes are copied, or moved where they are given away', () => {
  const kept = new Uint8Array([1, 2, 3]);
  const given = give(new Uint8Array([4, 5]));
  const part = new Uint8Array(1000).subarray(10, 12);
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
  const back = across([kept, given, part, shared]) as Uint8Array[];
  expect(back).toEqual([
    new Uint8Array([1, 2, 3]),
    new Uint8Array([4, 5]),
    new Uint8Array(2),
    new Uint8Array([7, 7]),
  ]);
  expect([kept.length, given.length, part.length]).toEqual([3, 0, 2]);
  // What is behind a part stays behind, and what is shared is shared no more.
  expect(back.map(({ buffer }) => buffer.byteLength)).toEqual([3, 2, 2, 2]);
  expect(back[3].buffer).toBeInstanceOf(ArrayBuffer);
  const result = new Uint8Array(3);
  expect(across({ result, again: result }, true)).toEqual({
    result: new Uint8Array(3),
    again: new Uint8Array(3),
  });
  expect(result.length).toBe(0);
});

test('a signal is followed until the call is over', async () => {
  const controller = new AbortController();
  const packed = new Packed([{ signal: controller.signal }]);
  const [{ signal }] = carried(packed) as [{ signal: AbortSignal }];
  expect(signal.aborted).toBe(false);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  controller.abort(syscallError(4, 'read'));
  await aborted;
  expect(signal.reason).toMatchObject({ code: 'EINTR', syscall: 'read' });
  packed.finish();
  expect((across(AbortSignal.abort('enough')) as AbortSignal).reason).toBe('enough');
});
