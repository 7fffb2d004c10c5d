import { migrations } from '../../../src/store/migrations/index.ts';
import { migrationSuite } from './migration-suite.ts';
import { makeOldSqliteStore, OLD_HISTORY, OLD_ROWS } from './support/old-store.ts';
import { PostgresServer } from './support/postgres-server.ts';
import { sqliteUnderTest } from './support/sqlite-under-test.ts';
import { openPlace } from './support/store-under-test.ts';

migrationSuite(sqliteUnderTest, async (place) => makeOldSqliteStore(place));

const server = await PostgresServer.start();
migrationSuite(
  {
    name: 'Postgres',
    skip: typeof server === 'string' ? server : null,
    newPlace: () => (server as PostgresServer).newDatabase(),
    open: openPlace,
  },
  async (place) => {
    await (server as PostgresServer).query(
      place,
      `CREATE SCHEMA fulcrum; SET search_path TO fulcrum;
       CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at_ms BIGINT NOT NULL);
       INSERT INTO ${OLD_HISTORY}; ${migrations[0]!.postgres}; ${OLD_ROWS.join(';')}`,
    );
  },
);
