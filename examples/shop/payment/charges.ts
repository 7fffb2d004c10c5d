import type { DatabaseSync } from 'node:sqlite';
import { DATA, openDatabase, transaction } from '../shared/data.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS charges (key TEXT PRIMARY KEY, order_id TEXT, cents INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('charged', 'refunded', 'void'))) STRICT;
`;

/**
 * What became of a charge:
 *
 *   charged     the money was taken
 *   refunded    it was taken, and given back
 *   void        it was given up before it was taken
 *
 * From `refunded` and `void` no way leads back: what is given up stays so.
 */
export type ChargeState = 'charged' | 'refunded' | 'void';

/** The book of a payment provider. Whatever comes twice or at the same moment, of one key there is one charge. */
export class Charges {
  readonly #database: DatabaseSync;

  constructor(file: URL | string = new URL('payments.db', DATA)) {
    this.#database = openDatabase(file, SCHEMA);
  }

  /** @returns what has become of it, and whether it was taken just now. @throws Error where the key is that of another charge. */
  take(key: string, orderId: string, cents: number): { state: ChargeState; first: boolean } {
    const add = this.#database.prepare(
      "INSERT OR IGNORE INTO charges (key, order_id, cents, state) VALUES (?, ?, ?, 'charged')",
    );
    return transaction(this.#database, () => {
      const first = add.run(key, orderId, cents).changes === 1;
      const found = this.#database.prepare('SELECT * FROM charges WHERE key = ?').get(key)!;
      const state = found['state'] as ChargeState;
      if (state === 'charged' && (found['order_id'] !== orderId || found['cents'] !== cents))
        throw new Error('With this key something else has been charged.');
      return { state, first };
    });
  }

  /** Gives back what was taken, and lets nothing be taken later. */
  cancel(key: string): void {
    transaction(this.#database, () => {
      this.#database
        .prepare("UPDATE charges SET state = 'refunded' WHERE key = ? AND state = 'charged'")
        .run(key);
      this.#database
        .prepare("INSERT OR IGNORE INTO charges (key, cents, state) VALUES (?, 0, 'void')")
        .run(key);
    });
  }

  /** By key. */
  states(): Record<string, ChargeState> {
    const rows = this.#database.prepare('SELECT key, state FROM charges').all();
    return Object.fromEntries(rows.map((row) => [row['key'] as string, row['state'] as ChargeState]));
  }
}
