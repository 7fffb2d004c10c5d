import type { DatabaseSync } from 'node:sqlite';
import { DATA, openDatabase } from './data.ts';
import type { Order } from './order.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS orders_by_time ON orders (at_ms);
  CREATE INDEX IF NOT EXISTS orders_untold ON orders (at_ms) WHERE told = 0;
`;

/** All orders that were paid: checkout writes them, the report reads them. */
export class Orders {
  readonly #database: DatabaseSync;

  constructor(file: URL | string = new URL('orders.db', DATA)) {
    this.#database = openDatabase(file, SCHEMA);
  }

  /** Writes an order down, as one that nobody has been told of. */
  keep(order: Order): void {
    this.#database
      .prepare('INSERT INTO orders (id, at_ms, body) VALUES (?, ?, ?)')
      .run(order.id, order.atMs, JSON.stringify(order));
  }

  /** The order of that id, or null. */
  lookUp(id: string): Order | null {
    const row = this.#database.prepare('SELECT body FROM orders WHERE id = ?').get(id);
    return row === undefined ? null : orderIn(row);
  }

  /** Its event has been published. */
  markTold(id: string): void {
    this.#database.prepare('UPDATE orders SET told = 1 WHERE id = ?').run(id);
  }

  /** Orders up to then whose event has not been published, the oldest first. */
  untold(untilMs: number, limit: number): Order[] {
    return this.#database
      .prepare('SELECT body FROM orders WHERE told = 0 AND at_ms <= ? ORDER BY at_ms LIMIT ?')
      .all(untilMs, limit)
      .map(orderIn);
  }

  /** One after the other, so that there may be any number. */
  *between(beginMs: number, endMs: number): Iterable<Order> {
    const rows = this.#database
      .prepare('SELECT body FROM orders WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms')
      .iterate(beginMs, endMs);
    for (const row of rows) yield orderIn(row);
  }

  close(): void {
    this.#database.close();
  }
}

function orderIn(row: Record<string, unknown>): Order {
  return JSON.parse(row['body'] as string) as Order;
}
