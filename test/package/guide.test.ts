/**
 * docs/testing.md in a new project that installs the packed package with vitest, 4 and 5: all of its
 * code runs as it stands there, and type-checks. Then what the guide promises of failing tests, and
 * of speed.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBase, makeProject, pack, root, run, typeCheck } from './consumer.ts';

const base = makeBase();
afterAll(() => fs.rmSync(base, { recursive: true }));

let tarball = '';
beforeAll(() => {
  tarball = pack(base);
}, 60_000);

interface Block {
  language: string;
  /** The name in its first line; undefined without one. */
  file: string | undefined;
  text: string;
}

const guide = fs.readFileSync(join(root, 'docs/testing.md'), 'utf8');
const blocks: Block[] = [...guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  file: /^\/\/ (\S+)\n/.exec(text)?.[1],
  text,
}));
const files = blocks.flatMap(({ file }) => (file === undefined ? [] : [file]));

interface Report {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    startTime: number;
    endTime: number;
    assertionResults: { title: string; status: string; failureMessages: string[] }[];
  }[];
}

/** Run the project's vitest on these files, one after the other. */
function vitest(project: string, ...names: string[]) {
  const out = join(project, 'report.json');
  const { status, stdout, stderr } = run(
    project,
    'node_modules/vitest/vitest.mjs',
    'run',
    '--no-file-parallelism',
    '--reporter=json',
    `--outputFile=${out}`,
    ...names,
  );
  if (!fs.existsSync(out)) throw new Error(`vitest wrote no report\n${stdout}\n${stderr}`);
  const report = JSON.parse(fs.readFileSync(out, 'utf8')) as Report;
  fs.rmSync(out);
  return { status, report, stderr };
}

test('every block of code in the guide is a file that is tested here, or the installation', () => {
  const others = blocks.filter(({ file }) => file === undefined);
  expect(others.map(({ language, text }) => [language, text])).toEqual([
    ['sh', 'npm install --save-dev damselfly vitest\n'],
  ]);
  expect(new Set(files).size).toBe(files.length);
  expect(files.filter((file) => file.endsWith('.test.ts')).length).toBeGreaterThanOrEqual(9);
});

const [major, minor] = process.versions.node.split('.').map(Number);

describe.each([4, 5])('with vitest %i', (version) => {
  const project = join(base, `vitest-${version}`);
  const tooOld = version === 5 && (major < 22 || (major === 22 && minor < 12));
  const reason = `Node ${process.versions.node} is too old for vitest 5`;

  beforeAll(() => {
    makeProject(project, tarball, `vitest@${version}`);
    for (const { file, text } of blocks) if (file !== undefined) fs.writeFileSync(join(project, file), text);
  }, 120_000);

  test('the guide type-checks', () => {
    const sources = files.filter((file) => file.endsWith('.ts'));
    expect(typeCheck(project, sources)).toEqual({ status: 0, stdout: '' });
    // It is no accident that this passes: types reach into tests and their options.
    fs.writeFileSync(
      join(project, 'wrong.ts'),
      `import { test } from 'damselfly/vitest';
       test.override({ machineOptions: { ram: '16m' } });
       test('', ({ fs }) => { const text: string = fs.readFileSync('/etc/passwd'); });`,
    );
    const { stdout } = typeCheck(project, ['wrong.ts']);
    expect(stdout).toContain('wrong.ts(2,');
    expect(stdout).toContain('wrong.ts(3,');
  }, 60_000);

  test('its tests pass', ({ skip }) => {
    skip(tooOld, reason);
    const { status, report, stderr } = vitest(project);
    expect(stderr).toBe('');
    const failed = report.testResults.flatMap((file) =>
      file.assertionResults.filter((result) => result.status !== 'passed'),
    );
    expect(failed).toEqual([]);
    expect(status).toBe(0);
    const ran = report.testResults.map(({ name }) => name.slice(project.length + 1)).sort();
    expect(ran).toEqual(files.filter((file) => file.endsWith('.test.ts')).sort());
  }, 120_000);

  test('tests that leave files open fail and say which; a failed one has its own error only', ({ skip }) => {
    skip(tooOld, reason);
    fs.copyFileSync(join(import.meta.dirname, 'program/leaves.ts'), join(project, 'leaves.test.ts'));
    const { status, report } = vitest(project, 'leaves.test.ts');
    fs.rmSync(join(project, 'leaves.test.ts'));
    expect(status).not.toBe(0);
    const results = report.testResults[0].assertionResults;
    for (const { title, failureMessages } of results) {
      const wanted = /^fails with (.*)$/.exec(title)?.[1];
      const messages = failureMessages.map((text) => text.split('\n    at ')[0].replaceAll(/\n\s*/g, ' '));
      // vitest reports what a fixture throws in its end twice
      expect([...new Set(messages)], title).toEqual(
        wanted === undefined ? [] : [expect.stringContaining(wanted)],
      );
    }
    expect(results.filter(({ status }) => status === 'failed')).toHaveLength(4);
  }, 60_000);
});

test('the example without vitest', () => {
  const { status, stdout } = run(join(base, 'vitest-4'), '--test', 'runner.mjs');
  expect(stdout).toMatch(/^(#|ℹ) pass 2$/m);
  expect(status).toBe(0);
}, 30_000);

const LIMIT_MS = 10_000;

test('1,000 machines take at most 10 s more than as many of memfs', ({ annotate }) => {
  const project = join(base, 'vitest-4');
  fs.symlinkSync(join(root, 'node_modules/memfs'), join(project, 'node_modules/memfs'));
  const source = fs.readFileSync(join(import.meta.dirname, 'program/many.ts'), 'utf8');
  const memfs = source.replace(/^import \{ test \} .*$/m, () =>
    [
      "import { memfs } from 'memfs';",
      "import { test as base } from 'vitest';",
      "const test = base.extend('fs', () => memfs({ '/tmp': null }).fs);",
    ].join('\n'),
  );
  expect(memfs).toContain("'memfs'");
  fs.writeFileSync(join(project, 'many-machines.test.ts'), source);
  fs.writeFileSync(join(project, 'many-memfs.test.ts'), memfs);
  const { status, report } = vitest(project, 'many-');
  expect(report.numPassedTests).toBe(2000);
  expect(status).toBe(0);
  const took = (name: string) => {
    const file = report.testResults.find((result) => result.name.includes(name));
    return (file?.endTime ?? Number.NaN) - (file?.startTime ?? Number.NaN);
  };
  const [machines, volumes] = [took('many-machines'), took('many-memfs')];
  void annotate(`machines ${Math.round(machines)} ms, memfs ${Math.round(volumes)} ms`);
  expect(machines - volumes).toBeLessThan(LIMIT_MS);
}, 120_000);
