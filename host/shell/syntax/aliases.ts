/** Alias substitution, on the text of complete commands before they are parsed for good. */
import type { Command, SyntaxNode } from 'unbash';
import { forEachChild, parse } from '../../vendor/unbash.ts';

/** Text that an alias has given, in which it and those it came from are not looked for again. */
interface Expansion {
  start: number;
  end: number;
  readonly names: readonly string[];
}

const REPLACEMENTS_MAX = 1000;
const WORD = /[ \t]*([^\s;&|<>()'"\\$`]+)/y;

/** The text with the aliases of its commands in their places. */
export function expandAliases(text: string, aliases: ReadonlyMap<string, string>): string {
  let source = text;
  const expansions: Expansion[] = [];
  // After an alias whose value ends in a blank, the next word is looked at too.
  const extra = new Set<number>();
  for (let count = 0; count < REPLACEMENTS_MAX; count++) {
    const found = candidates(source, extra).find(
      ({ pos, name }) =>
        aliases.has(name) &&
        !expansions.some(({ start, end, names }) => pos >= start && pos < end && names.includes(name)),
    );
    if (found === undefined) return source;
    const { pos, name } = found;
    const value = aliases.get(name) as string;
    const outer = expansions
      .filter(({ start, end }) => pos >= start && pos < end)
      .flatMap(({ names }) => names);
    const grown = value.length - name.length;
    source = source.slice(0, pos) + value + source.slice(pos + name.length);
    for (const each of expansions) {
      if (each.start > pos) each.start += grown;
      if (each.end > pos) each.end += grown;
    }
    const moved = [...extra].filter((each) => each !== pos).map((each) => (each > pos ? each + grown : each));
    extra.clear();
    for (const each of moved) extra.add(each);
    expansions.push({ start: pos, end: pos + value.length, names: [...outer, name] });
    if (/[ \t]$/.test(value)) {
      WORD.lastIndex = pos + value.length;
      const next = WORD.exec(source);
      if (next !== null) extra.add(WORD.lastIndex - next[1].length);
    }
  }
  return source;
}

/** Where aliases may stand, in order: the unquoted names of commands, and `extra` words. */
function candidates(source: string, extra: ReadonlySet<number>): { pos: number; name: string }[] {
  const found: { pos: number; name: string }[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Command') {
      for (const word of words(node)) {
        if (word === node.name || extra.has(word.pos)) found.push({ pos: word.pos, name: word.text });
      }
    }
    forEachChild(node, (child) => {
      // What is in backquotes is parsed as a text of its own, when it is run.
      if (child.type !== 'CommandExpansion' || child.script?.source === undefined) visit(child);
    });
  };
  visit(parse(source));
  return found.sort((a, b) => a.pos - b.pos);
}

function words(command: Command): { pos: number; text: string }[] {
  const { name, suffix } = command;
  const rest = suffix.flatMap((each) => (each.type === 'Word' ? [each] : []));
  return name === undefined ? rest : [name, ...rest];
}
