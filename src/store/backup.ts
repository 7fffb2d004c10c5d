import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { copyStore, sqliteLook } from './copy.ts';
import { pendingMigrations } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { isPostgresUrl } from './postgres-url.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { tableNames } from './tables.ts';
import { writeWholeFile } from './whole-file.ts';

export interface BackupReport {
  /** Of the store: a path, or a URL without its password. */
  readonly store: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly schemaVersion: number;
  /** Rows by table; of tables that the schema version does not know, none. */
  readonly rows: Readonly<Record<string, number>>;
}

export interface BackupOptions {
  /** Path of an SQLite file, or URL of a Postgres database. */
  readonly store: string;
  readonly file: string;
  readonly clock: Clock;
}

/**
 * Writes a store as it is at one moment to `file`, an SQLite file of mode 0600, while servers go on; and checks what was written. The file is there
 * whole or not at all. Rejects with `conflict` where there is one already; `store-failed`.
 */
export async function backupStore({ store, file, clock }: BackupOptions): Promise<BackupReport> {
  const path = resolve(file);
  if (isPostgresUrl(store)) {
    const { from } = await copyStore({ from: store, to: path, clock });
    return { store: from, file: path, ...(await checkBackup(path, clock)) };
  }
  const source = resolve(store);
  const found = await writeWholeFile(path, async (partial) => {
    // A connection of its own: it reads one moment of the file, and a server's writes go on beside it.
    const thread = sqliteLook(source, clock);
    try {
      pendingMigrations(source, await thread.call('copy.version', null), migrations);
      await thread.call('copy.into', partial);
    } finally {
      await thread.close();
    }
    return checkBackup(partial, clock);
  });
  return { store: source, file: path, ...found };
}

/**
 * Makes a store from a backup, which is checked before: in a file that must not be there yet, or in a Postgres database that must be empty. Rejects
 * with `conflict` where it is not; `store-failed`, also where the backup is damaged or of a newer Fulcrum.
 */
export async function restoreStore({ store, file, clock }: BackupOptions): Promise<BackupReport> {
  const path = resolve(file);
  const found = await checkBackup(path, clock);
  if (!isPostgresUrl(store)) {
    const target = resolve(store);
    await writeWholeFile(target, (partial) => copyFile(path, partial));
    return { store: target, file: path, ...found };
  }
  if (found.schemaVersion === migrations.length) {
    const { to } = await copyStore({ from: path, to: store, clock });
    return { store: to, file: path, ...found };
  }
  // An older backup is brought up to date first; itself it stays as it is.
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-restore-'));
  try {
    const newer = join(folder, 'store.db');
    await copyFile(path, newer);
    await (await openSqliteStore({ path: newer, clock, logger: silentLogger })).close();
    const { to } = await copyStore({ from: newer, to: store, clock });
    return { store: to, file: path, ...found };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkBackup(
  path: string,
  clock: Clock,
): Promise<Pick<BackupReport, 'sizeBytes' | 'schemaVersion' | 'rows'>> {
  const thread = sqliteLook(path, clock);
  try {
    const faults = await thread.call('copy.check', null);
    if (faults.length > 0) {
      throw new FulcrumError(
        'store-failed',
        `The backup ${path} is damaged: ${faults.slice(0, 3).join('; ')}.`,
      );
    }
    const schemaVersion = await thread.call('copy.version', null);
    pendingMigrations(path, schemaVersion, migrations);
    const rows: Record<string, number> = {};
    if (schemaVersion === migrations.length) {
      for (const table of tableNames) rows[table] = await thread.call('copy.count', table);
    }
    return { sizeBytes: (await stat(path)).size, schemaVersion, rows };
  } finally {
    await thread.close();
  }
}
