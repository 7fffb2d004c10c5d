import { PostgresServer } from './postgres-server.ts';
import { openPlace, type StoreUnderTest } from './store-under-test.ts';

/** On a server of its own, which ends with the test file. */
export async function postgresUnderTest(): Promise<StoreUnderTest> {
  const server = await PostgresServer.start();
  return {
    name: 'Postgres',
    skip: typeof server === 'string' ? server : null,
    newPlace: () => (server as PostgresServer).newDatabase(),
    open: openPlace,
  };
}
