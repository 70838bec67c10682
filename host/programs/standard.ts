/** The programs that a machine of the command's has: the shell, and the commands. */
import { commands } from '../commands/index.ts';
import { shellEntry } from '../shell/index.ts';
import type { ProgramTable } from './image.ts';

export const standardPrograms: ProgramTable = new Map([...Object.entries(commands), ['sh', shellEntry]]);
