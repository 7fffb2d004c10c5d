import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of this package: the same two levels up from `src/cli` and from `dist/cli`. */
export const packageRoot = join(import.meta.dirname, '..', '..');

export function packageVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Whether this is a checkout rather than an installed package. */
export function isCheckout(): boolean {
  return existsSync(join(packageRoot, 'src', 'cli', 'main.ts'));
}
