import { FulcrumError } from '../../base/errors.ts';
import type { AppChanges, AppRecord, AppStore } from '../../model/app-record.ts';
import type { ReleaseChange } from '../../model/release.ts';

/** Somebody else may change a record between our reading and our writing it, again and again. */
const TRIES = 10;

/**
 * Changes an app's record by what it is at that moment.
 * @param changes what of it; null: nothing.
 * @param release whose state changes with it.
 * @returns the record as it is then. Rejects with `not-found`, `conflict` or `store-failed`.
 */
export async function changeRecord(
  apps: AppStore,
  id: string,
  changes: (record: AppRecord) => AppChanges | null,
  release?: ReleaseChange,
): Promise<AppRecord> {
  for (let tries = 1; ; tries++) {
    const record = await recordOf(apps, id);
    const wanted = changes(record);
    if (wanted === null) return record;
    try {
      return await apps.update(id, record.version, wanted, release);
    } catch (error) {
      if (!(error instanceof FulcrumError && error.code === 'conflict') || tries === TRIES) throw error;
    }
  }
}

/** What an app is put back to where a change of what serves, and where, could not be made. */
export function placeOf({ hosts, prefix, serving, canary }: AppRecord): AppChanges {
  return { hosts, prefix, serving, canary };
}

/** Rejects with `not-found`. */
export async function recordOf(apps: AppStore, id: string): Promise<AppRecord> {
  const record = await apps.get(id);
  if (record === null) throw new FulcrumError('not-found', `There is no app '${id}' on this server.`);
  return record;
}
