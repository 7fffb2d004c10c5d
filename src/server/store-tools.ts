import { statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { backupStore, restoreStore, type BackupReport } from '../store/backup.ts';
import { copyStore, type CopyReport } from '../store/copy.ts';
import { isPostgresUrl } from '../store/postgres-url.ts';
import { STORE_FILE } from './places.ts';

/** What the command line does to stores themselves: no server need run. A place is an SQLite file, or a database's URL. */
export interface StoreTools {
  /** The place that somebody means who names a server's data folder, an SQLite file or a URL. */
  placeOf(given: string): string;
  /** See {@link backupStore}. */
  backup(store: string, file: string): Promise<BackupReport>;
  /** See {@link restoreStore}. */
  restore(store: string, file: string): Promise<BackupReport>;
  /** See {@link copyStore}. */
  copy(from: string, to: string): Promise<CopyReport>;
}

export const storeTools: StoreTools = {
  placeOf(given) {
    if (isPostgresUrl(given)) return given;
    // What is not there yet is a folder to be made, unless its name says otherwise.
    const file = statSync(given, { throwIfNoEntry: false })?.isFile() ?? /\.(db|sqlite3?)$/.test(given);
    return file ? given : join(given, STORE_FILE);
  },
  backup: (store, file) => backupStore({ store, file, clock: systemClock }),
  restore: (store, file) => restoreStore({ store, file, clock: systemClock }),
  copy: (from, to) => copyStore({ from, to, clock: systemClock }),
};
