/** The tracer: what it records, what it sums, and that it leaves no trace when it is off. */
import { describe, expect, test } from 'vitest';
import { AT_FDCWD, MNT_DETACH, MS_BIND, O_WRONLY } from '../../../assembly/abi/flags.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { cat, codeOf, onMachine } from './kit.ts';

interface Line {
  mount: number;
  op: string;
  subject: string;
  result: number;
  ns: number;
}

function records(machine: Machine): Line[] {
  return cat(machine.init, '/proc/trace')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      expect(line).toMatch(/^\d+\.\d{6} \d+ \w+ #\d+(\/\S+)? -?\d+ \d+$/);
      const [, mount, op, subject, result, ns] = line.split(' ');
      return { mount: Number(mount), op, subject, result: Number(result), ns: Number(ns) };
    });
}

function sums(machine: Machine): Map<string, { count: number; total: number; max: number }> {
  return new Map(
    cat(machine.init, '/proc/trace_stats')
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [mount, op, count, total, max] = line.split(' ');
        return [`${mount} ${op}`, { count: Number(count), total: Number(total), max: Number(max) }];
      }),
  );
}

const mountId = (machine: Machine, point: string) =>
  Number(
    cat(machine.init, '/proc/self/mountinfo')
      .split('\n')
      .map((line) => line.split(' '))
      .find((fields) => fields[4] === point)?.[0],
  );

const command = ({ fs }: Machine, text: string) => fs.writeFileSync('/proc/trace', text);

