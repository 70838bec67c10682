/**
 * After vitest's own report: each suite's tests and time, what was skipped and why, what failed (last, so
 * that a log's tail has it), and the sum, which also goes to build/test-summary for .ci/run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

interface Suite {
  passed: number;
  failed: number;
  skipped: number;
  ms: number;
}

const SUMMARY = fileURLToPath(new URL('../build/test-summary', import.meta.url));
/** Skipped tests are named one by one up to this many for each reason. */
const NAMED = 5;
/** Characters of an error's first line. */
const LINE = 300;

export default class SuiteReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const suites = new Map<string, Suite>();
    const skipped = new Map<string, string[]>();
    for (const module of modules) {
      const suite = suites.get(suiteOf(module)) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
      suites.set(suiteOf(module), suite);
      const { duration, collectDuration, setupDuration } = module.diagnostic();
      suite.ms += duration + collectDuration + setupDuration;
      count(module, suite, skipped);
    }
    print(suites, skipped);
    printFailures(modules, errors);
    let passed = 0;
    let failed = errors.length;
    for (const suite of suites.values()) {
      passed += suite.passed;
      failed += suite.failed;
    }
    mkdirSync(fileURLToPath(new URL('.', `file://${SUMMARY}`)), { recursive: true });
    writeFileSync(SUMMARY, `${passed} passed, ${failed} failed\n`);
  }
}

function count(module: TestModule, suite: Suite, skipped: Map<string, string[]>): void {
  let tests = 0;
  for (const test of module.children.allTests()) {
    tests++;
    const result = test.result();
    if (result.state === 'passed') suite.passed++;
    else if (result.state === 'failed') suite.failed++;
    else {
      suite.skipped++;
      const reason = (result.state === 'skipped' && result.note) || reasonInName(test) || 'no reason given';
      const names = skipped.get(reason) ?? [];
      skipped.set(reason, [...names, nameOf(test)]);
    }
  }
  // A file that cannot be loaded has no tests, and a file's own hooks fail for all of it.
  if (module.state() === 'failed' && (tests === 0 || module.errors().length > 0)) suite.failed++;
}

/** A table's tests carry what keeps them from being run at the end of their names, in brackets. */
function reasonInName({ name }: TestCase): string | undefined {
  return /\[([^\]]+)\]$/.exec(name)?.[1];
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId}: ${test.fullName}`;
}

/** The directory of a test file below test/, with its project. */
function suiteOf(module: TestModule): string {
  const directory = module.relativeModuleId.replace(/^test\//, '').replace(/\/[^/]*$/, '');
  return module.project.name ? `${directory} (${module.project.name})` : directory;
}

function print(suites: Map<string, Suite>, skipped: Map<string, string[]>): void {
  const width = Math.max(0, ...[...suites.keys()].map(({ length }) => length));
  for (const [name, { passed, failed, skipped, ms }] of [...suites].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const time = `${(ms / 1000).toFixed(1)} s`;
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    console.log(`  ${name.padEnd(width)}  ${time.padStart(8)}  ${counts}`);
  }
  for (const [reason, names] of skipped) {
    console.log(`  skipped (${reason}):`);
    for (const name of names.slice(0, NAMED)) console.log(`    ${name}`);
    if (names.length > NAMED) console.log(`    and ${names.length - NAMED} more`);
  }
}

/** The failed tests, each with the first line of its errors. */
function printFailures(modules: readonly TestModule[], errors: readonly unknown[]): void {
  for (const module of modules) {
    for (const { message } of module.errors()) printFailure(module.relativeModuleId, message);
    for (const test of module.children.allTests('failed')) {
      for (const { message } of test.result().errors ?? []) printFailure(nameOf(test), message);
    }
  }
  for (const error of errors) printFailure('outside the tests', String((error as Error)?.message ?? error));
}

function printFailure(where: string, message: string): void {
  console.log(`  failed: ${where}`);
  console.log(`    ${(message.split('\n')[0] ?? '').slice(0, LINE)}`);
}
