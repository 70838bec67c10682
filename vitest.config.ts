import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // The package's own import map leads to the built files; tests run on the sources.
    alias: { '#platform': fileURLToPath(new URL('./host/platform/node.ts', import.meta.url)) },
  },
});
