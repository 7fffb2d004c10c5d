import type { DatabaseSync } from 'node:sqlite';
import { DATA, openDatabase, transaction } from '../shared/data.ts';
import type { Line, Order } from '../shared/order.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS shelf (sku TEXT PRIMARY KEY, left INTEGER NOT NULL, deliveries INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE IF NOT EXISTS counted (order_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** Goods that come in. */
export interface Delivery {
  readonly sku: string;
  readonly quantity: number;
  /** 1 is the first of its product. */
  readonly number: number;
}

const DELIVERED = 20;

/**
 * How much there is of each product. Events come at least once, so each change says by itself whether it has been made: an order by its id,
 * a delivery by its number, in the transaction that makes it.
 */
export class Shelf {
  readonly #database: DatabaseSync;

  /** @param atFirst what a new shelf holds. */
  constructor(
    atFirst: readonly { readonly sku: string; readonly stock: number }[],
    file: URL | string = new URL('stock.db', DATA),
  ) {
    const database = openDatabase(file, SCHEMA);
    const known = database.prepare('SELECT count(*) AS n FROM shelf').get()!['n'] as number;
    if (known < atFirst.length) {
      const put = database.prepare('INSERT OR IGNORE INTO shelf (sku, left) VALUES (?, ?)');
      transaction(database, () => atFirst.forEach(({ sku, stock }) => put.run(sku, stock)));
    }
    this.#database = database;
  }

  /** By product. Of two who buy the last one at the same moment both get it, and it is less than none: that is shown as none. */
  left(skus: readonly string[]): Record<string, number> {
    const look = this.#database.prepare('SELECT max(left, 0) AS left FROM shelf WHERE sku = ?');
    return Object.fromEntries(
      skus.flatMap((sku) => {
        const row = look.get(sku);
        return row === undefined ? [] : [[sku, row['left'] as number]];
      }),
    );
  }

  /** Takes an order's goods off the shelf. @returns false where that has been done before. */
  take(order: Pick<Order, 'id'> & { readonly lines: readonly Line[] }): boolean {
    const count = this.#database.prepare('INSERT OR IGNORE INTO counted (order_id) VALUES (?)');
    const take = this.#database.prepare('UPDATE shelf SET left = left - ? WHERE sku = ?');
    return transaction(this.#database, () => {
      if (count.run(order.id).changes === 0) return false;
      for (const { sku, quantity } of order.lines) take.run(quantity, sku);
      return true;
    });
  }

  /** What to order of those that are sold out. The same until it has come in, however often it is asked. */
  wanted(skus: readonly string[]): Delivery[] {
    const look = this.#database.prepare('SELECT left, deliveries FROM shelf WHERE sku = ? AND left <= 0');
    return [...new Set(skus)].flatMap((sku) => {
      const row = look.get(sku);
      if (row === undefined) return [];
      const quantity = DELIVERED - (row['left'] as number);
      return [{ sku, quantity, number: (row['deliveries'] as number) + 1 }];
    });
  }

  /** @returns false where it has been put there before. */
  putBack({ sku, quantity, number }: Delivery): boolean {
    const put = this.#database.prepare(
      'UPDATE shelf SET left = left + ?, deliveries = ? WHERE sku = ? AND deliveries = ? - 1',
    );
    return put.run(quantity, number, sku, number).changes === 1;
  }

  close(): void {
    this.#database.close();
  }
}
