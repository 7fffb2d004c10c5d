import type { DatabaseSync } from 'node:sqlite';
import type { Line } from '../shared/order.ts';

/** The table, as a part of the shelf's schema: what changes both does so in one transaction. */
export const HOLDS = `
  CREATE TABLE IF NOT EXISTS holds (order_id TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('held', 'released', 'sold')), lines TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * What the shelf knows of an order:
 *
 *   held        its goods are put aside        → `sold` when it is paid, `released` when it is given up
 *   released    it was given up; goods that are to be put aside later come too late, and are not
 *   sold        it was paid, and its goods are gone
 */
export type HoldState = 'held' | 'released' | 'sold';

/** The orders that the shelf knows of. */
export class Holds {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Null: it has not been heard of. */
  of(id: string): HoldState | null {
    const row = this.#database.prepare('SELECT state FROM holds WHERE order_id = ?').get(id);
    return row === undefined ? null : (row['state'] as HoldState);
  }

  /** What is put aside for it. */
  linesOf(id: string): readonly Line[] {
    const row = this.#database.prepare('SELECT lines FROM holds WHERE order_id = ?').get(id);
    return row === undefined ? [] : (JSON.parse(row['lines'] as string) as Line[]);
  }

  set(id: string, state: HoldState, lines: readonly Line[]): void {
    const kept = JSON.stringify(lines.map(({ sku, quantity }) => ({ sku, quantity })));
    this.#database
      .prepare('INSERT OR REPLACE INTO holds (order_id, state, lines) VALUES (?, ?, ?)')
      .run(id, state, kept);
  }
}
