/** How the command ends. */

export const EXIT_OK = 0;
/** Something that was asked for failed: a file not copied, a step of the tour not as expected. */
export const EXIT_FAILED = 1;
/** Seen from the words of the command line alone; what is not on the host as it says has failed. */
export const EXIT_USAGE = 2;
/** It does not fit: on the image, in the machine's RAM, or the machine in the host's memory. */
export const EXIT_NO_ROOM = 3;
/** The kernel panicked: a bug of ours. */
export const EXIT_PANIC = 4;

export const EXIT_CODES_HELP = `
Exit codes:
  0    all was done
  1    something failed: a file is not there or was not copied, a check did not hold
  2    the command line is wrong, and nothing was done
  3    it does not fit: on the image, into the machine's RAM, or the machine into memory
  4    the machine's kernel panicked (a bug: please report it)
  130  interrupted (^C); 143: ended by SIGTERM; 141: nobody reads what it prints
A command of the machine (-c, img ls, img rm …) ends with its own exit code.`;

/** An end that the user can understand: what is wrong with what, and what to do. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILED) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}
