/** Every command is there, answers --help, and refuses what it does not know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands } from '../../host/commands/index.ts';
import { boot, type Machine } from '../../host/index.ts';
import { filters } from '../../host/commands/filters.ts';
import { Userland } from '../../host/programs/userland.ts';
import { repositoryRoot } from '../oracle/root.ts';

let machine: Machine;
let userland: Userland;

beforeAll(async () => {
  machine = await boot({ flavour: 'up-debug' });
  userland = new Userland(machine, new Map(Object.entries(commands)));
});

afterAll(() => machine.shutdown());

/** Their words are data, whatever they look like. */
const NO_OPTIONS = ['test', 'true', 'false', 'echo', 'printf', 'expr'];
/** What they are called by their own. */
const CALLED: Readonly<Record<string, string>> = { '[': 'test', egrep: 'grep', fgrep: 'grep' };
/** Tells what it can do after "]" only. */
const HELPLESS = ['test', 'true', 'false'];

const docs = readFileSync(join(repositoryRoot, 'docs/commands.md'), 'utf8');

for (const [name, { summary }] of Object.entries(commands)) {
  const hasHelp = !HELPLESS.includes(name);
  it(`${name} ${hasHelp ? '' : 'without '}--help`, async () => {
    const { code, stdout, stderr } = await userland.run([name, '--help']);
    if (!hasHelp) {
      expect({ code, stdout, stderr }).toEqual({ code: name === 'false' ? 1 : 0, stdout: '', stderr: '' });
      return;
    }
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: ${CALLED[name] ?? name}`);
    expect(stdout.split('\n').length).toBeGreaterThan(3);
    expect(summary).not.toMatch(/\.$/);
    // What is said of it in the table is what it says itself.
    const isOurs = filters[name] === undefined && !['[', 'printf'].includes(name);
    if (isOurs) expect(stdout.replace(/\s+/g, ' ').toLowerCase()).toContain(summary.toLowerCase());
  });

  it(`${name} is in the docs`, () => {
    expect(docs).toContain(`| \`${name}\` | ${summary} |`);
  });

  if (NO_OPTIONS.includes(name)) continue;
  it(`${name} --no-such-option`, async () => {
    const argv = name === '[' ? ['[', '--no-such-option', 'x', ']'] : [name, '--no-such-option'];
    const { code, stderr } = await userland.run(argv);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(new RegExp(`^${name === '[' ? '\\[' : (CALLED[name] ?? name)}: `));
  });
}
