/**
 * What an interactive shell wants of a line editor. Node's readline is one (readline.ts); a page
 * may bring its own; without either, lines come as the terminal gives them.
 */
import { LineReader } from '../input.ts';
import type { Shell } from '../shell.ts';

/** What could stand at the end of a line, and which part of it that replaces. */
export interface Completion {
  readonly candidates: readonly string[];
  readonly replaced: string;
  /** The candidates as they are listed: paths by their last names, and without quotes. */
  readonly shown: readonly string[];
}

export interface EditorContext {
  readonly shell: Shell;
  /** The terminal. */
  readonly fd: number;
  /** Earlier lines, the newest last. */
  readonly history: readonly string[];
  complete(line: string): Completion;
}

/** A line without its end; undefined at the end of input; 'interrupted' after ^C. */
export type EditedLine = { readonly text: string } | 'interrupted' | undefined;

export interface LineEditor {
  line(prompt: string): Promise<EditedLine>;
}

export type LineEditorFactory = (context: EditorContext) => LineEditor;

let chosen: LineEditorFactory | undefined;

/** Have shells edit with this from now on; with what the platform has if undefined. */
export function useLineEditor(factory: LineEditorFactory | undefined): void {
  chosen = factory;
}

export function chosenLineEditor(): LineEditorFactory | undefined {
  return chosen;
}

/** No editing but the terminal's own. */
export const plainEditor: LineEditorFactory = ({ shell, fd }) => {
  const reader = new LineReader(shell, fd);
  return {
    async line(prompt) {
      shell.writeNow(2, prompt);
      const line = await reader.line();
      return line === undefined ? undefined : { text: line.replace(/\n$/, '') };
    },
  };
};
