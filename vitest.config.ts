import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // The package's import map leads to the built files; tests run on the sources. ("#kernels"
    // does name the built one, which knows where the modules are.)
    alias: { '#platform': fileURLToPath(new URL('./host/platform/node.ts', import.meta.url)) },
  },
});
