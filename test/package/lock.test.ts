/**
 * `npm ci` wants an entry for every dependency, those for other platforms included. npm leaves out
 * what the registry at hand does not have, and then the lock file installs nowhere.
 */
import fs from 'node:fs';
import { expect, test } from 'vitest';

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
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!found(packages, path, name)) missing.push(`${name}, of ${path}`);
    }
  }
  expect(missing).toEqual([]);
  expect(Object.keys(packages).length).toBeGreaterThan(100);
});

/** As Node looks for it: beside, then further up. */
function found(packages: Record<string, Locked>, from: string, name: string): boolean {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in packages) return true;
    if (at === '') return false;
  }
}
