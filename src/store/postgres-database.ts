import { Pool, type PoolClient } from 'pg';
import { sleep, type Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { migratePostgres, POSTGRES_SCHEMA } from './postgres-migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Operation } from './operation.ts';
import {
  operations,
  type Argument,
  type Caller,
  type OperationName,
  type Result,
} from './operations/index.ts';
import { isConnectionLost, mayRepeat, postgresError } from './postgres-errors.ts';
import { runOnPostgres } from './postgres-run.ts';
import { readPostgresUrl } from './postgres-url.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** 10. */
  readonly maxConnections?: number;
  /** How long one statement may take; 30,000. */
  readonly statementTimeoutMs?: number;
  /** How long a call waits for a connection; 10,000. */
  readonly connectTimeoutMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Calls that may be under way; one more is refused, for something is very wrong then. */
const MAX_CALLS = 1_000;
const MAX_ATTEMPTS = 10;
const LOCK_TIMEOUT_MS = 10_000;
/** A transaction of ours is never idle for long, unless this process hangs. */
const IDLE_TRANSACTION_TIMEOUT_MS = 60_000;
/** Beyond the database's own limit: it does not answer at all. */
const SILENCE_MS = 15_000;
const IDLE_CONNECTION_MS = 60_000;

/**
 * A pool of connections to Postgres. It survives the database: while that is away, calls reject with `store-failed`, and the next one tries anew.
 * A call that lost its connection before it had begun, or that only reads, is repeated once by itself.
 */
export class PostgresDatabase implements Caller {
  readonly name: string;
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #calls = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(name: string, pool: Pool, clock: Clock) {
    this.name = name;
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Connects, and brings the schema up to date. Rejects with `store-failed`. */
  static async open(options: PostgresOptions): Promise<PostgresDatabase> {
    const { connectionString, name } = readPostgresUrl(options.url);
    const { clock, logger } = options;
    const pool = newPool(connectionString, name, options);
    const database = new PostgresDatabase(name, pool, clock);
    try {
      const migrated = await database.with((client) =>
        migratePostgres(client, name, migrations, clock.nowMs()),
      );
      if (migrated.length > 0) {
        logger.info({ store: name, migrated }, 'The schema of the store was brought up to date.');
      }
      return database;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async call<Name extends OperationName>(operation: Name, argument: Argument<Name>): Promise<Result<Name>> {
    if (this.#closed) throw closed();
    if (this.#calls.size >= MAX_CALLS) {
      throw new FulcrumError(
        'store-failed',
        `The database ${this.name} is too slow: ${MAX_CALLS} calls wait for it. Check its load.`,
      );
    }
    const call = this.#run(
      operations[operation] as unknown as Operation<Argument<Name>, Result<Name>>,
      argument,
    );
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
  }

  /** Gives `work` a connection of its own. Rejects with `store-failed`, or the FulcrumError that `work` throws. */
  async with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw postgresError(error, this.name);
    }
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = isConnectionLost(error);
      throw postgresError(error, this.name);
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#calls);
    if (!this.#pool.ended && !this.#pool.ending) await this.#pool.end();
  }

  async #run<A, R>(operation: Operation<A, R>, argument: A): Promise<R> {
    let lost = false;
    for (let attempt = 1; ; attempt++) {
      let client: PoolClient;
      try {
        client = await this.#pool.connect();
      } catch (error) {
        throw postgresError(error, this.name);
      }
      const begun = { value: false };
      let broken = false;
      try {
        return await runOnPostgres(client, operation, argument, () => (begun.value = true));
      } catch (error) {
        broken = isConnectionLost(error);
        const again =
          broken && !lost
            ? !begun.value || operation.keeps === null
            : mayRepeat(error) && attempt < MAX_ATTEMPTS;
        if (!again) throw postgresError(error, this.name);
        lost ||= broken;
      } finally {
        client.release(broken);
      }
      // Whoever was in the way is to be through first, and the two are not to meet again.
      if (!lost) await sleep(this.#clock, Math.random() * 2 ** attempt);
    }
  }
}

function newPool(connectionString: string, name: string, options: PostgresOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  let pool: Pool;
  try {
    pool = new Pool({
      connectionString,
      application_name: 'fulcrum',
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      idleTimeoutMillis: IDLE_CONNECTION_MS,
      keepAlive: true,
      // As with SQLite's thread, an idle store holds no process.
      allowExitOnIdle: true,
    });
  } catch (error) {
    throw postgresError(error, name);
  }
  pool.on('connect', (client) => {
    // Of a connection that breaks while it is in use its query tells; without a listener the process would end.
    client.on('error', () => undefined);
    // In a statement, since poolers between us and Postgres refuse such settings where a connection begins.
    client
      .query(
        `SET search_path TO ${POSTGRES_SCHEMA}; SET statement_timeout = ${statementTimeoutMs}; SET lock_timeout = ${LOCK_TIMEOUT_MS};
         SET idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_TIMEOUT_MS}; SET client_min_messages = warning`,
      )
      .catch(() => undefined);
  });
  pool.on('error', (error) => {
    options.logger.warn(
      { store: name, error: messageOf(error) },
      'An idle connection to the database was lost; the next call makes another.',
    );
  });
  return pool;
}

function closed(): FulcrumError {
  return new FulcrumError('store-failed', 'The store is closed.');
}
