import { Client } from 'pg';
import { migratePostgres, POSTGRES_SCHEMA, postgresSchemaVersion } from './postgres-migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Operation } from './operation.ts';
import {
  operations,
  type Argument,
  type Caller,
  type OperationName,
  type Result,
} from './operations/index.ts';
import { postgresError } from './postgres-errors.ts';
import { runSteps } from './postgres-run.ts';
import { readPostgresUrl } from './postgres-url.ts';
import { tableNames } from './tables.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** One connection of its own, whose calls are all part of one transaction: that of a copy. Ended without {@link keep}, it changed nothing. */
export class PostgresSession implements Caller {
  readonly name: string;
  readonly #client: Client;

  private constructor(name: string, client: Client) {
    this.name = name;
    this.#client = client;
  }

  /** Rejects with `store-failed`. */
  static async connect(url: string): Promise<PostgresSession> {
    const { connectionString, name } = readPostgresUrl(url);
    try {
      const client = new Client({
        connectionString,
        application_name: 'fulcrum store',
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
      });
      // Told by the query that meets it.
      client.on('error', () => undefined);
      await client.connect();
      // A table is read whole, however long that takes.
      await client.query(
        `SET search_path TO ${POSTGRES_SCHEMA}; SET statement_timeout = 0; SET client_min_messages = warning`,
      );
      return new PostgresSession(name, client);
    } catch (error) {
      throw postgresError(error, name);
    }
  }

  /** 0 where there is no store. */
  schemaVersion(): Promise<number> {
    return this.#told(postgresSchemaVersion(this.#client, this.name));
  }

  /** Makes the schema where there is none, and begins to write: until the end nobody else does. */
  beginWriting(nowMs: number): Promise<void> {
    const begin = async (): Promise<void> => {
      await migratePostgres(this.#client, this.name, migrations, nowMs);
      await this.#client.query('BEGIN');
      await this.#client.query(`LOCK TABLE ${tableNames.join(', ')} IN EXCLUSIVE MODE`);
    };
    return this.#told(begin());
  }

  call<Name extends OperationName>(operation: Name, argument: Argument<Name>): Promise<Result<Name>> {
    const known = operations[operation] as unknown as Operation<Argument<Name>, Result<Name>>;
    return this.#told(runSteps(this.#client, known, argument));
  }

  async keep(): Promise<void> {
    await this.#told(this.#client.query('COMMIT'));
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw postgresError(error, this.name);
    }
  }
}
