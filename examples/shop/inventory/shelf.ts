import type { DatabaseSync } from 'node:sqlite';
import { DATA, openDatabase, transaction } from '../shared/data.ts';
import type { Line } from '../shared/order.ts';
import { Holds, HOLDS } from './holds.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS shelf (sku TEXT PRIMARY KEY, left INTEGER NOT NULL, deliveries INTEGER NOT NULL DEFAULT 0) STRICT;
  ${HOLDS}
`;

/** Goods that come in. */
export interface Delivery {
  readonly sku: string;
  readonly quantity: number;
  /** 1 is the first of its product. */
  readonly number: number;
}

/** Whether goods are put aside for an order, and if not, why. */
export type Reservation =
  | { readonly held: true }
  /** There is less than that of this one; nothing was put aside. */
  | { readonly held: false; readonly sku: string; readonly left: number }
  /** The order has been given up. */
  | { readonly held: false; readonly sku: null };

interface Goods {
  readonly id: string;
  readonly lines: readonly Line[];
}

const DELIVERED = 20;

/**
 * How much there is of each product. Calls and events may come more than once, and late, so each change says by itself whether it has been made:
 * an order by what is known of it, a delivery by its number, in the transaction that makes it.
 */
export class Shelf {
  readonly #database: DatabaseSync;
  readonly #holds: Holds;

  /** @param atFirst what a new shelf holds. */
  constructor(
    atFirst: readonly { readonly sku: string; readonly stock: number }[],
    file: URL | string = new URL('inventory.db', DATA),
  ) {
    const database = openDatabase(file, SCHEMA);
    const known = database.prepare('SELECT count(*) AS n FROM shelf').get()!['n'] as number;
    if (known < atFirst.length) {
      const put = database.prepare('INSERT OR IGNORE INTO shelf (sku, left) VALUES (?, ?)');
      transaction(database, () => atFirst.forEach(({ sku, stock }) => put.run(sku, stock)));
    }
    this.#database = database;
    this.#holds = new Holds(database);
  }

  /** By product. What was paid for without having been put aside may make it less than none: that is shown as none. */
  left(skus: readonly string[]): Record<string, number> {
    const look = this.#database.prepare('SELECT max(left, 0) AS left FROM shelf WHERE sku = ?');
    return Object.fromEntries(
      skus.flatMap((sku) => {
        const row = look.get(sku);
        return row === undefined ? [] : [[sku, row['left'] as number]];
      }),
    );
  }

  /** Puts an order's goods aside: all of them or none. */
  reserve({ id, lines }: Goods): Reservation {
    return transaction(this.#database, () => {
      const state = this.#holds.of(id);
      if (state === 'released') return { held: false, sku: null };
      if (state !== null) return { held: true };
      for (const [i, { sku, quantity }] of lines.entries()) {
        if (this.#move(sku, -quantity, quantity)) continue;
        for (const before of lines.slice(0, i)) this.#move(before.sku, before.quantity);
        return { held: false, sku, left: this.left([sku])[sku] ?? 0 };
      }
      this.#holds.set(id, 'held', lines);
      return { held: true };
    });
  }

  /** Puts back what is put aside for an order that is given up, and lets nothing be put aside for it later. One that was sold stays so. */
  release(id: string): void {
    transaction(this.#database, () => {
      const state = this.#holds.of(id);
      if (state === 'sold' || state === 'released') return;
      for (const { sku, quantity } of this.#holds.linesOf(id)) this.#move(sku, quantity);
      this.#holds.set(id, 'released', []);
    });
  }

  /** An order is paid: what was put aside for it is gone; where nothing was, it is taken off the shelf now. */
  sell({ id, lines }: Goods): void {
    transaction(this.#database, () => {
      const state = this.#holds.of(id);
      if (state === 'sold') return;
      if (state !== 'held') for (const { sku, quantity } of lines) this.#move(sku, -quantity);
      this.#holds.set(id, 'sold', []);
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

  /** @returns false where there are fewer than `atLeast`. */
  #move(sku: string, by: number, atLeast = Number.MIN_SAFE_INTEGER): boolean {
    const move = this.#database.prepare('UPDATE shelf SET left = left + ? WHERE sku = ? AND left >= ?');
    return move.run(by, sku, atLeast).changes === 1;
  }
}
