/**
 * Line editing by Node's readline on a terminal of the machine. The terminal is raw while a line is
 * edited and as it was while commands run; it is read a byte at a time, so that what was typed
 * ahead is left for them.
 */
import type * as NodeReadline from 'node:readline';
import { Buffer, Readable, Writable } from '#platform';
import type { Shell } from '../shell.ts';
import { getAttributes, rawAttributes, setAttributes, windowColumns } from '../terminal.ts';
import type { EditedLine, EditorContext, LineEditor } from './editor.ts';

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
  #result: { line: EditedLine } | undefined;

  constructor(
    readline: typeof NodeReadline,
    { shell, fd, history, complete }: EditorContext,
    input: InstanceType<typeof Readable>,
    prompt: string,
  ) {
    this.#shell = shell;
    this.#fd = fd;
    this.#input = input;
    const edited = readline.createInterface({
      input,
      output: terminalOutput(shell, fd),
      terminal: true,
      prompt,
      history: [...history].reverse(),
      historySize: history.length + 1,
      tabSize: 8,
      completer: (line: string) => {
        const { candidates, replaced } = complete(line);
        return [[...candidates], replaced];
      },
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

  #end(line: EditedLine): void {
    this.#result ??= { line };
  }

  async done(): Promise<EditedLine> {
    const shell = this.#shell;
    const one = new Uint8Array(1);
    this.#interface.prompt();
    try {
      while (this.#result === undefined) {
        const count = await shell.retry(() => shell.data.readLater(this.#fd, one, 0, 1, -1));
        if (count === 0) this.#end(undefined);
        else this.#input.emit('data', Buffer.from(one));
      }
    } finally {
      this.#interface.close();
    }
    const { line } = this.#result;
    if (line === undefined) shell.writeNow(2, '\n');
    return line;
  }
}

/** The terminal as a stream, which readline asks for its width too. */
function terminalOutput(shell: Shell, fd: number): InstanceType<typeof Writable> {
  const output = new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      shell.writeNow(fd, text);
      done();
    },
  });
  return Object.assign(output, { columns: windowColumns(shell.process, fd), isTTY: true });
}
