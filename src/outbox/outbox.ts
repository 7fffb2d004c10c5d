import { randomBytes } from 'node:crypto';
import { parseDuration } from '../base/duration.ts';
import { messageOf } from '../base/errors.ts';
import { eventOf } from '../sdk/event.ts';
import { events } from '../sdk/events.ts';
import type { EventPublisher, PublishOptions } from '../sdk/handler-types.ts';
import {
  isPool,
  isSqlite,
  runOn,
  type Dialect,
  type SqlClient,
  type SqliteDatabase,
  type Value,
} from './database.ts';
import { relayRound, type Relayed } from './relay.ts';
import { statements } from './statements.ts';

export interface OutboxOptions {
  /** Its table, with a schema before a `.` or without. A second one, which says who relays, has `_relay` behind that. Default: `fulcrum_outbox`. */
  readonly table?: string | undefined;
}

export interface RelayOptions {
  /** Default: `events.publish` of 'fulcrum'. */
  readonly publish?: EventPublisher['publish'] | undefined;
  /** Events that are read, and published, at a time, 1 to 1,000; of them 8 MB at most. Default: 100. */
  readonly batch?: number | undefined;
  /** Events that are published by one call at most, or by one round with `every`. Default: 10,000. */
  readonly limit?: number | undefined;
  /** When it aborts nothing more is begun. */
  readonly signal?: AbortSignal | undefined;
  /** Looks again so long after it was done, `'1s'` or milliseconds, until `signal` aborts. Default: it looks once. */
  readonly every?: string | number | undefined;
  /** With `every`: told what went wrong in a round; the next one comes later each time, 30 s at most. Default: it is a warning of the process. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Events that are published with a transaction of the component's own database: all of it happens, or nothing. */
export interface Outbox {
  /** What makes its tables, for a migration. May run again. */
  schema(dialect: Dialect): string;
  /**
   * Puts an event into the outbox, as a part of the transaction that is open on `client`: it will be published if that commits.
   * Rejects with `event-invalid` as `events.publish` does; a transaction that goes on all the same commits without the event.
   */
  enqueue(client: SqlClient, type: string, data?: unknown, options?: PublishOptions): Promise<void>;
  /** The same for a `DatabaseSync` of node:sqlite: at once. Throws `event-invalid`. */
  enqueue(database: SqliteDatabase, type: string, data?: unknown, options?: PublishOptions): void;
  /**
   * Publishes what has been committed, in the order in which it was put in, and removes it when it is kept. At least once: where it is cut off between the
   * two, the same is published again with the same `dedupe` key, and so only once within the app's `dedupeWindow`. Of all that relay one outbox
   * at the same time one works, and the others have nothing to do.
   *
   * Rejects where events cannot be published at all (`store-failed`, `shutting-down`, …) or the database fails; all is still there then. Of an event that
   * is refused for what it is (`event-unmatched`) the row says why (`last_error`); it is tried again, and holds back none but those of its key.
   *
   * @param database a pool or a client on which no transaction is open.
   */
  relay(database: SqlClient | SqliteDatabase, options?: RelayOptions): Promise<Relayed>;
}

const LONGEST_BACKOFF_MS = 30_000;

/** An outbox; makes nothing in the database. Throws TypeError where `table` is no name. */
export function createOutbox({ table = 'fulcrum_outbox' }: OutboxOptions = {}): Outbox {
  const texts = { postgres: statements(table, 'postgres'), sqlite: statements(table, 'sqlite') };

  function enqueue(client: SqlClient, type: string, data?: unknown, options?: PublishOptions): Promise<void>;
  function enqueue(database: SqliteDatabase, type: string, data?: unknown, options?: PublishOptions): void;
  function enqueue(
    database: SqlClient | SqliteDatabase,
    ...event: [type: string, data?: unknown, options?: PublishOptions]
  ): Promise<void> | void {
    if (isSqlite(database)) {
      database.prepare(texts.sqlite.insert).all(...rowOf(event));
      return;
    }
    return enqueueInto(database, event);
  }

  async function enqueueInto(client: SqlClient, event: Parameters<typeof rowOf>[0]): Promise<void> {
    if (isPool(client))
      throw new TypeError(
        'enqueue() was given a pool, whose connections share no transaction. Give it the client that the transaction is open on.',
      );
    await client.query(texts.postgres.insert, rowOf(event));
  }

  async function relay(database: SqlClient | SqliteDatabase, options: RelayOptions = {}): Promise<Relayed> {
    const { publish = events.publish, signal = null } = options;
    const everyMs = options.every === undefined ? null : everyOf(options.every, signal);
    const round = {
      run: runOn(database),
      statements: texts[isSqlite(database) ? 'sqlite' : 'postgres'],
      publish,
      holder: randomBytes(12).toString('hex'),
      batch: countOf('batch', options.batch ?? 100, 1_000),
      limit: countOf('limit', options.limit ?? 10_000, Number.MAX_SAFE_INTEGER),
      signal,
    };
    const tally = { published: 0, refused: 0 };
    if (everyMs === null) {
      await relayRound(round, tally);
      return tally;
    }
    const onError = options.onError ?? logged;
    let failures = 0;
    while (signal?.aborted === false) {
      try {
        const before = tally.published + tally.refused;
        await relayRound(round, tally);
        failures = 0;
        // There may be more.
        if (tally.published + tally.refused - before >= round.limit) continue;
      } catch (error) {
        failures++;
        onError(error);
      }
      await pause(
        Math.min(everyMs * 2 ** Math.min(failures, 20), Math.max(everyMs, LONGEST_BACKOFF_MS)),
        signal,
      );
    }
    return tally;
  }

  return { schema: (dialect) => texts[dialect].schema, enqueue, relay };
}

function rowOf(event: [type: string, data?: unknown, options?: PublishOptions]): Value[] {
  const { type, data, contentType, key, dedupe, subject, delayMs } = eventOf(...event);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  // No number of the row's: a table that was restored or made anew would give the same again.
  const once = dedupe ?? `outbox:${randomBytes(16).toString('base64url')}`;
  return [type, bytes, contentType, key, once, subject, delayMs === 0 ? 0 : Date.now() + delayMs];
}

function everyOf(every: string | number, signal: AbortSignal | null): number {
  const ms = typeof every === 'string' ? parseDuration(every) : every;
  if (typeof ms !== 'number' || !(ms > 0) || ms > 86_400_000)
    throw new TypeError(
      `every is ${JSON.stringify(every)}; a duration such as '1s' or a number of milliseconds is right, 24h at most.`,
    );
  if (signal === null) throw new TypeError('With `every`, relay() needs a `signal` that ends it.');
  return ms;
}

function countOf(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new TypeError(
    `${name} is ${String(value)}; a whole number from 1 to ${most.toLocaleString('en')} is right.`,
  );
}

function logged(error: unknown): void {
  process.emitWarning(
    `The outbox could not be relayed, and is again later: ${messageOf(error)}`,
    'OutboxWarning',
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
}