describe('the tracer', () => {
  test(
    'records operations with subject, result and duration',
    onMachine((machine) => {
      const { fs, init } = machine;
      expect(cat(init, '/proc/trace')).toBe('');
      fs.mkdirSync('/m');
      init.mount('x', '/m', 'tmpfs');
      const id = mountId(machine, '/m');
      command(machine, 'on /m\n');
      fs.writeFileSync('/m/a file', 'twelve bytes');
      fs.readFileSync('/m/a file');
      expect(codeOf(() => fs.statSync('/m/none'))).toBe('ENOENT');
      fs.renameSync('/m/a file', '/m/ä');
      fs.unlinkSync('/m/ä');
      command(machine, 'off /m');
      fs.writeFileSync('/m/untraced', '');
      const seen = records(machine);
      expect(seen.every(({ mount }) => mount === id)).toBe(true);
      const { ino } = fs.statSync('/m/untraced');
      expect(ino).toBe(2);
      const without = seen.map(({ op, subject, result }) => `${op} ${subject} ${result}`);
      expect(without).toEqual(
        expect.arrayContaining([
          'nresolve #1/a\\040file -2',
          'ncreate #1/a\\040file 0',
          'open #2 0',
          'write #2 0',
          'read #2 0',
          'close #2 0',
          'nresolve #1/none -2',
          'nrename #1/a\\040file 0',
          'nremove #1/\\303\\244 0',
          'reclaim #2 0',
        ]),
      );
      expect(without.indexOf('ncreate #1/a\\040file 0')).toBeLessThan(without.indexOf('write #2 0'));
      // a nested operation ends, and is recorded, first
      expect(without.indexOf('getpages #2 0')).toBeLessThan(without.indexOf('write #2 0'));
      init.umount('/m');
    }),
  );

  test(
    'sums by mount and operation, and the sums are the records’',
    onMachine((machine) => {
      const { fs } = machine;
      command(machine, 'on /');
      for (let i = 0; i < 20; i++) fs.mkdirSync(`/tmp/d${i}`);
      command(machine, 'off /');
      const all = sums(machine);
      const id = mountId(machine, '/');
      expect(all.get(`${id} nmkdir`)?.count).toBe(20);
      expect(new Set([...all.keys()].map((key) => key.split(' ')[0]))).toEqual(new Set([String(id)]));
      const seen = records(machine);
      for (const [key, { count, total, max }] of all) {
        const mine = seen.filter(({ mount, op }) => `${mount} ${op}` === key);
        expect([key, count, total, max]).toEqual([
          key,
          mine.length,
          mine.reduce((sum, { ns }) => sum + ns, 0),
          Math.max(...mine.map(({ ns }) => ns)),
        ]);
      }
      expect(all.get(`${id} nmkdir`)!.max).toBeGreaterThan(0);
      command(machine, 'clear');
      expect([records(machine), sums(machine).size]).toEqual([[], 0]);
    }),
  );

  test(
    'all mounts at once, the one it is switched through included',
    onMachine((machine) => {
      const { fs, init } = machine;
      command(machine, 'on all');
      fs.writeFileSync('/dev/null', 'x');
      const pipe = init.pipe();
      fs.writeSync(pipe.write, 'x');
      fs.closeSync(pipe.write);
      fs.closeSync(pipe.read);
      cat(init, '/proc/version');
      command(machine, 'off all');
      const before = records(machine);
      const ops = new Map<number, Set<string>>();
      for (const { mount, op } of before) ops.set(mount, (ops.get(mount) ?? new Set()).add(op));
      expect(ops.get(mountId(machine, '/dev'))).toContain('write');
      expect(ops.get(mountId(machine, '/proc'))).toContain('read');
      const pipes = [...ops].filter(
        ([mount]) => !['/', '/dev', '/proc'].some((p) => mountId(machine, p) === mount),
      );
      expect(pipes).toHaveLength(1);
      expect(pipes[0][1]).toContain('write');
      fs.writeFileSync('/tmp/f', '');
      expect(records(machine)).toEqual(before);
    }),
  );

  test(
    'keeps the latest when the ring is full',
    onMachine((machine) => {
      const { fs } = machine;
      command(machine, 'on /tmp');
      for (let i = 0; i < 3000; i++) fs.mkdirSync(`/tmp/d${i}`);
      const seen = records(machine);
      expect(seen.length).toBeGreaterThan(1000);
      expect(seen.length).toBeLessThan(3000);
      const made = seen
        .filter(({ op }) => op === 'nmkdir')
        .map(({ subject }) => Number(/\d+$/.exec(subject)?.[0]));
      expect(made.at(-1)).toBe(2999);
      expect(made).toEqual(Array.from({ length: made.length }, (_, i) => 3000 - made.length + i));
      expect(sums(machine).get(`${mountId(machine, '/')} nmkdir`)?.count).toBe(3000);
      const long = 'n'.repeat(200);
      fs.mkdirSync(`/tmp/${long}`);
      expect(records(machine).at(-1)?.subject).toMatch(/^#\d+\/n{24}\.\.\.$/);
    }),
  );

  test(
    'gives its memory back, and costs nothing when it is off',
    onMachine((machine) => {
      const { fs } = machine;
      fs.writeFileSync('/tmp/warm', '');
      cat(machine.init, '/proc/trace');
      machine.reclaim();
      const free = machine.ramFreeBytes;
      command(machine, 'on all');
      expect(machine.ramFreeBytes).toBeLessThan(free);
      command(machine, 'off all');
      command(machine, 'clear');
      machine.reclaim();
      expect(machine.ramFreeBytes).toBe(free);
    }),
  );

  test(
    'refuses nonsense, and those who may not',
    onMachine((machine) => {
      const { fs, init } = machine;
      for (const bad of ['x', 'on', 'off', 'on ', 'only /', 'clear all', 'ON /', '\n']) {
        expect([bad, codeOf(() => command(machine, bad))]).toEqual([bad, 'EINVAL']);
      }
      expect(codeOf(() => command(machine, 'on /none'))).toBe('ENOENT');
      expect(codeOf(() => command(machine, `on /${'x/'.repeat(9000)}`))).toBe('EINVAL');
      command(machine, 'off /');
      command(machine, ' \n off all \n');
      const user = machine.process({ uid: 1000 });
      expect(codeOf(() => user.openat(AT_FDCWD, '/proc/trace', O_WRONLY))).toBe('EACCES');
      expect(codeOf(() => user.fs.readFileSync('/proc/trace'))).toBe('EACCES');
      user.exit();
      // twice is once; a bind mount is what it shows; a mount may go while it is traced
      fs.mkdirSync('/m');
      fs.mkdirSync('/b');
      init.mount('x', '/m', 'tmpfs');
      init.mount('/m', '/b', '', MS_BIND);
      command(machine, 'on /b');
      command(machine, 'on /m');
      const id = mountId(machine, '/m');
      fs.mkdirSync('/b/d');
      expect(sums(machine).get(`${id} nmkdir`)?.count).toBe(1);
      const fd = fs.openSync('/m/d', 'r');
      init.umount('/m', MNT_DETACH);
      fs.writeFileSync('/b/f', '');
      expect(sums(machine).get(`${id} ncreate`)?.count).toBe(1);
      fs.closeSync(fd);
      init.umount('/b');
      expect(sums(machine).get(`${id} ncreate`)).toBe(undefined);
    }),
  );

  test('does not disturb a virtual clock', async () => {
    const stamps = async (traced: boolean) => {
      let times: number[] = [];
      await onMachine(
        (machine) => {
          if (traced) command(machine, 'on all');
          else command(machine, 'off all');
          for (let i = 0; i < 5; i++) machine.fs.writeFileSync(`/tmp/f${i}`, '');
          times = [0, 1, 2, 3, 4].map((i) => machine.fs.statSync(`/tmp/f${i}`).mtimeMs);
          if (traced) expect(records(machine).every(({ ns }) => ns % 1000 === 0)).toBe(true);
        },
        { seed: 3 },
      )();
      return times;
    };
    expect(await stamps(true)).toEqual(await stamps(false));
  });

  test(
    'works in a machine of 4 MiB',
    onMachine(
      (machine) => {
        command(machine, 'on all');
        machine.fs.writeFileSync('/tmp/f', 'x');
        expect(records(machine).length).toBeGreaterThan(3);
      },
      { ram: 4 << 20 },
    ),
  );
});
