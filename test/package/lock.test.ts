/**
 * `npm ci` wants an entry for every dependency, those for other platforms included. npm leaves out
 * what the registry at hand does not have, and then the lock file installs nowhere.
 */
import fs from 'node:fs';
import { expect, test } from 'vitest';

/** Packages for one platform are wanted in one version. */
const EXACT = /^\d+\.\d+\.\d+$/;

interface Locked {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

test('package-lock.json is complete', () => {
  const file = new URL('../../package-lock.json', import.meta.url);
  const { packages } = JSON.parse(fs.readFileSync(file, 'utf8')) as { packages: Record<string, Locked> };
  const missing: string[] = [];
  for (const [path, { dependencies, optionalDependencies }] of Object.entries(packages)) {
    for (const [name, wanted] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      const there = found(packages, path, name);
      if (there === undefined) missing.push(`${name}, of ${path}`);
      else if (EXACT.test(wanted) && there.version !== wanted) {
        missing.push(`${name} ${wanted}, of ${path}: ${there.version} is there`);
      }
    }
  }
  expect(missing).toEqual([]);
  expect(Object.keys(packages).length).toBeGreaterThan(100);
});

/** As Node looks for it: beside, then further up. */
function found(packages: Record<string, Locked>, from: string, name: string): Locked | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const there = packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`];
    if (there !== undefined || at === '') return there;
  }
}
