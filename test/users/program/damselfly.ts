/**
 * The package as its users get it: built, and loaded by Node itself. (Tests of the host run on its
 * sources, which vi.mock would reach too.)
 */
const built = new URL('../../../build/dist/host/index.js', import.meta.url).href;
const { bootSync } = (await import(/* @vite-ignore */ built)) as typeof import('../../../host/index.ts');

export const machine = bootSync({ flavour: 'up-debug', ram: 16 << 20 });
