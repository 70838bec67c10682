/** md5sum, sha1sum, sha224sum, sha256sum, sha384sum, sha512sum. */
import type { Program } from '../programs/program.ts';
import { bytesToHex, md5, sha1, sha224, sha256, sha384, sha512 } from '../vendor/hashes.ts';
import { command, type Tool } from './lib/command.ts';
import { strerror } from './lib/errors.ts';
import { quotedIfNeeded } from './lib/quote.ts';
import type { OptionValues } from './lib/options.ts';

interface Hash {
  update(data: Uint8Array): Hash;
  digest(): Uint8Array;
}

interface Algorithm {
  readonly outputLen: number;
  create(): Hash;
}

const options = {
  binary: { short: 'b', about: 'read in binary mode' },
  check: { short: 'c', about: 'read checksums from the FILEs and check them' },
  tag: { about: 'create a BSD-style checksum' },
  text: { short: 't', about: 'read in text mode (default)' },
  zero: { short: 'z', about: 'end each output line with NUL, not newline, and disable file name escaping' },
  'ignore-missing': { about: "don't fail or report status for missing files" },
  quiet: { about: "don't print OK for each successfully verified file" },
  status: { about: "don't output anything, status code shows success" },
  strict: { about: 'exit non-zero for improperly formatted checksum lines' },
  warn: { short: 'w', about: 'warn about improperly formatted checksum lines' },
} as const;

type Given = OptionValues<typeof options>;

async function sumOf(tool: Tool, path: string, algorithm: Algorithm): Promise<string> {
  return tool.reading(path, async (input) => {
    const hash = algorithm.create();
    for await (const chunk of input) {
      hash.update(chunk);
      await tool.moved(chunk.length);
    }
    return bytesToHex(hash.digest());
  });
}

/** Names with newlines or backslashes are written with escapes, and the line begins with one. */
function escapeName(name: string): { name: string; mark: string } {
  if (!/[\\\n\r]/.test(name)) return { name, mark: '' };
  return { name: name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r'), mark: '\\' };
}

const unescapeName = (name: string) =>
  name.replace(/\\([\\nr])/g, (_, c) => (c === 'n' ? '\n' : c === 'r' ? '\r' : '\\'));

/** A line of a list: digest and name; undefined if it is none. */
function parseLine(line: string, tag: string, length: number): { digest: string; name: string } | undefined {
  const hex = `[0-9a-fA-F]{${length * 2}}`;
  const plain = new RegExp(`^(\\\\?)(${hex}) [ *]([\\s\\S]+)$`).exec(line);
  if (plain) return { digest: plain[2].toLowerCase(), name: plain[1] ? unescapeName(plain[3]) : plain[3] };
  const bsd = new RegExp(`^(\\\\?)${tag} ?\\(([\\s\\S]+)\\) ?= (${hex})$`).exec(line);
  if (bsd) return { digest: bsd[3].toLowerCase(), name: bsd[1] ? unescapeName(bsd[2]) : bsd[2] };
  return undefined;
}

interface Tally {
  bad: number;
  mismatched: number;
  unreadable: number;
  checked: number;
  matched: number;
}

async function checkLine(
  tool: Tool,
  entry: { digest: string; name: string },
  algorithm: Algorithm,
  given: Given,
  tally: Tally,
): Promise<void> {
  const shown = escapeName(entry.name);
  let digest: string;
  try {
    digest = await sumOf(tool, entry.name, algorithm);
  } catch (error) {
    const text = strerror(error);
    if (given['ignore-missing'] && text === 'No such file or directory') return;
    tally.unreadable++;
    await tool.say(`${quotedIfNeeded(entry.name)}: ${text}`);
    if (!given.status) await tool.out(`${shown.mark}${shown.name}: FAILED open or read\n`);
    return;
  }
  tally.checked++;
  if (digest === entry.digest) {
    tally.matched++;
    if (!given.quiet && !given.status) await tool.out(`${shown.mark}${shown.name}: OK\n`);
  } else {
    tally.mismatched++;
    if (!given.status) await tool.out(`${shown.mark}${shown.name}: FAILED\n`);
  }
}

async function checkList(
  tool: Tool,
  list: string,
  tag: string,
  algorithm: Algorithm,
  given: Given,
): Promise<void> {
  const tally: Tally = { bad: 0, mismatched: 0, unreadable: 0, checked: 0, matched: 0 };
  const shown = list === '-' ? "'standard input'" : quotedIfNeeded(list);
  let number = 0;
  let proper = 0;
  await tool.reading(list, async (input) => {
    for await (const line of input.lines()) {
      number++;
      if (line.startsWith('#')) continue;
      const entry = parseLine(line, tag, algorithm.outputLen);
      if (entry === undefined) {
        tally.bad++;
        if (given.warn) await tool.say(`${shown}: ${number}: improperly formatted ${tag} checksum line`);
        continue;
      }
      proper++;
      await checkLine(tool, entry, algorithm, given, tally);
    }
  });
  await verdict(tool, shown, proper, tally, given);
}

async function verdict(tool: Tool, shown: string, proper: number, tally: Tally, given: Given): Promise<void> {
  const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);
  if (proper === 0) {
    await tool.warn(`${shown}: no properly formatted checksum lines found`);
    return;
  }
  if (!given.status) {
    const { bad, unreadable, mismatched } = tally;
    if (bad > 0)
      await tool.say(`WARNING: ${bad} ${plural(bad, 'line is', 'lines are')} improperly formatted`);
    if (unreadable > 0)
      await tool.say(
        `WARNING: ${unreadable} listed ${plural(unreadable, 'file', 'files')} could not be read`,
      );
    if (mismatched > 0)
      await tool.say(
        `WARNING: ${mismatched} computed ${plural(mismatched, 'checksum', 'checksums')} did NOT match`,
      );
    if (given['ignore-missing'] && tally.matched === 0) await tool.say(`${shown}: no file was verified`);
  }
  const isStrict = given.strict && tally.bad > 0;
  const nothing = given['ignore-missing'] && tally.matched === 0;
  if (tally.mismatched > 0 || tally.unreadable > 0 || isStrict || nothing) tool.status = 1;
}

function sumCommand(tag: string, algorithm: Algorithm): Program {
  return command(
    {
      summary: `print or check ${tag} checksums`,
      usage: ['[OPTION]... [FILE]...'],
      options,
      details: ['With no FILE, or when FILE is -, read standard input.'],
    },
    async (tool, { options: given, operands }) => {
      const end = given.zero ? '\0' : '\n';
      for (const file of operands.length === 0 ? ['-'] : operands) {
        try {
          if (given.check) {
            await checkList(tool, file, tag, algorithm, given);
            continue;
          }
          const digest = await sumOf(tool, file, algorithm);
          const { name, mark } = given.zero ? { name: file, mark: '' } : escapeName(file);
          const line = given.tag
            ? `${tag} (${name}) = ${digest}`
            : `${digest} ${given.binary ? '*' : ' '}${name}`;
          await tool.out(mark + line + end);
        } catch (error) {
          await tool.failed(quotedIfNeeded(file), error);
        }
      }
      return undefined;
    },
  );
}

export const md5sum = sumCommand('MD5', md5);
export const sha1sum = sumCommand('SHA1', sha1);
export const sha224sum = sumCommand('SHA224', sha224);
export const sha256sum = sumCommand('SHA256', sha256);
export const sha384sum = sumCommand('SHA384', sha384);
export const sha512sum = sumCommand('SHA512', sha512);
