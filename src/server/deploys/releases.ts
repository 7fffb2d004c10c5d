import { FulcrumError } from '../../base/errors.ts';
import type { BlobStore } from '../../model/blob-store.ts';
import type { Release, ReleaseManifest, ReleaseStore } from '../../model/release.ts';

const PAGE = 100;
/** Digests are asked for by so many at a time. */
const ASKED_AT_ONCE = 10_000;

/** Rejects with `not-found`. */
export async function releaseOf(releases: ReleaseStore, app: string, number: number): Promise<Release> {
  const release = await releases.get(app, number);
  if (release === null) throw new FulcrumError('not-found', `There is no release ${number} of ${app}.`);
  return release;
}

/** All of an app, newest first. */
export async function allReleases(
  releases: ReleaseStore,
  app: string,
  before: number | null = null,
): Promise<readonly Release[]> {
  const all: Release[] = [];
  for (let from = before; ;) {
    const page: readonly Release[] = await releases.list(app, from, PAGE);
    all.push(...page);
    if (page.length < PAGE) return all;
    from = page.at(-1)!.number;
  }
}

/** The newest healthy one before `serving`. Rejects with `not-found` where there is none. */
export async function previousRelease(
  releases: ReleaseStore,
  app: string,
  serving: number,
): Promise<Release> {
  const found = (await allReleases(releases, app, serving)).find(({ state }) => state === 'healthy');
  if (found !== undefined) return found;
  throw new FulcrumError(
    'not-found',
    `No release of ${app} before ${serving} has come up: there is none to go back to.`,
  );
}

/** Rejects with `manifest-invalid` where files of the release have not been uploaded. */
export async function refuseMissing(blobs: BlobStore, { files }: ReleaseManifest): Promise<void> {
  const digests = [...new Set(files.flatMap((file) => (file.kind === 'file' ? [file.digest] : [])))];
  const missing: string[] = [];
  for (let at = 0; at < digests.length; at += ASKED_AT_ONCE)
    missing.push(...(await blobs.missing(digests.slice(at, at + ASKED_AT_ONCE))));
  if (missing.length === 0) return;
  throw new FulcrumError(
    'manifest-invalid',
    `${missing.length} of the release's files have not been uploaded (the first is ${missing[0]}). Upload them, then deploy again.`,
    { details: { missing: missing.slice(0, 20), count: missing.length } },
  );
}
