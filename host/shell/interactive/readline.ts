/**
 * Line editing by Node's readline on a terminal of the machine. The terminal is raw while a line is
 * edited and as it was while commands run; it is read a byte at a time, so that what was typed
 * ahead is left for them.
 */
import type * as NodeReadline from 'node:readline';
import { SIGWINCH } from '../../../assembly/abi/signals.ts';
import { Buffer, Readable, Writable } from '#platform';
import { inColumns } from '../../commands/lib/columns.ts';
import type { Shell } from '../shell.ts';
import { getAttributes, rawAttributes, setAttributes, windowColumns } from '../terminal.ts';
import type { Completion, EditedLine, EditorContext, LineEditor } from './editor.ts';
import { type Edited, HistorySearch, SEARCH_KEY } from './search.ts';

export function readlineEditor(readline: typeof NodeReadline, context: EditorContext): LineEditor {
  const { shell, fd } = context;
  const input = new Readable({ read() {} });
  return {
    async line(prompt) {
      const before = getAttributes(shell.process, fd);
      if (before !== undefined) setAttributes(shell.process, fd, rawAttributes(before));
      try {
        return await new Edit(readline, context, input, prompt).done();
      } finally {
        if (before !== undefined) setAttributes(shell.process, fd, before);
      }
    },
  };
}

/** One line's editing. */
class Edit {
  readonly #shell: Shell;
  readonly #fd: number;
  readonly #input: InstanceType<typeof Readable>;
  readonly #interface: NodeReadline.Interface;
  readonly #history: readonly string[];
  readonly #prompt: string;
  readonly #output: TerminalOutput;
  #result: { line: EditedLine } | undefined;
  /** What could not be completed further at the last Tab: the next one lists it. */
  #ambiguous: string | undefined;

  constructor(
    readline: typeof NodeReadline,
    { shell, fd, history, complete }: EditorContext,
    input: InstanceType<typeof Readable>,
    prompt: string,
  ) {
    this.#shell = shell;
    this.#fd = fd;
    this.#input = input;
    this.#history = history;
    this.#prompt = prompt;
    this.#output = terminalOutput(shell, fd);
    const edited = readline.createInterface({
      input,
      output: this.#output,
      terminal: true,
      prompt,
      history: [...history].reverse(),
      historySize: history.length + 1,
      tabSize: 8,
      completer: (line: string) => this.#complete(line, complete(line)),
    });
    this.#interface = edited;
    edited.on('line', (text) => this.#end({ text }));
    edited.on('SIGINT', () => {
      if (!shell.traps.typedInterrupt()) return;
      shell.writeNow(2, '^C\r\n');
      this.#end('interrupted');
    });
    edited.on('close', () => this.#end(undefined));
  }

  /** What readline is to insert. What it would list itself, by whole paths, is listed here. */
  #complete(line: string, { candidates, replaced, shown }: Completion): [string[], string] {
    const again = this.#ambiguous === line;
    this.#ambiguous = undefined;
    if (candidates.length < 2) return [[...candidates], replaced];
    const common = commonStart(candidates);
    if (common.length > replaced.length || !replaced.startsWith(common)) return [[common], replaced];
    if (!again) {
      this.#ambiguous = line;
      this.#output.write('\x07');
      return [[], replaced];
    }
    const cells = shown.map((name) => ({ text: shownName(name), width: shownName(name).length }));
    this.#output.write(
      `\r\n${inColumns(cells, this.#output.columns, false, false).replaceAll('\n', '\r\n')}`,
    );
    // The line is drawn anew below the list, and not over it.
    Object.assign(this.#interface, { prevRows: 0 });
    this.#interface.prompt(true);
    return [[], replaced];
  }

  #end(line: EditedLine): void {
    this.#result ??= { line };
  }

  /** Its line may be set, as Node's own REPL does it. */
  get #edited(): Edited {
    return this.#interface as unknown as Edited;
  }

  async done(): Promise<EditedLine> {
    const shell = this.#shell;
    const one = new Uint8Array(1);
    let search: HistorySearch | undefined;
    const winch = !shell.state.traps.has(SIGWINCH);
    if (winch) shell.context.onSignal(SIGWINCH, () => this.#output.emit('resize'));
    this.#interface.prompt();
    try {
      while (this.#result === undefined) {
        const count = await shell.retry(() => shell.data.readLater(this.#fd, one, 0, 1, -1));
        if (count === 0) this.#end(undefined);
        else if (search !== undefined) {
          const what = search.key(one[0]);
          if (what !== 'on') search = undefined;
          if (what === 'pass') this.#input.emit('data', Buffer.from(one));
        } else if (one[0] === SEARCH_KEY)
          search = new HistorySearch(this.#edited, this.#history, this.#prompt);
        else this.#input.emit('data', Buffer.from(one));
      }
    } finally {
      if (winch && !shell.state.traps.has(SIGWINCH)) shell.context.onSignal(SIGWINCH, 'default');
      this.#interface.close();
    }
    const { line } = this.#result;
    if (line === undefined) shell.writeNow(2, '\n');
    return line;
  }
}

/** What all begin with. */
function commonStart(texts: readonly string[]): string {
  let [common] = texts;
  for (const text of texts) while (!text.startsWith(common)) common = common.slice(0, -1);
  return common;
}

/** A name in a list: what would move the cursor is shown as `?`. */
const shownName = (name: string) => name.replace(/[\p{Cc}\uDC80-\uDCFF]/gu, '?');

type TerminalOutput = InstanceType<typeof Writable> & { readonly columns: number };

/** The terminal as a stream, which readline asks for its width too: it may change while a line is edited. */
function terminalOutput(shell: Shell, fd: number): TerminalOutput {
  const output = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      shell.writeNow(fd, text);
      done();
    },
  });
  return Object.defineProperties(output, {
    columns: { get: () => windowColumns(shell.process, fd) },
    isTTY: { value: true },
  }) as TerminalOutput;
}
