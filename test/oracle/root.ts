import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(directory: string): string {
  if (existsSync(join(directory, 'asconfig.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('not inside the repository: no asconfig.json above');
  return find(parent);
}

/** The repository's top directory, from wherever these tests were compiled to. */
export const repositoryRoot = find(dirname(fileURLToPath(import.meta.url)));
