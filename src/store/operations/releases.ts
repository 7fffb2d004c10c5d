import { FulcrumError } from '../../base/errors.ts';
import type {
  NewRelease,
  Release,
  ReleaseChange,
  ReleaseFailure,
  ReleaseManifest,
  ReleaseState,
} from '../../model/release.ts';
import type { Dialect } from '../dialect.ts';
import { changing, reading } from '../operation.ts';
import { all, change, first, type Steps } from '../steps.ts';
import type { Schema } from '../tables.ts';

export const releaseOperations = {
  'releases.add': changing(function* (dialect, release: NewRelease) {
    const { db } = dialect;
    // Counted with the app, so that the number of a release that was removed is not given again.
    const counted = yield* first(
      db
        .updateTable('apps')
        .set((eb) => ({ last_release: eb('last_release', '+', 1) }))
        .where('id', '=', release.app)
        .returning('last_release'),
    );
    if (counted === null) throw new FulcrumError('not-found', `There is no app '${release.app}'.`);
    const number = counted.last_release;
    const digests = yield* keptDigests(dialect, release.manifest);
    const row = {
      app: release.app,
      number,
      manifest: JSON.stringify(release.manifest),
      state: 'uploaded',
      created_at_ms: Math.floor(release.createdAtMs),
      created_by: release.createdBy,
      note: release.note,
      failure: null,
    };
    yield* change(db.insertInto('releases').values(row));
    yield { into: 'release_blobs', rows: digests.map((digest) => [release.app, number, digest]) };
    return releaseOf(row);
  }),

  'releases.get': reading(function* ({ db }, { app, number }: { app: string; number: number }) {
    const row = yield* first(
      db.selectFrom('releases').selectAll().where('app', '=', app).where('number', '=', number),
    );
    return row === null ? null : releaseOf(row);
  }),

  'releases.list': reading(function* (
    { db },
    { app, before, limit }: { app: string; before: number | null; limit: number },
  ) {
    const rows = yield* all(
      db
        .selectFrom('releases')
        .selectAll()
        .where('app', '=', app)
        .where('number', '<', before ?? Number.MAX_SAFE_INTEGER)
        .orderBy('number', 'desc')
        .limit(limit),
    );
    return rows.map(releaseOf);
  }),

  'releases.setState': changing(function* (dialect, { app, ...release }: ReleaseChange & { app: string }) {
    yield* changeRelease(dialect, app, release);
  }),

  'releases.remove': changing(function* ({ db }, { app, number }: { app: string; number: number }) {
    yield* change(db.deleteFrom('release_blobs').where('app', '=', app).where('number', '=', number));
    yield* change(db.deleteFrom('releases').where('app', '=', app).where('number', '=', number));
  }),
};

/** Throws `not-found`. */
export function* changeRelease(
  { db }: Pick<Dialect, 'db'>,
  app: string,
  { number, state, failure }: ReleaseChange,
): Steps<void> {
  const changes = yield* change(
    db
      .updateTable('releases')
      .set({ state, failure: failure === null ? null : JSON.stringify(failure) })
      .where('app', '=', app)
      .where('number', '=', number),
  );
  if (changes === 0) throw new FulcrumError('not-found', `The app '${app}' has no release ${number}.`);
}

/** The digests of a manifest's files, each once. Throws where one is not in the store, or is of another size. */
function* keptDigests({ db, among }: Dialect, manifest: ReleaseManifest): Steps<string[]> {
  const named = new Map(
    manifest.files.flatMap((file) => (file.kind === 'file' ? [[file.digest, file] as const] : [])),
  );
  const digests = [...named.keys()];
  const kept = yield* all(
    db
      .selectFrom('blobs')
      .select(['digest', 'size_bytes'])
      .where('damaged', '=', 0)
      .where(among('digest', digests)),
  );
  const sizes = new Map(kept.map((blob) => [blob.digest, blob.size_bytes]));
  for (const file of manifest.files) {
    if (file.kind !== 'file') continue;
    const sizeBytes = sizes.get(file.digest);
    if (sizeBytes === undefined) {
      throw new FulcrumError(
        'blob-invalid',
        `The file '${file.path}' (SHA-256 ${file.digest}) is not in the store: upload it, then deploy again.`,
      );
    }
    if (sizeBytes !== file.sizeBytes) {
      throw new FulcrumError(
        'manifest-invalid',
        `files: '${file.path}' has ${sizeBytes} bytes in the store, and ${file.sizeBytes} in the manifest.`,
      );
    }
  }
  return digests;
}

function releaseOf(row: Schema['releases']): Release {
  return {
    app: row.app,
    number: row.number,
    manifest: JSON.parse(row.manifest) as ReleaseManifest,
    state: row.state as ReleaseState,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    note: row.note,
    failure: row.failure === null ? null : (JSON.parse(row.failure) as ReleaseFailure),
  };
}
