/**
 * The package as its users get it: built, and loaded by Node itself. (Tests of the host run on its
 * sources, which vi.mock would reach too.)
 */
const built = new URL('../../../build/dist/host/testing/vitest.js', import.meta.url).href;

export const { test, mockFs, mockFsPromises } = (await import(
  /* @vite-ignore */ built
)) as typeof import('../../../host/testing/vitest.ts');
