/**
 * Shell text to the shell's tree. The parser is unbash, which reads Bash; what is Bash's alone is
 * refused here, as far as it does not read as something else in POSIX.
 */
import type {
  Command,
  CommandNode,
  CompoundList,
  Assignment as ParsedAssignment,
  ParsedScript,
  PipelineNode,
  Redirection,
  Statement,
  Word as ParsedWord,
} from 'unbash';
import { parse } from '../../vendor/unbash.ts';
import type {
  AndOr,
  Assignment,
  CaseItem,
  FileRedirect,
  List,
  ListItem,
  Node,
  Redirect,
  Word,
} from './ast.ts';
import { Lines, ShellSyntaxError, syntaxError } from './errors.ts';
import { unescaped, withoutTabs, Words } from './words.ts';

type ForNode = Extract<CommandNode, { type: 'For' }>;
type CaseNode = Extract<CommandNode, { type: 'Case' }>;
type IfNode = Extract<CommandNode, { type: 'If' }>;

/** Commands whose `name=value` arguments are read as assignments are. */
const DECLARATIONS = new Set(['export', 'readonly', 'local']);
const OPERATORS = new Set(['>', '>>', '<', '<>', '>|', '>&', '<&']);
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Parsed {
  readonly list: List;
  /** A here-document goes on to the end of the text: more lines would be its. */
  readonly openHere: boolean;
}

/**
 * @param line  of the text's first line
 * @throws ShellSyntaxError
 */
export function parseShell(source: string, line = 1): Parsed {
  const lines = new Lines(source, line);
  const script = parse(source);
  const lowering = new Lowering(lines);
  const list = lowering.script(script);
  return { list, openHere: lowering.openHere };
}

/** A text whose expansions are those of double quotes, as a here-document's. @throws ShellSyntaxError */
export function parseHereText(text: string): Word {
  return new Lowering(new Lines(text, 1)).hereText(text);
}

class Lowering {
  readonly #lines: Lines;
  readonly #words: Words;
  openHere = false;

  constructor(lines: Lines) {
    this.#lines = lines;
    this.#words = new Words(lines, (script, at) => new Lowering(at).script(script));
  }

  hereText(text: string): Word {
    return this.#words.hereText(text, 0);
  }

  script(script: ParsedScript): List {
    const { errors } = script;
    if (errors !== undefined && errors.length > 0) throw syntaxError(errors, this.#lines);
    return this.#list(script.commands);
  }

  #refuse(what: string, pos: number): never {
    throw new ShellSyntaxError(`${what} unexpected`, this.#lines.of(pos));
  }

  #text(node: { pos: number; end: number }): string {
    return this.#lines.source.slice(node.pos, node.end);
  }

