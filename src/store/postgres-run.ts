import type { ClientBase, CustomTypesConfig } from 'pg';
import { lastByKey, postgresInsert, postgresInsertValues } from './bulk.ts';
import { postgresDialect, storable } from './dialect.ts';
import type { Operation } from './operation.ts';
import type { Bulk, Outcome, Step } from './steps.ts';

/** Object identifiers of types, https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const BYTEA = 17;
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** Values as SQLite gives them too: every number a number (none of ours is beyond 53 bits), bytes a plain Uint8Array, all else text. */
const types: CustomTypesConfig = {
  getTypeParser(oid: number) {
    // Text: the driver garbles what comes in Postgres's binary format (pg 8.23 reads it as UTF-8).
    if (oid === BYTEA) return (hex: string) => new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
    if (NUMBERS.has(oid)) return Number;
    return (text: string) => text;
  },
};

/**
 * Carries an operation out over one connection, as one transaction where it changes something. Rejects with what the driver or the
 * operation throws.
 * @param onBegun called when its transaction is open: what fails before has changed nothing.
 */
export async function runOnPostgres<A, R>(
  client: ClientBase,
  operation: Operation<A, R>,
  argument: A,
  onBegun: () => void,
): Promise<R> {
  if (operation.keeps === null) return runSteps(client, operation, argument);
  const level = operation.alone ? 'SERIALIZABLE' : 'READ COMMITTED';
  // Asynchronous: a crash of the database takes the last moments; a later commit that waits covers all before it.
  const commit = operation.keeps === 'power' ? 'on' : 'off';
  await client.query(`BEGIN ISOLATION LEVEL ${level}; SET LOCAL synchronous_commit = ${commit}`);
  onBegun();
  try {
    const result = await runSteps(client, operation, argument);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Where this fails the connection is gone, and the transaction with it.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Within a transaction of the caller's, or none. */
export async function runSteps<A, R>(
  client: ClientBase,
  operation: Operation<A, R>,
  argument: A,
): Promise<R> {
  const steps = operation.steps(postgresDialect, argument);
  let next = steps.next();
  while (next.done !== true) next = steps.next(await take(client, next.value));
  return next.value;
}

async function take(client: ClientBase, step: Step): Promise<Outcome> {
  if ('into' in step) return insert(client, step);
  const { rows, rowCount } = await client.query<Record<string, unknown>>({
    text: step.sql,
    values: step.parameters as unknown[],
    types,
  });
  return { rows, changes: rowCount ?? 0 };
}

async function insert(client: ClientBase, { into, rows: given, anew = false }: Bulk): Promise<Outcome> {
  const rows = anew ? given : lastByKey(into, given);
  if (rows.length === 0) return { rows: [], changes: 0 };
  await client.query({
    // Prepared once for each connection: this is what is asked every second.
    name: `insert ${into}${anew ? ' anew' : ''}`,
    text: postgresInsert(into, anew),
    values: postgresInsertValues(into, rows, storable),
  });
  return { rows: [], changes: given.length };
}
