/** Tests that fail, and some that do not; each title says which. */
import fs, { statSync } from 'node:fs';
import { describe, expect, vi } from 'vitest';
import { test } from 'damselfly/vitest';

vi.mock('node:fs', async () => (await import('damselfly/vitest')).mockFs());

test('fails with OpenFilesError: 1 file left open descriptor 0 of process 1: /tmp/forgotten', ({ fs }) => {
  fs.openSync('/tmp/forgotten', 'w');
});

test('fails with AssertionError: expected 1 to be 2', ({ fs }) => {
  fs.openSync('/tmp/of no importance', 'w');
  expect(1).toBe(2);
});

test('passes: a stream that is about to close', async ({ fs }) => {
  const stream = fs.createWriteStream('/tmp/stream');
  await new Promise((resolve) => stream.end('text', () => resolve(undefined)));
});

test('passes: whoever asks for nothing has a machine all the same', () => {
  fs.writeFileSync('/tmp/file', 'text');
  expect(statSync('/tmp/file').size).toBe(4);
});

describe.concurrent('at the same time', () => {
  const turns = async (count: number) => {
    for (let n = 0; n < count; n++) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  for (const name of ['one', 'another']) {
    test(`passes: ${name} uses its own fs`, async ({ fs }) => {
      await turns(10);
      fs.writeFileSync('/tmp/name', name);
      await turns(10);
      expect(fs.readFileSync('/tmp/name', 'utf8')).toBe(name);
    });
  }
  for (const name of ['one', 'another']) {
    test(`fails with several machines are there for it${name === 'one' ? '' : ':'}`, async () => {
      await turns(5);
      fs.writeFileSync(`/tmp/${name}`, '');
    });
  }
});
