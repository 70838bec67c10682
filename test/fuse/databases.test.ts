/** SQLite on a mounted tree: processes that write and read one database at once, and one that is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { itWith, KINDS, Mounts, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();

/** Both do this; money only moves, so that its sum says whether a transaction was seen half done. */
const TRANSFERS = 40;
const READS = 60;
const SUM = 1000;

const SCHEMA = `CREATE TABLE account(id INTEGER PRIMARY KEY, money); CREATE TABLE log(who, n, pad);
INSERT INTO account VALUES(1, ${SUM}), (2, 0);`;

const transfer = (who: string, n: number): string =>
  `BEGIN IMMEDIATE; UPDATE account SET money = money - 1 WHERE id = 1;
UPDATE account SET money = money + 1 WHERE id = 2; INSERT INTO log VALUES('${who}', ${n}, hex(randomblob(600))); COMMIT;\n`;
const transfers = (who: string, count: number): string =>
  Array.from({ length: count }, (_, n) => transfer(who, n)).join('');
/** Two statements that one snapshot must answer: what was moved is what the log has. */
const LOOK =
  'BEGIN; SELECT sum(money) FROM account; SELECT max(money) FROM account WHERE id = 2; SELECT count(*) FROM log; COMMIT;\n';

class Shell {
  readonly child: ChildProcess;
  output = '';
  readonly ended: Promise<number | null>;

  constructor(at: string) {
    this.child = spawn('sqlite3', ['-batch', '-bail', path.join(at, 'bank.db')]);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (text) => {
        this.output += text;
      });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.tell('.timeout 30000\n');
  }

  tell(text: string): void {
    this.child.stdin?.write(text);
  }

  /** All of it, and to its end. */
  async run(text: string): Promise<string> {
    this.child.stdin?.end(text);
    expect([await this.ended, this.output]).toEqual([0, expect.not.stringContaining('rror')]);
    return this.output;
  }
}

/** Two that write and one that reads, at once. */
async function useTogether(at: string): Promise<void> {
  const [a, b, reader] = [new Shell(at), new Shell(at), new Shell(at)];
  const [, , seen] = await Promise.all([
    a.run(transfers('a', TRANSFERS)),
    b.run(transfers('b', TRANSFERS)),
    reader.run(LOOK.repeat(READS)),
  ]);
  const numbers = seen.trim().split('\n').map(Number);
  expect(numbers.length).toBe(3 * READS);
  for (let i = 0; i < numbers.length; i += 3) {
    expect(numbers[i]).toBe(SUM);
    expect(numbers[i + 1]).toBe(numbers[i + 2]);
  }
}

/** Killed within a transaction whose pages have gone to the file already: the next to come rolls it back. */
async function killWriter(at: string): Promise<void> {
  const victim = new Shell(at);
  victim.tell(
    'PRAGMA cache_size=1; BEGIN IMMEDIATE; UPDATE account SET money = 7;\n' +
      "UPDATE log SET pad = hex(randomblob(700)); SELECT 'within';\n",
  );
  while (!victim.output.includes('within') && victim.child.exitCode === null)
    await new Promise((resolve) => victim.child.stdout?.once('data', resolve));
  victim.child.kill('SIGKILL');
  await victim.ended;
  expect(victim.output).toContain('within');
}

const ask = (at: string, question: string) => sh(at, `sqlite3 bank.db '.timeout 30000' "${question}"`);

describe.skipIf(skipMounts).each(KINDS)('%s', (kind) => {
  for (const mode of ['delete', 'wal'])
    itWith(['sqlite3'], `journal_mode=${mode}: two that write and one that reads`, async () => {
      const at = await mounts.mount(kind);
      expect(ask(at, `PRAGMA journal_mode=${mode}; ${SCHEMA}`)).toBe(`${mode}\n`);
      await useTogether(at);
      await killWriter(at);
      const state = `SELECT id, money FROM account; SELECT who, count(*), count(DISTINCT n) FROM log GROUP BY who; PRAGMA integrity_check;`;
      const wanted = `1|${SUM - 2 * TRANSFERS}\n2|${2 * TRANSFERS}\na|${TRANSFERS}|${TRANSFERS}\nb|${TRANSFERS}|${TRANSFERS}\nok\n`;
      expect(ask(at, state)).toBe(wanted);
      // the same by another server, and on the host's own file system
      await mounts.again();
      const copy = mounts.beside();
      sh(at, `cp bank.db* ${copy}/`);
      expect(ask(copy, state)).toBe(wanted);
      expect(ask(copy, '.dump')).toBe(ask(at, '.dump'));
    });
});
