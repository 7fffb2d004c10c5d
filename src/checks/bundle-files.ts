import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { BundleModule } from './bundle-text.ts';

/** All code of a bundle that is read; beyond it nothing is checked. */
const MAX_BUNDLE_BYTES = 64 * 1024 ** 2;
const MAX_MODULES = 500;

/**
 * The modules of a bundle, with their source maps, from the folder that it lies in. Throws where they cannot be read, or are more
 * than {@link MAX_BUNDLE_BYTES}.
 * @param path of the module that is imported.
 */
export function bundleModules(path: string): BundleModule[] {
  const folder = dirname(path);
  let left = MAX_BUNDLE_BYTES;
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  if (names.length > MAX_MODULES) throw new RangeError('too many modules');
  return names.map((name) => {
    const code = readFileSync(join(folder, name), 'utf8');
    const map = mapOf(join(folder, `${name}.map`));
    left -= code.length + (map?.length ?? 0);
    if (left < 0) throw new RangeError('too large');
    return { name, code, map };
  });
}

function mapOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
