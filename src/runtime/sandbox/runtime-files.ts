import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What instances import lazily, beside what is ours. */
const DEPENDENCIES = ['ws'];

/**
 * The files of Fulcrum's own that a process needs to become an instance: Node, this runtime and the `package.json` that says
 * which kind of modules it has, and the packages that it imports.
 * @param nodePath the Node that runs instances.
 */
export function runtimeFiles(nodePath: string): string[] {
  const runtime = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  return [
    dirname(nodePath),
    runtime,
    join(dirname(runtime), 'package.json'),
    ...DEPENDENCIES.map((name) => packageFolder(name, runtime)).filter((path) => path !== null),
  ];
}

/** Where Node finds the package `name` from `folder`: not where links lead, for they are looked up again inside. */
function packageFolder(name: string, folder: string): string | null {
  for (let above = folder; ; above = dirname(above)) {
    const path = join(above, 'node_modules', name);
    if (existsSync(path)) return path;
    if (above === dirname(above)) return null;
  }
}
