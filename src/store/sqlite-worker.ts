import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../base/errors.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations/index.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { storeError } from './sqlite-errors.ts';
import type { FromWorker, PlainError, ToWorker, WorkerSettings } from './sqlite-messages.ts';
import { runOnSqlite } from './sqlite-run.ts';

/**
 * The store's thread. SQLite's calls block, and a commit may wait for the disk: here nobody minds. Calls are carried out in
 * the order they come, one at a time.
 */
const port = parentPort!;
const settings = workerData as WorkerSettings;

const database = open();
if (database !== null) serve(database);

function open(): SqliteDatabase | null {
  let opened: SqliteDatabase | null = null;
  try {
    if (settings.use === 'look') opened = SqliteDatabase.look(settings.path, settings.busyTimeoutMs);
    else opened = SqliteDatabase.open(settings.path, settings.busyTimeoutMs);
    const migrated = settings.use === 'look' ? [] : migrate(opened, migrations, settings.nowMs);
    send({ kind: 'opened', migrated });
    return opened;
  } catch (error) {
    opened?.close();
    send({ kind: 'refused', error: plain(error) });
    return null;
  }
}

function serve(database: SqliteDatabase): void {
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'close') {
      database.close();
      port.close();
      return;
    }
    try {
      // The pair of name and argument was checked where it was sent from.
      const operation = operations[message.operation] as unknown as Operation<unknown, unknown>;
      send({ kind: 'done', id: message.id, value: runOnSqlite(database, operation, message.argument) });
    } catch (error) {
      send({ kind: 'failed', id: message.id, error: plain(error) });
    }
  });
}

function send(message: FromWorker): void {
  port.postMessage(message, []);
}

function plain(error: unknown): PlainError {
  const { code, message, cause } = storeError(error, settings.path);
  return { code, message, cause: cause === undefined ? null : messageOf(cause) };
}
