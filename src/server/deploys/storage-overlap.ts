import { FulcrumError } from '../../base/errors.ts';
import { storagePaths } from '../../config/storage-paths.ts';
import type { ReleaseManifest, ReleaseStore } from '../../model/release.ts';
import { folded } from '../../release/release-path.ts';
import { allReleases } from './releases.ts';

/**
 * Rejects with `manifest-invalid` where what a release stores in lies inside a folder that another release of the app stores in, or holds one. Both
 * may have instances at a time (a canary, what drains, a rollback): whoever writes the outer folder decides what the inner one is.
 * @param live those that have instances, whatever became of them.
 */
export async function refuseStorageOverlap(
  releases: ReleaseStore,
  app: string,
  { config }: ReleaseManifest,
  live: readonly { readonly number: number | null }[],
): Promise<void> {
  const wanted = storagePaths(config);
  if (wanted.length === 0) return;
  const running = new Set(live.map(({ number }) => number));
  for (const { number, state, manifest } of await allReleases(releases, app)) {
    if (state === 'failed' && !running.has(number)) continue;
    const met = overlap(wanted, storagePaths(manifest.config));
    if (met === null) continue;
    throw new FulcrumError(
      'manifest-invalid',
      `Its components store in '${met.one}', and those of release ${number}, which is kept, in '${met.other}': one may not lie inside the other. Keep the folder, choose one beside it, or deploy without it until release ${number} is no longer kept (\`fulcrum releases\`).`,
    );
  }
}

/** The first two of which one lies inside the other; the same folder is none. */
export function overlap(
  ones: readonly string[],
  others: readonly string[],
): { readonly one: string; readonly other: string } | null {
  const byOuter = (inner: readonly string[], outer: readonly string[]): [string, string] | null => {
    const known = new Map(outer.map((path) => [folded(path), path]));
    for (const path of inner) {
      const key = folded(path);
      for (let end = key.lastIndexOf('/'); end > 0; end = key.lastIndexOf('/', end - 1)) {
        const found = known.get(key.slice(0, end));
        if (found !== undefined) return [path, found];
      }
    }
    return null;
  };
  const inside = byOuter(ones, others);
  if (inside !== null) return { one: inside[0], other: inside[1] };
  const around = byOuter(others, ones);
  return around === null ? null : { one: around[1], other: around[0] };
}
