/** echo and printf. */
import { atWork } from './lib/command.ts';
import { unescapeText } from './lib/escapes.ts';
import type { Program } from '../programs/program.ts';

/** echo takes its words as they are; -n, -e and -E stand before them. */
export const echo: Program = (context) =>
  atWork(context, async (tool) => {
    const words = context.argv.slice(1);
    if (words.length === 1 && words[0] === '--help') {
      await tool.out(HELP);
      return 0;
    }
    let newline = true;
    let escapes = false;
    while (/^-[neE]+$/.test(words[0] ?? '')) {
      for (const letter of words.shift() as string) {
        if (letter === 'n') newline = false;
        else if (letter !== '-') escapes = letter === 'e';
      }
    }
    const text = words.join(' ');
    const { bytes, stopped } = escapes ? unescapeText(text, true) : { bytes: text, stopped: false };
    await tool.out(bytes);
    if (newline && !stopped) await tool.out('\n');
    return 0;
  });

const HELP = `Usage: echo [SHORT-OPTION]... [STRING]...
Display a line of text.

  -n                         do not output the trailing newline
  -e                         interpret backslash escapes
  -E                         do not interpret backslash escapes (default)
      --help                 display this help and exit
`;
