import { readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** As many links as Linux follows before it gives up (ELOOP). */
const MAX_LINKS = 40;

/**
 * Every place that is passed when the absolute `path` is looked up, as the kernel does: each name in a folder that is the real one, links
 * themselves and what they lead to. What is not there is passed like what is. Whoever may write at one of them decides where it ends.
 */
export async function waypoints(path: string): Promise<string[]> {
  const passed: string[] = [];
  const rest = namesOf(path);
  let at = '/';
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    passed.push(next);
    const target = await readlink(next).catch(() => null);
    if (target === null) {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS) break;
    if (target.startsWith('/')) at = '/';
    rest.unshift(...namesOf(target));
  }
  return passed;
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
