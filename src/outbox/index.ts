/**
 * `fulcrum/outbox`: events that are published if, and only if, a transaction of the component's own database commits; Postgres and SQLite.
 *
 * ```ts
 * import { outbox } from 'fulcrum/outbox';
 *
 * await client.query('BEGIN');
 * await client.query('UPDATE orders SET paid = true WHERE id = $1', [id]);
 * await outbox.enqueue(client, 'order.paid', { order: id }, { key: id });
 * await client.query('COMMIT');
 * ```
 */
import { createOutbox } from './outbox.ts';

export { createOutbox, type Outbox, type OutboxOptions, type RelayOptions } from './outbox.ts';
export type { Dialect, SqlClient, SqliteDatabase } from './database.ts';
export type { Relayed } from './relay.ts';

/** In the table `fulcrum_outbox`. */
export const outbox = createOutbox();
