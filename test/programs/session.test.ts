/** Terminals with a program on them, as people come and go. */
import net from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listen } from '../../host/cli/control.ts';
import {
  encodeFrame,
  FRAME_DATA,
  FRAME_EXIT,
  FRAME_HELLO,
  FRAME_REFUSED,
  FRAME_RESIZE,
  FrameReader,
} from '../../host/cli/wire.ts';
import { boot, type Machine } from '../../host/index.ts';
import type { Program } from '../../host/programs/program.ts';
import { Userland } from '../../host/programs/userland.ts';
import { makeSane } from '../../host/syscalls/ttycalls.ts';
import { TerminalSession } from '../../host/terminal/session.ts';

const SIZE = { rows: 24, columns: 80 };
const MUCH = new Uint8Array(1 << 16).fill(120);

const own: Record<string, Program> = {
  /** Never reads what is typed: raw, so that the queue fills. */
  deaf: async ({ process, stdout, sleep }) => {
    process.tcsetattr(0, { ...makeSane(), lflag: 0 });
    await stdout.write('ready\n');
    await sleep(2 ** 31);
    return 0;
  },
  line: async ({ stdin, stdout }) => {
    await stdout.write('ready\n');
    return (await stdin.read()).length;
  },
};

let machine: Machine;
let userland: Userland;

beforeEach(async () => {
  machine = await boot({ flavour: 'up-debug', ram: 16 << 20 });
  const programs = Object.entries(own).map(
    ([name, program]) => [name, { summary: name, load: async () => program }] as const,
  );
  userland = new Userland(machine, new Map(programs));
});

afterEach(() => machine.shutdown());

async function started(name: string): Promise<TerminalSession> {
  let session: TerminalSession | undefined;
  await new Promise<void>((ready) => {
    session = new TerminalSession(userland, [name], {}, { size: SIZE, output: () => ready() });
  });
  return session as TerminalSession;
}

it('is hung up while a read and a write wait', async () => {
  const session = await started('deaf');
  const written = session.write(MUCH);
  expect(written).toBeInstanceOf(Promise);
  session.hangup();
  await expect(written).rejects.toThrow(/abort/i);
  expect(await session.done).toMatchObject({ code: 129 });
  expect(machine.init.fs.readdirSync('/dev/pts')).toEqual([]);
});

it('takes no harm from whoever comes late', async () => {
  const session = await started('line');
  await session.write('four\n');
  expect(await session.done).toMatchObject({ code: 5 });
  session.resize(SIZE);
  expect(session.write('x')).toBeUndefined();
  session.hangup();
  const other = await started('line');
  machine.shutdown();
  other.hangup();
  other.resize(SIZE);
  await expect(other.done).rejects.toMatchObject({ code: 'ESRCH' });
});

interface Client {
  socket: net.Socket;
  /** Types of the frames that came, text of the last. */
  types: number[];
  text: () => string;
  closed: Promise<void>;
}

function client(path: string): Client {
  const socket = net.connect(path);
  const reader = new FrameReader();
  const types: number[] = [];
  let text = '';
  socket.on('data', (chunk) => {
    for (const { type, payload } of reader.push(chunk)) {
      types.push(type);
      text = new TextDecoder().decode(payload);
    }
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, types, text: () => text, closed };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

it('is given to those who ask for it properly, and taken from those who leave', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'damselfly-'));
  const path = join(directory, 'socket');
  const control = await listen(path, userland, ['deaf']);
  try {
    const hello = encodeFrame(FRAME_HELLO, JSON.stringify({ ...SIZE, term: 'dumb' }));
    const pts = () => machine.init.fs.readdirSync('/dev/pts');

    const hostile = client(path);
    hostile.socket.write(encodeFrame(FRAME_HELLO, '{}'));
    hostile.socket.write(hello);
    await until(() => hostile.types.length > 0);
    hostile.socket.write(hello);
    await hostile.closed;
    expect([hostile.types, hostile.text()]).toEqual([[FRAME_REFUSED], 'no window size']);
    expect(pts()).toEqual([]);

    const polite = client(path);
    polite.socket.write(hello);
    await until(() => polite.types.length > 0);
    expect(pts()).toEqual(['0']);
    polite.socket.write(encodeFrame(FRAME_RESIZE, JSON.stringify(SIZE)));
    for (let i = 0; i < 4; i++) polite.socket.write(encodeFrame(FRAME_DATA, MUCH));
    await until(() => machine.cpu.scheduler.waiting > 3);
    polite.socket.destroy();
    await until(() => pts().length === 0);

    const killed = client(path);
    killed.socket.write(hello);
    await until(() => killed.types.length > 0);
    for (let i = 0; i < 4; i++) killed.socket.write(encodeFrame(FRAME_DATA, MUCH));
    await until(() => machine.cpu.scheduler.waiting > 3);
    const [pid] = machine.init.fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && comm(Number(name)) === 'deaf\n');
    machine.init.kill(Number(pid), 9);
    await killed.closed;
    expect([killed.types.at(-1), killed.text()]).toEqual([FRAME_EXIT, '{"code":137}']);
  } finally {
    control.close();
    rmSync(directory, { recursive: true });
  }
});

function comm(pid: number): string {
  return machine.init.fs.readFileSync(`/proc/${pid}/comm`, 'utf8');
}
