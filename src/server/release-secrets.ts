import { namedSecrets, refuseMissingSecrets } from '../config/named-secrets.ts';
import type { AppStore } from '../model/app-record.ts';
import type { ReleaseManifest, ReleaseStore } from '../model/release.ts';

/** How a secret of an app on a server is given its value. @param app its id. */
export function secretAdvice(app: string): string {
  return `Set it with \`fulcrum secrets set NAME --app ${app}\`.`;
}

/** Throws `secret-missing` where the release names a secret that its app, `id`, does not have. */
export function refuseWithoutSecrets(
  id: string,
  { config }: ReleaseManifest,
  names: ReadonlySet<string>,
): void {
  refuseMissingSecrets(config, names, secretAdvice(id));
}

/**
 * What a secret of an app is needed by at the next start, components by name and `events.endpoint`: of the release that serves, and of a canary beside it. Empty for an
 * app that there is not.
 */
export async function secretUsers(
  store: { readonly apps: AppStore; readonly releases: ReleaseStore },
  id: string,
  name: string,
): Promise<readonly string[]> {
  const record = await store.apps.get(id);
  if (record === null) return [];
  const numbers = [record.serving, record.canary?.release ?? null].filter((number) => number !== null);
  const releases = await Promise.all(numbers.map((number) => store.releases.get(id, number)));
  const named = releases.flatMap((release) =>
    release === null ? [] : namedSecrets(release.manifest.config),
  );
  return [
    ...new Set(
      named.filter(({ secret }) => secret === name).map(({ component }) => component ?? 'events.endpoint'),
    ),
  ];
}
