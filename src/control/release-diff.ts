import { isDeepStrictEqual } from 'node:util';
import type { ReleaseFile, ReleaseManifest } from '../model/release.ts';

const MAX_CHANGES = 500;
const MAX_DEPTH = 20;

export interface ReleaseDiff {
  readonly config: readonly ConfigChange[];
  /** Paths. */
  readonly files: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
  };
  /** Whether there are more changes than the first 500 of a kind. */
  readonly truncated: boolean;
}

export interface ConfigChange {
  /** `components.catalog.memory`. */
  readonly path: string;
  /** Absent where there was nothing. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What a deploy of `to` changes where `from` serves: values of the config, and files by content. */
export function diffReleases(from: ReleaseManifest, to: ReleaseManifest): ReleaseDiff {
  const config: ConfigChange[] = [];
  compare('', from.config, to.config, config, 0);
  const before = new Map(from.files.map((file) => [file.path, file]));
  const after = new Map(to.files.map((file) => [file.path, file]));
  const added = [...after.keys()].filter((path) => !before.has(path));
  const removed = [...before.keys()].filter((path) => !after.has(path));
  const changed = [...after].flatMap(([path, file]) => {
    const was = before.get(path);
    return was === undefined || sameFile(was, file) ? [] : [path];
  });
  const first = <T>(list: readonly T[]): T[] => list.slice(0, MAX_CHANGES);
  return {
    config: first(config),
    files: { added: first(added).sort(), removed: first(removed).sort(), changed: first(changed).sort() },
    truncated: [config, added, removed, changed].some((list) => list.length > MAX_CHANGES),
  };
}

function compare(
  path: string,
  before: unknown,
  after: unknown,
  changes: ConfigChange[],
  depth: number,
): void {
  if (changes.length > MAX_CHANGES || isDeepStrictEqual(before, after)) return;
  if (isRecord(before) && isRecord(after) && depth < MAX_DEPTH) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      const below = path === '' ? key : `${path}.${key}`;
      compare(below, own(before, key), own(after, key), changes, depth + 1);
    }
    return;
  }
  changes.push({
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A secret is a value, not a record to look into. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '$secret')
  );
}

function sameFile(a: ReleaseFile, b: ReleaseFile): boolean {
  if (a.kind === 'link') return b.kind === 'link' && a.target === b.target;
  return b.kind === 'file' && a.digest === b.digest && a.executable === b.executable;
}
