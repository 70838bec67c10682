/** Where commands are: in PATH. */
import { AT_EACCESS, AT_FDCWD, S_IFMT, S_IFREG, X_OK } from '../../assembly/abi/flags.ts';
import { isEnded, isSyscallError } from './errors.ts';
import type { Shell } from './shell.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** May this file be executed? Its path is there but not executable: 'denied'. */
export function executable(shell: Shell, path: string): 'yes' | 'no' | 'denied' {
  try {
    if ((Number(shell.process.fstatat(AT_FDCWD, path).mode) & S_IFMT) !== S_IFREG) return 'denied';
    shell.process.faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
    return 'yes';
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    return error.code === 'EACCES' ? 'denied' : 'no';
  }
}

/** The file that a command's name leads to. @param path  PATH to search, the variable's if absent */
export function findCommand(shell: Shell, name: string, path?: string): string | 'denied' | undefined {
  if (name.includes('/')) {
    const found = executable(shell, name);
    return found === 'yes' ? name : found === 'denied' ? 'denied' : undefined;
  }
  if (name === '') return undefined;
  const { hash, variables } = shell.state;
  const known = path === undefined ? hash.get(name) : undefined;
  if (known !== undefined && executable(shell, known) === 'yes') return known;
  let denied = false;
  for (const directory of (path ?? variables.get('PATH') ?? '').split(':')) {
    const candidate = directory === '' ? name : `${directory.replace(/\/$/, '')}/${name}`;
    const found = executable(shell, candidate);
    if (found === 'denied') denied = true;
    if (found !== 'yes') continue;
    if (path === undefined) hash.set(name, candidate);
    return candidate;
  }
  return denied ? 'denied' : undefined;
}
