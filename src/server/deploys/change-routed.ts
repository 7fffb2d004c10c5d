import type { AppChanges, AppRecord, AppStore } from '../../model/app-record.ts';
import type { Host } from '../host.ts';
import { changeRecord, placeOf } from './app-records.ts';
import type { RouteTable } from './route-table.ts';

export interface RoutedParts {
  readonly apps: AppStore;
  readonly routes: RouteTable;
  readonly host: Pick<Host, 'apps'>;
}

/** Writes a change of an app's record down, and has the gateway follow. Where it refuses, all is as before. */
export async function changeRouted(
  { apps, routes, host }: RoutedParts,
  id: string,
  changes: (record: AppRecord) => AppChanges | null,
): Promise<AppRecord> {
  let before: AppRecord | null = null;
  const record = await changeRecord(apps, id, (present) => changes((before = present)));
  const app = host.apps.get(id);
  if (app === undefined || record.serving === null) return record;
  try {
    routes.set(app, record);
    return record;
  } catch (error) {
    await changeRecord(apps, id, () => placeOf(before!));
    throw error;
  }
}
