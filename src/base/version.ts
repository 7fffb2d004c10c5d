import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of this package: the same two levels up from `src/base` and from `dist/base`. */
export const packageRoot = join(import.meta.dirname, '..', '..');

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
