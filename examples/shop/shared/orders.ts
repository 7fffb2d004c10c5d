import type { DatabaseSync } from 'node:sqlite';
import { DATA, openDatabase } from './data.ts';
import type { Order, Purchase } from './order.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS purchases (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'paid', 'told', 'leaving', 'left')), payment_id TEXT) STRICT;
  CREATE INDEX IF NOT EXISTS purchases_by_time ON purchases (at_ms);
  CREATE INDEX IF NOT EXISTS purchases_open ON purchases (at_ms) WHERE state IN ('begun', 'paid', 'leaving');
`;

/**
 * How far a purchase is:
 *
 *   begun      written down before anything is done for it   → `paid`, or `leaving`
 *   paid       the money is there: it is an order            → `told`
 *   told       its event is published
 *   leaving    given up; what was done for it is taken back   → `left`
 *   left       as if it had never been
 */
export type PurchaseState = 'begun' | 'paid' | 'told' | 'leaving' | 'left';

/** Everything that somebody wanted to pay for: checkout writes it, the report reads what was paid. */
export class Orders {
  readonly #database: DatabaseSync;

  constructor(file: URL | string = new URL('orders.db', DATA)) {
    this.#database = openDatabase(file, SCHEMA);
  }

  /** Writes a purchase down; of one whose id is known nothing changes. @returns it as it was begun, and how far it is. */
  begin(purchase: Purchase): { purchase: Purchase; state: PurchaseState } {
    this.#database
      .prepare("INSERT OR IGNORE INTO purchases (id, at_ms, body, state) VALUES (?, ?, ?, 'begun')")
      .run(purchase.id, purchase.atMs, JSON.stringify(purchase));
    const row = this.#database.prepare('SELECT body, state FROM purchases WHERE id = ?').get(purchase.id)!;
    return {
      purchase: JSON.parse(row['body'] as string) as Purchase,
      state: row['state'] as PurchaseState,
    };
  }

  /** @returns false where it has been given up. */
  pay(id: string, paymentId: string): boolean {
    this.#database
      .prepare("UPDATE purchases SET state = 'paid', payment_id = ? WHERE id = ? AND state = 'begun'")
      .run(paymentId, id);
    return this.lookUp(id) !== null;
  }

  /** Its event has been published. */
  markTold(id: string): void {
    this.#move(id, 'paid', 'told');
  }

  /** Gives a purchase up. @returns false where it is paid. */
  leave(id: string): boolean {
    this.#move(id, 'begun', 'leaving');
    return this.lookUp(id) === null;
  }

  /** All that was done for it has been taken back. */
  markLeft(id: string): void {
    this.#move(id, 'leaving', 'left');
  }

  /** The order of that id, or null. */
  lookUp(id: string): Order | null {
    const row = this.#database
      .prepare("SELECT body, payment_id FROM purchases WHERE id = ? AND state IN ('paid', 'told')")
      .get(id);
    return row === undefined ? null : orderIn(row);
  }

  /** Orders up to then whose event has not been published, the oldest first. */
  untold(untilMs: number, limit: number): Order[] {
    return this.#open("state = 'paid'", untilMs, limit).map(orderIn);
  }

  /** Purchases up to then that came to no end, the oldest first. */
  unsettled(untilMs: number, limit: number): Purchase[] {
    return this.#open("state IN ('begun', 'leaving')", untilMs, limit).map(
      (row) => JSON.parse(row['body'] as string) as Purchase,
    );
  }

  /** Orders, one after the other, so that there may be any number. */
  *between(beginMs: number, endMs: number): Iterable<Order> {
    const rows = this.#database
      .prepare(
        "SELECT body, payment_id FROM purchases WHERE at_ms >= ? AND at_ms < ? AND state IN ('paid', 'told') ORDER BY at_ms",
      )
      .iterate(beginMs, endMs);
    for (const row of rows) yield orderIn(row);
  }

  close(): void {
    this.#database.close();
  }

  #open(which: string, untilMs: number, limit: number): Record<string, unknown>[] {
    return this.#database
      .prepare(`SELECT body, payment_id FROM purchases WHERE ${which} AND at_ms <= ? ORDER BY at_ms LIMIT ?`)
      .all(untilMs, limit);
  }

  #move(id: string, from: PurchaseState, to: PurchaseState): void {
    this.#database.prepare('UPDATE purchases SET state = ? WHERE id = ? AND state = ?').run(to, id, from);
  }
}

function orderIn(row: Record<string, unknown>): Order {
  return { ...(JSON.parse(row['body'] as string) as Purchase), paymentId: row['payment_id'] as string };
}
