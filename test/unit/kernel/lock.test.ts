/** Locks: what each kind lets in, and what the rank checker of a debug kernel catches. */
import { describe, expect, test } from 'vitest';
import { Parts } from './parts.ts';

// as in kern/lock.ts
const MOUNTS = 1;
const NAME = 3;
const VNODE = 4;
const LOCK_BYTES = 8;

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('shared holders are counted; a try for one that is held fails', () => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const [a, b] = [parts.struct(LOCK_BYTES), parts.struct(LOCK_BYTES)];
    call.lock_shared(a, NAME);
    expect(parts.word(a)).toBe(1);
    expect(call.lock_try(a, NAME)).toBe(0);
    call.lock_release(a);
    call.lock_exclusive(a, NAME);
    expect(parts.word(a) >>> 31).toBe(1);
    expect(call.lock_try(a, NAME)).toBe(0);
    expect(call.lock_try(b, NAME)).toBe(1);
    // in another order than they were taken
    call.lock_release(a);
    call.lock_release(b);
    expect([parts.word(a), parts.word(b)]).toEqual([0, 0]);
    call.part_free(a);
    call.part_free(b);
    parts.close();
  });

  test('upwards in rank, and two of a rank by whoever fixes their order', () => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const locks = Array.from({ length: 4 }, () => parts.struct(LOCK_BYTES));
    call.lock_exclusive(locks[0], MOUNTS);
    call.lock_exclusive(locks[1], NAME);
    call.lock_same(locks[2], NAME);
    call.lock_exclusive(locks[3], VNODE);
    for (const lock of locks) call.lock_release(lock);
    // a try may break the order
    call.lock_exclusive(locks[3], VNODE);
    expect(call.lock_try(locks[0], MOUNTS)).toBe(1);
    call.lock_release(locks[0]);
    call.lock_release(locks[3]);
    for (const lock of locks) call.part_free(lock);
    parts.close();
  });
});

describe.each(['up-debug'] as const)('%s catches', (flavour) => {
  const panicOf = (act: (parts: Parts, locks: number[]) => void): string => {
    const parts = new Parts(flavour);
    const locks = Array.from({ length: 40 }, () => parts.struct(LOCK_BYTES));
    try {
      act(parts, locks);
    } catch {
      return parts.cpu.panic?.message ?? 'none';
    }
    return 'nothing';
  };

  test('a lock of a lower rank', () => {
    const caught = panicOf(({ call }, [a, b]) => {
      call.lock_exclusive(a, VNODE);
      call.lock_exclusive(b, NAME);
    });
    expect(caught).toContain('lock order');
    const shared = panicOf(({ call }, [a, b]) => {
      call.lock_exclusive(a, VNODE);
      call.lock_shared(b, MOUNTS);
    });
    expect(shared).toContain('lock order');
  });

  test('a second one of a rank by whoever does not fix an order', () => {
    const caught = panicOf(({ call }, [a, b]) => {
      call.lock_exclusive(a, NAME);
      call.lock_exclusive(b, NAME);
    });
    expect(caught).toContain('lock order');
  });

  test('any lock under a spin lock', () => {
    const caught = panicOf(({ call }, [a, b]) => {
      call.spin_lock(a);
      call.lock_exclusive(b, VNODE);
    });
    expect(caught).toContain('lock order');
  });

  test('one that is taken twice', () => {
    const caught = panicOf(({ call }, [a]) => {
      call.lock_exclusive(a, NAME);
      call.lock_same(a, NAME);
    });
    expect(caught).toMatch(/lock taken (in up|twice)/);
  });

  test('one that is released and not held', () => {
    expect(panicOf(({ call }, [a]) => call.lock_release(a))).toContain('not held');
    const twice = panicOf(({ call }, [a]) => {
      call.lock_exclusive(a, NAME);
      call.lock_release(a);
      call.lock_release(a);
    });
    expect(twice).toContain('not held');
  });

  test('a call that leaves the kernel with one held', () => {
    const caught = panicOf(({ call }, [a]) => {
      call.lock_exclusive(a, NAME);
      call.part_leave();
    });
    expect(caught).toContain('left the kernel holding a lock');
  });

  test('more than there is room to note', () => {
    const caught = panicOf(({ call }, locks) => {
      for (const lock of locks) call.lock_same(lock, NAME);
    });
    expect(caught).toContain('too many locks');
  });
});
