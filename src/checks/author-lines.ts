import { readFileSync, realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';

const MAX_SOURCE_BYTES = 4 * 1024 ** 2;
const SOURCE = /\.(?:[cm]?[jt]s|[jt]sx)$/;

/**
 * Lines of source files, read when they are asked for: of files in `appDirectory` that are named as sources are. A source map may name any
 * file of the machine, and what is shown of one goes to whoever may switch a mode.
 */
export function authorLines(appDirectory: string): (path: string, line: number) => string | null {
  const files = new Map<string, readonly string[] | null>();
  return (path, line) => {
    const known = files.get(path);
    const lines = known === undefined ? linesOf(path, appDirectory) : known;
    files.set(path, lines);
    return lines?.[line - 1] ?? null;
  };
}

function linesOf(path: string, appDirectory: string): readonly string[] | null {
  try {
    const real = realpathSync(path);
    if (!real.startsWith(realpathSync(appDirectory) + sep) || !SOURCE.test(real)) return null;
    const stat = statSync(real);
    if (!stat.isFile() || stat.size > MAX_SOURCE_BYTES) return null;
    return readFileSync(real, 'utf8').split(/\r\n|\r|\n/);
  } catch {
    return null; // deployed without its sources: the bundle's own line is shown
  }
}
