import { FulcrumError } from '../../base/errors.ts';
import type { ChosenLimits } from '../../model/app.ts';
import type { AppChanges, AppRecord, CanaryRecord, ChosenMode } from '../../model/app-record.ts';
import type { ReleaseChange } from '../../model/release.ts';
import { changing, reading } from '../operation.ts';
import { all, change, first } from '../steps.ts';
import type { Schema } from '../tables.ts';
import { deleteWork } from './event-upkeep.ts';
import { changeRelease } from './releases.ts';
import { deleteModes } from './mode-history.ts';
import { deleteUsage } from './usage.ts';

export const appOperations = {
  'apps.list': reading<null, readonly AppRecord[]>(function* ({ db }) {
    const rows = yield* all(db.selectFrom('apps').selectAll().orderBy('id'));
    return rows.map(appOf);
  }),

  'apps.get': reading(function* ({ db }, id: string) {
    const row = yield* first(db.selectFrom('apps').selectAll().where('id', '=', id));
    return row === null ? null : appOf(row);
  }),

  'apps.create': changing(function* ({ db }, app: Omit<AppRecord, 'version'>) {
    const row = yield* first(
      db
        .insertInto('apps')
        .values({
          id: app.id,
          name: app.name,
          environment: app.environment,
          created_at_ms: Math.floor(app.createdAtMs),
          ...changed(app),
          hosts: JSON.stringify(app.hosts),
          prefix: app.prefix,
          modes: JSON.stringify(app.modes),
          limits: JSON.stringify(app.limits),
          version: 1,
          last_release: 0,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returningAll(),
    );
    if (row === null) throw new FulcrumError('conflict', `There is an app '${app.id}' already.`);
    return appOf(row);
  }),

  'apps.update': changing(function* (
    { db },
    change_: { id: string; version: number; changes: AppChanges; release: ReleaseChange | null },
  ) {
    const { id, version, changes, release } = change_;
    const row = yield* first(
      db
        .updateTable('apps')
        .set({ ...changed(changes), version: version + 1 })
        .where('id', '=', id)
        .where('version', '=', version)
        .returningAll(),
    );
    if (row !== null) {
      if (release !== null) yield* changeRelease({ db }, id, release);
      return appOf(row);
    }
    const present = yield* first(db.selectFrom('apps').select('version').where('id', '=', id));
    if (present === null) throw new FulcrumError('not-found', `There is no app '${id}'.`);
    throw new FulcrumError(
      'conflict',
      `The app '${id}' has been changed meanwhile: it is at version ${present.version}, not ${version}. Look again and repeat.`,
    );
  }),

  /** What usage and kept work there is must be little: the rest has gone before. */
  'apps.remove': changing(function* ({ db }, id: string) {
    yield* deleteUsage(id);
    yield* deleteWork(id);
    yield* deleteModes(id);
    yield* change(db.deleteFrom('secrets').where('app', '=', id));
    yield* change(db.deleteFrom('release_blobs').where('app', '=', id));
    yield* change(db.deleteFrom('releases').where('app', '=', id));
    yield* change(db.deleteFrom('apps').where('id', '=', id));
  }),
};

/** The columns that `changes` names. */
function changed(changes: AppChanges): Partial<Schema['apps']> {
  const { hosts, prefix, serving, canary, modes, limits } = changes;
  return {
    ...(hosts === undefined ? {} : { hosts: JSON.stringify(hosts) }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(serving === undefined ? {} : { serving }),
    ...(canary === undefined ? {} : { canary: canary === null ? null : JSON.stringify(canary) }),
    ...(modes === undefined ? {} : { modes: JSON.stringify(modes) }),
    ...(limits === undefined ? {} : { limits: JSON.stringify(limits) }),
  };
}

function appOf(row: Schema['apps']): AppRecord {
  return {
    id: row.id,
    name: row.name,
    environment: row.environment,
    hosts: JSON.parse(row.hosts) as string[],
    prefix: row.prefix,
    createdAtMs: row.created_at_ms,
    serving: row.serving,
    canary: row.canary === null ? null : (JSON.parse(row.canary) as CanaryRecord),
    modes: JSON.parse(row.modes) as Record<string, ChosenMode>,
    limits: JSON.parse(row.limits) as Record<string, ChosenLimits>,
    version: row.version,
  };
}
