/**
 * Puts the libraries that we use a small part of into the built package: each file of
 * build/dist/host/vendor becomes one with its libraries inside, and their licences beside
 * it. Who installs the package installs none of them. And takes the comments out of our own code.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { minifySync } from 'rolldown/utils';

const VENDOR = resolve('build/dist/host/vendor');
/** Parts of the libraries that are never reached, and would be large. */
const LEFT_OUT = /^(node:zlib|turndown|fs)$/;

/** The package that a module is of: its directory. */
function packageOf(file) {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if (!directory.includes('node_modules')) return undefined;
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name) return directory;
  }
}

/** What a package has inside it already: its dependencies, where they are installed. */
function inside(directory) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  return Object.keys(dependencies)
    .filter((name) => !LEFT_OUT.test(name))
    .map((name) =>
      [join(directory, 'node_modules', name), resolve('node_modules', name)].find((path) => existsSync(path)),
    )
    .filter((path) => path !== undefined);
}

function notice(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}

/** Comments are for the sources; in what is installed they would be a seventh of our code. */
function withoutComments(file) {
  const { code, errors } = minifySync(file, readFileSync(file, 'utf8'), {
    compress: false,
    mangle: false,
    codegen: { removeWhitespace: false },
  });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  writeFileSync(file, code);
}

for (const file of readdirSync('build/dist', { recursive: true })) {
  const path = resolve('build/dist', file);
  if (path.endsWith('.js') && dirname(path) !== VENDOR) withoutComments(path);
}

const packages = new Set();
for (const file of readdirSync(VENDOR).filter((name) => name.endsWith('.js'))) {
  const input = join(VENDOR, file);
  const bundle = await rolldown({
    input,
    platform: 'browser',
    // What Node has itself must not be needed: the same file runs in a page.
    plugins: [
      {
        name: 'left-out',
        resolveId: (id) => (LEFT_OUT.test(id) ? { id: `\0${id}`, external: false } : undefined),
        load: (id) =>
          id.startsWith('\0') && LEFT_OUT.test(id.slice(1))
            ? 'export default undefined; export const gunzipSync = undefined, gzipSync = undefined, constants = undefined;'
            : undefined,
      },
    ],
    onLog: () => {},
  });
  const { output } = await bundle.generate({ format: 'es', minify: true, codeSplitting: false });
  if (output.length !== 1) throw new Error(`${file}: one file was to be made, not ${output.length}`);
  for (const id of output[0].moduleIds) {
    const directory = packageOf(id);
    if (directory === undefined || packages.has(directory)) continue;
    packages.add(directory);
    // This one comes as a bundle itself.
    if (directory.endsWith('just-bash')) for (const path of inside(directory)) packages.add(path);
  }
  const outside = output[0].imports.filter((name) => !name.startsWith('.'));
  if (outside.length > 0) throw new Error(`${file} still imports ${outside.join(', ')}`);
  writeFileSync(input, output[0].code);
}
const rule = `\n\n${'─'.repeat(80)}\n\n`;
writeFileSync(
  join(VENDOR, 'LICENSES.txt'),
  `The files beside this one contain these libraries:\n\n${[...packages].sort().map(notice).join(rule)}\n`,
);
