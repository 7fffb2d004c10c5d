import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { isPostgresUrl } from '../../../../src/store/postgres-url.ts';

/** Does to a store, behind its back, what a failing disk or a stranger might. @param sql one statement that both databases know. */
export async function runSql(place: string, sql: string): Promise<void> {
  if (!isPostgresUrl(place)) {
    const database = new DatabaseSync(place);
    database.exec(sql);
    database.close();
    return;
  }
  const client = new Client({ connectionString: place });
  await client.connect();
  await client.query('SET search_path TO fulcrum');
  await client.query(sql);
  await client.end();
}
