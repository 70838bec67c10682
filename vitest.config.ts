import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The package's import map leads to the built files; tests run on the sources. ("#kernels" does
// name the built one, which knows where the modules are.)
const platform = (name: string) => ({
  alias: { '#platform': fileURLToPath(new URL(`./host/platform/${name}.ts`, import.meta.url)) },
});

// Generous, for a machine with few cores that is busy: a hang is what this is to end.
const limits = { testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ['default', fileURLToPath(new URL('./test/reporter.ts', import.meta.url))],
    projects: [
      {
        resolve: platform('node'),
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          ...limits,
          // The built package is loaded by Node itself, as its users' copies are.
          server: { deps: { external: [/\/build\/dist\//] } },
        },
      },
      // The host's own parts again, on what stands in for Node's modules elsewhere.
      { resolve: platform('web'), test: { name: 'web', include: ['test/unit/host/*.test.ts'], ...limits } },
    ],
  },
});