  #list(statements: readonly Statement[]): List {
    return { kind: 'list', items: statements.map((each) => this.#item(each)) };
  }

  #item(statement: Statement): ListItem {
    const { command, background = false } = statement;
    const node = command.type === 'AndOr' ? this.#andOr(command) : this.#pipeline(command);
    return { node, background, text: this.#text(command), line: this.#lines.of(statement.pos) };
  }

  #andOr(command: { commands: readonly PipelineNode[]; operators: readonly string[] }): AndOr {
    const [first, ...rest] = command.commands.map((each) => this.#pipeline(each));
    return {
      kind: 'andor',
      first,
      rest: rest.map((node, i) => ({ and: command.operators[i] === '&&', node })),
    };
  }

  #pipeline(node: PipelineNode): Node {
    if (node.type !== 'Pipeline') return this.#command(node);
    const stderr = node.operators.indexOf('|&');
    if (stderr >= 0) this.#refuse('"&"', node.commands[stderr + 1].pos);
    if (node.commands.length === 0) this.#refuse('newline', node.end);
    const commands = node.commands.map((each) => this.#command(each));
    let body: Node =
      commands.length === 1 ? commands[0] : { kind: 'pipeline', commands, text: this.#text(node) };
    for (const prefix of node.prefixes.toReversed()) {
      body = prefix.type === 'Negation' ? { kind: 'not', body } : { kind: 'time', body };
    }
    return body;
  }

  #body(list: CompoundList): List {
    return this.#list(list.commands);
  }

  #command(node: CommandNode): Node {
    switch (node.type) {
      case 'Command':
        return this.#simple(node);
      case 'Redirected':
        return {
          kind: 'redirected',
          body: this.#command(node.command),
          redirects: node.redirects.map((each) => this.#redirect(each)),
          line: this.#lines.of(node.pos),
        };
      case 'Subshell':
        return { kind: 'subshell', body: this.#body(node.body), text: this.#text(node) };
      case 'BraceGroup':
        return this.#body(node.body);
      case 'If':
        return this.#if(node);
      case 'While': {
        const until = node.kind === 'until';
        return { kind: 'while', until, condition: this.#body(node.clause), body: this.#body(node.body) };
      }
      case 'For':
        return this.#for(node);
      case 'Case':
        return this.#case(node);
      case 'Function':
        return this.#function(node);
      case 'TestCommand':
        return this.#refuse('"[["', node.pos);
      case 'ArithmeticCommand':
      case 'ArithmeticFor':
        return this.#refuse('"("', node.pos);
      case 'Select':
        return this.#refuse('"select"', node.pos);
      default:
        return this.#refuse('"coproc"', node.pos);
    }
  }

  #function(node: Extract<CommandNode, { type: 'Function' }>): Node {
    const { name, body } = node;
    if (body.type === 'CompoundList') this.#refuse('word', node.pos);
    if (!NAME.test(name.text)) throw new ShellSyntaxError('Bad function name', this.#lines.of(node.pos));
    return { kind: 'function', name: name.text, body: this.#command(body) };
  }

  #if(node: IfNode): Node {
    let otherwise: Node | undefined = node.else === undefined ? undefined : this.#body(node.else);
    for (const each of node.elif.toReversed()) {
      otherwise = {
        kind: 'if',
        condition: this.#body(each.clause),
        consequent: this.#body(each.then),
        otherwise,
      };
    }
    return { kind: 'if', condition: this.#body(node.clause), consequent: this.#body(node.then), otherwise };
  }

  #for(node: ForNode): Node {
    const line = this.#lines.of(node.pos);
    if (!NAME.test(node.name.text)) throw new ShellSyntaxError('Bad for loop variable', line);
    const words = node.wordlist?.map((each) => this.#words.word(each, 'word'));
    return { kind: 'for', name: node.name.text, words, body: this.#body(node.body), line };
  }

  #case(node: CaseNode): Node {
    const items = node.items.map((item): CaseItem => {
      if (item.terminator === ';;&') this.#refuse('"&"', item.end);
      return {
        patterns: item.pattern.map((each) => this.#words.word(each, 'word')),
        body: this.#body(item.body),
        through: item.terminator === ';&',
      };
    });
    return { kind: 'case', word: this.#words.word(node.word, 'word'), items, line: this.#lines.of(node.pos) };
  }

  #simple(node: Command): Node {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (const each of node.prefix) {
      if (each.type !== 'Assignment') redirects.push(this.#redirect(each));
      else if (words.length > 0 || each.append === true || each.index !== undefined) {
        words.push(this.#assignmentAsWord(each, 'word'));
      } else assignments.push(this.#assignment(each));
    }
    if (node.name !== undefined) words.push(this.#words.word(node.name, 'word'));
    const mode = this.#declares(node) ? 'argument' : 'word';
    for (const each of node.suffix) {
      if (each.type === 'Word') words.push(this.#words.word(each, mode));
      else if (each.type === 'Assignment') words.push(this.#assignmentAsWord(each, mode));
      else redirects.push(this.#redirect(each));
    }
    return { kind: 'simple', assignments, words, redirects, line: this.#lines.of(node.pos) };
  }

  #declares({ name, suffix }: Command): boolean {
    if (name === undefined) return false;
    if (name.text !== 'command') return DECLARATIONS.has(name.text);
    const command = suffix.find((each) => each.type === 'Word' && !each.text.startsWith('-'));
    return command !== undefined && DECLARATIONS.has(this.#text(command));
  }

  #value(node: ParsedAssignment): ParsedWord {
    if (node.value.type === 'ArrayValue') this.#refuse('"("', node.value.pos);
    return node.value;
  }

  #assignment(node: ParsedAssignment): Assignment {
    return { name: node.name, value: this.#words.word(this.#value(node), 'assignment') };
  }

  #assignmentAsWord(node: ParsedAssignment, mode: 'word' | 'argument'): Word {
    const value = this.#value(node);
    return this.#words.prefixed(node.text.slice(0, value.pos - node.pos), value, mode);
  }

  #redirect(node: Redirection): Redirect {
    const { operator, descriptor } = node;
    if (descriptor !== undefined && descriptor.type !== 'FileDescriptor') this.#refuse('"{"', node.pos);
    const input = operator.startsWith('<');
    const fd = descriptor?.value ?? (input ? 0 : 1);
    if (node.type === 'HereDoc') {
      if (node.closing === undefined) this.openHere = true;
      const { quoted = false } = node.delimiter ?? {};
      const { parts, text } = node.body;
      const strip = operator === '<<-';
      if (parts !== undefined && !quoted)
        return { kind: 'here', fd, body: this.#words.hereDocument(parts, strip) };
      const plain = strip ? withoutTabs(text, true) : text;
      return { kind: 'here', fd, body: fixed(quoted ? plain : unescaped(plain)) };
    }
    if (!OPERATORS.has(operator) || node.target === undefined) {
      this.#refuse(operator === '<<<' ? 'redirection' : `"${operator.slice(0, 1)}"`, node.pos);
    }
    const target = this.#words.word(node.target, 'word');
    if (operator.endsWith('&') && target.literal !== undefined && !/^(\d+|-)$/.test(target.literal)) {
      throw new ShellSyntaxError('Bad fd number', this.#lines.of(node.pos));
    }
    return { kind: 'file', fd, operator: operator as FileRedirect['operator'], target };
  }
}

/** A word that is this text. */
function fixed(text: string): Word {
  return { segments: [{ kind: 'text', text, quoted: true }], text, literal: text, assignment: false };
}
