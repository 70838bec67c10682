/**
 * An interactive shell: prompts, edited lines, jobs that are given the terminal and from which it
 * is taken back.
 */
import { F_DUPFD_CLOEXEC } from '../../../assembly/abi/flags.ts';
import { SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU } from '../../../assembly/abi/signals.ts';
import { loadReadline } from '#platform';
import { jobLine } from '../builtins/jobs.ts';
import { Interrupted, isEnded, isSyscallError } from '../errors.ts';
import { CommandAssembler } from '../input.ts';
import { run } from '../run.ts';
import { NORMAL, type Shell } from '../shell.ts';
import { foreground, isTerminal, setForeground } from '../terminal.ts';
import { complete } from './complete.ts';
import { chosenLineEditor, type EditedLine, type LineEditor, plainEditor } from './editor.ts';
import { History } from './history.ts';
import { expandPrompt } from './prompt.ts';
import { readlineEditor } from './readline.ts';

const TERMINAL_FD_MIN = 10;
/** ^D at so many prompts in a row ends even a shell with `set -o ignoreeof`. */
const IGNORED_ENDS_MAX = 50;

/** Read and run commands until the end of input, or `exit`, which throws. */
export async function interact(shell: Shell): Promise<number> {
  for (const signal of [SIGQUIT, SIGTERM]) shell.traps.own(signal, 'ignore');
  shell.traps.own(SIGINT, 'interrupt');
  takeTerminal(shell);
  const history = new History(shell);
  const editor = await createEditor(shell, history);
  const assembler = new CommandAssembler(shell);
  for (let ends = 0; ; ) {
    const line = await nextLine(shell, editor, assembler);
    if (line === 'interrupted') {
      assembler.reset();
      shell.state.status = new Interrupted().status;
    } else if (line === undefined) {
      if (assembler.pending) await runLine(shell, assembler, undefined);
      else if (!shell.state.options.has('ignoreeof') || ++ends >= IGNORED_ENDS_MAX) return shell.state.status;
      else shell.complain('Use "exit" to leave shell.');
    } else {
      ends = 0;
      history.add(line.text);
      await runLine(shell, assembler, `${line.text}\n`);
    }
  }
}

/** With a terminal there is job control: the shell has a group of its own, in the foreground. */
function takeTerminal(shell: Shell): void {
  const { process } = shell;
  if (!isTerminal(process, 0)) return;
  const fd = process.fcntl(0, F_DUPFD_CLOEXEC, TERMINAL_FD_MIN);
  if (foreground(process, fd) === undefined) {
    process.close(fd);
    return;
  }
  for (const signal of [SIGTSTP, SIGTTIN, SIGTTOU]) shell.traps.own(signal, 'ignore');
  try {
    process.setpgid(0, 0);
  } catch (error) {
    // The leader of a session leads its group already.
    if (isEnded(error) || !isSyscallError(error)) throw error;
  }
  setForeground(process, fd, process.getpgid());
  shell.terminal = fd;
  shell.state.options.set('monitor', true);
}

async function createEditor(shell: Shell, history: History): Promise<LineEditor> {
  const fd = shell.terminal ?? 0;
  const context = {
    shell,
    fd,
    get history() {
      return history.lines;
    },
    complete: (line: string) => complete(shell, line),
  };
  const chosen = chosenLineEditor();
  if (chosen !== undefined) return chosen(context);
  const readline = shell.terminal === undefined ? undefined : await loadReadline();
  const plain = readline === undefined || shell.state.variables.get('TERM') === 'dumb';
  return plain ? plainEditor(context) : readlineEditor(readline, context);
}

async function nextLine(shell: Shell, editor: LineEditor, assembler: CommandAssembler): Promise<EditedLine> {
  try {
    await shell.traps.runPending();
    if (!assembler.pending) tellJobs(shell);
    const name = assembler.pending ? 'PS2' : 'PS1';
    const prompt = await expandPrompt(shell, shell.state.variables.get(name) ?? '');
    shell.traps.prompting = true;
    return await editor.line(prompt);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    shell.complain('');
    return 'interrupted';
  } finally {
    shell.traps.prompting = false;
  }
}

/** Say which background jobs have ended. */
function tellJobs(shell: Shell): void {
  shell.jobs.poll();
  for (const job of [...shell.jobs.list]) {
    if (!shell.jobs.isDone(job)) continue;
    shell.complain(jobLine(shell, job));
    shell.jobs.remove(job);
  }
}

/** Run what a line completes. Errors end the commands, and not the shell. */
async function runLine(shell: Shell, assembler: CommandAssembler, line: string | undefined): Promise<void> {
  shell.traps.forgetInterrupt();
  try {
    const list = line === undefined ? assembler.finish() : assembler.add(line);
    if (list !== undefined) await run(shell, list, NORMAL);
  } catch (error) {
    if (error instanceof Interrupted) {
      shell.complain('');
      shell.state.status = error.status;
    } else shell.state.status = shell.failed(error);
  }
  shell.jump = undefined;
  shell.builtin = undefined;
  shell.loops = 0;
  shell.calls = 0;
}
