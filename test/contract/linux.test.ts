import { describe, it } from 'vitest';
import { LinuxTarget, linuxUnavailable } from '../oracle/linux.ts';
import { contract } from './contract.ts';

// The host's own kernel proves the table: what fails here is a mistake in the contract.
const reason = linuxUnavailable();
if (reason) describe('linux', () => it.skip(`not run: ${reason}`));
else contract('linux', () => new LinuxTarget());
