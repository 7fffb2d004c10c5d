import { DatabaseSync } from 'node:sqlite';
import { migrations } from '../../../../src/store/migrations/index.ts';

/** One row in each table of the schema before there were apps. */
export const OLD_ROWS = [
  "INSERT INTO usage_minutes VALUES ('catalog', 60000, 'p', 60000, 'r', 'function', 'ok', 3, 1, 1.5, 2, 3, 4, 5e20, 6, 'ab', 'c')",
  "INSERT INTO usage_arrivals VALUES ('p', 'catalog', 'service', 1, 2, 3, 4, 'ab')",
  "INSERT INTO usage_rows VALUES ('catalog', 1.5, 'p', 'r', 'function', 'route', 'ok', 'r_1', 200, 1, 2, 3, 4, 5, 1, 6)",
];

export const OLD_HISTORY = "schema_migrations (version, name, applied_at_ms) VALUES (1, 'usage', 0)";

/** An SQLite store as a Fulcrum wrote it before there were apps. */
export function makeOldSqliteStore(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA application_id = 0x46756c63');
  database.exec(
    'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  );
  database.exec(`INSERT INTO ${OLD_HISTORY}; ${migrations[0]!.sqlite}`);
  // Text in quotes is no blob to SQLite.
  for (const row of OLD_ROWS) database.exec(row.replaceAll(/'(ab|c)'(?=[,)])/g, "CAST('$1' AS BLOB)"));
  database.close();
}
