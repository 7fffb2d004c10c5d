import { createHash } from 'node:crypto';
import type { Table } from './table.ts';
import { tables, type TableName } from './tables.ts';

/** Counts and sums up the rows of a table, given in the order of its key: the same content gives the same sum in either database. */
export class Checksum {
  readonly #types: readonly string[];
  readonly #hash = createHash('sha256');
  #rows = 0;

  constructor(table: TableName) {
    const { columns }: Table = tables[table];
    this.#types = Object.values(columns).map(({ type }) => type);
  }

  get rows(): number {
    return this.#rows;
  }

  /** @param row values in the order of the table's columns. */
  add(row: readonly unknown[]): void {
    this.#rows++;
    for (const [i, value] of row.entries()) {
      if (value === null) this.#hash.update('0;');
      else this.#add(this.#types[i]!, value as string | number | Uint8Array);
    }
  }

  /** SHA-256, hex. Nothing can be added afterwards. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  #add(type: string, value: string | number | Uint8Array): void {
    // Postgres has no NUL in texts and no negative zero is ever meant: see where rows are inserted.
    const bytes =
      typeof value === 'string'
        ? Buffer.from(value.replaceAll('\0', '\ufffd'))
        : typeof value === 'number'
          ? Buffer.from(String(value + 0))
          : value;
    this.#hash.update(`${type} ${bytes.length}:`).update(bytes);
  }
}
