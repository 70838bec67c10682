/** The first program of a session at a terminal, and what it starts with. */
import type { Environment } from '../programs/program.ts';
import { environment } from '../programs/userland.ts';

/** Asks who is there; `-f`: root, who has booted the machine and need not say so. */
export const LOGIN: readonly string[] = ['login'];
export const LOGIN_AS_ROOT: readonly string[] = ['login', '-f', 'root'];

export function loginEnvironment(term = process.env.TERM ?? 'dumb'): Environment {
  return environment({ env: { TERM: term, LANG: process.env.LANG, TZ: process.env.TZ } });
}
