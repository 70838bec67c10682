/** The rules of the house that a program can check, held to by every source file. */
import { describe, expect, it } from 'vitest';
import { code, constants, functions, imports, type Source, sources } from './sources.ts';

const FILE_LINES = 650;
/** Some sixty is the aim; this is where it ends. */
const FUNCTION_LINES = 80;

const kernel = sources('assembly');
const abi = kernel.filter(({ path }) => path.startsWith('assembly/abi/'));
const kernelCode = kernel.filter(({ path }) => !path.startsWith('assembly/abi/'));
const host = sources('host');
const tests = sources('test');
const all = [...kernel, ...host, ...tests];

/** Where a pattern stands in the code of these files: 'path:line text'. */
function places(files: Source[], pattern: RegExp, text: (source: Source) => string = code): string[] {
  return files.flatMap((source) =>
    text(source)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${source.path}:${i + 1} ${line.trim()}`] : [])),
  );
}

describe('size', () => {
  it(`no file is longer than ${FILE_LINES} lines`, () => {
    expect(
      all
        .filter(({ lines }) => lines.length > FILE_LINES)
        .map(({ path, lines }) => `${path}: ${lines.length}`),
    ).toEqual([]);
  });

  it(`no function is longer than ${FUNCTION_LINES} lines of its own`, () => {
    const spans = [...kernelCode, ...host].flatMap((source) =>
      functions(source).map(({ name, line, length }) => ({
        at: `${source.path}:${line} ${name}: ${length}`,
        length,
      })),
    );
    // the parser finds them at all
    expect(spans.length).toBeGreaterThan(1000);
    expect(spans.filter(({ length }) => length > FUNCTION_LINES).map(({ at }) => at)).toEqual([]);
  });
});

describe('layers of the kernel', () => {
  const ORDER = ['abi', 'kern', 'vm', 'proc', 'vfs', 'dev', 'fs', 'sys', 'index', 'testing'];
  const layer = (path: string) => ORDER.indexOf(path.split('/')[1].replace(/\.ts$/, ''));

  it('every file is in one', () => {
    expect(kernel.filter(({ path }) => layer(path) < 0).map(({ path }) => path)).toEqual([]);
  });

  it('import only downwards', () => {
    const upwards = kernel.flatMap((source) =>
      imports(source)
        .filter((to) => layer(to) > layer(source.path))
        .map((to) => `${source.path} imports ${to}`),
    );
    expect(upwards).toEqual([]);
  });

  it('the exports file exports, and does nothing else', () => {
    const index = kernel.find(({ path }) => path === 'assembly/index.ts');
    expect(
      index &&
        code(index)
          .replace(/export \{[^}]*\} from '[^']*';/g, '')
          .trim(),
    ).toBe('');
  });
});

describe('the kernel’s language', () => {
  it('allocates no objects: no new, no array literals, no closures, no exceptions', () => {
    expect(places(kernelCode, /\bnew\s|\bthrow\b|\btry\s*\{|\bcatch\b/)).toEqual([]);
    expect(places(kernelCode, /[=(,]\s*\[(?!\s*\])/)).toEqual([]);
    // an arrow that is not the arrow of a function's type
    expect(places(kernelCode, /=>\s*[{(]|=>\s*\w+\s*[(+*/-]/)).toEqual([]);
  });

  it('classes are unmanaged', () => {
    const managed = kernelCode.flatMap(({ path, lines }) =>
      lines.flatMap((line, i) =>
        /^(export )?class /.test(line) && lines[i - 1] !== '@unmanaged' ? [`${path}:${i + 1} ${line}`] : [],
      ),
    );
    expect(managed).toEqual([]);
  });

  it('strings are literals: none is made, joined or looked into', () => {
    expect(places(kernelCode, /'\s*'\s*\+|\+\s*'\s*'|^\s*(let|const) \w+(: string)? = '/)).toEqual([]);
    expect(
      places(kernelCode, /\w\[[^\]]+\]/, (source) => code(source).replace(/load<[^>]*>|store<[^>]*>/g, '')),
    ).toEqual([]);
  });

  it('mutable globals are the CPU’s registers, all in kern/cpu.ts', () => {
    const globals = places(kernelCode, /^(export )?(let|var) /);
    expect(
      globals.map((place) =>
        place
          .replace(/:\d+ /, ' ')
          .replace(/ = .*| : .*/, '')
          .replace(/: .*/, ''),
      ),
    ).toEqual([
      'assembly/kern/cpu.ts export let curcpu',
      'assembly/kern/cpu.ts export let curprocp',
      'assembly/kern/cpu.ts export let curcredp',
      'assembly/kern/cpu.ts export let curalone',
    ]);
  });

  it('operations are called through their wrappers: call_indirect stands only in typed wrappers', () => {
    const allowed = kernelCode
      .filter((source) => /\bcall_indirect\b/.test(code(source)))
      .map(({ path }) => path)
      .filter((path) => path.startsWith('assembly/fs/'));
    expect(allowed).toEqual([]);
  });
});

describe('numbers are typed once', () => {
  const shared = new Map(abi.flatMap((source) => [...constants(source)]));

  it('no constant of the ABI is declared again', () => {
    expect(shared.size).toBeGreaterThan(300);
    const declared = [...kernelCode, ...host].flatMap((source) =>
      [...code(source).matchAll(/\b(?:const|let) (\w+)(?:: \w+)? = (?:0[xo])?\d/g)]
        .filter((match) => shared.has(match[1]))
        .map((match) => `${source.path} ${match[1]}`),
    );
    expect(declared).toEqual([]);
  });

  it('no name has two values in the ABI', () => {
    const names = abi.flatMap((source) => [...constants(source).keys()]);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('no errno is a bare number', () => {
    // -1 is what says "none" where an index or an offset is returned
    expect(places(kernelCode, /return -(?!1\b)\d+\b/)).toEqual([]);
  });

  it('no file type or mode mask is a bare number', () => {
    expect(places(kernelCode, /\b0o\d{5,}\b/)).toEqual([]);
  });
});

describe('comments', () => {
  it('a file begins by saying what it is for', () => {
    const silent = [...kernel, ...host].filter(({ lines }) => {
      const first = lines.findIndex((line) => line.trim() !== '' && !/^(import\b|\s|\})/.test(line));
      return !/^(\/\*\*|\/\/|#!)/.test(lines[0]) && !lines[first]?.startsWith('/**');
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('no work is left as a note', () => {
    const marks = new RegExp(
      `\\b(${['TO', 'FIX', 'X'].map((mark, i) => mark + ['DO', 'ME', 'XX'][i]).join('|')})\\b`,
    );
    expect(places(all, marks, ({ text }) => text)).toEqual([]);
  });
});

describe('TypeScript', () => {
  it('is strict everywhere: no any, no ignored error but asc’s decorators', () => {
    expect(places([...host, ...tests], /(:|\bas|<) ?any\b(?! number)/)).toEqual([]);
    expect(
      places(all, /@ts-(ignore|nocheck)(?!: decorator$)/, ({ text }) => text).filter(
        (place) => !place.startsWith('test/tidy/'),
      ),
    ).toEqual([]);
    expect(places(host, /@ts-/, ({ text }) => text)).toEqual([]);
  });

  it('imports name their files', () => {
    expect(places([...host, ...tests], /\bfrom '\.[^']*\/[^'./]+'/, ({ text }) => text)).toEqual([]);
  });
});
