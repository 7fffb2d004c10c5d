import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../base/version.ts';

/** Whether this is a checkout rather than an installed package. */
export function isCheckout(): boolean {
  return existsSync(join(packageRoot, 'src', 'cli', 'main.ts'));
}
