import type { Table } from './table.ts';
import { tables, type TableName } from './tables.ts';

/** How Postgres calls the types of columns, as arrays. */
export const ARRAYS = {
  text: 'text[]',
  integer: 'bigint[]',
  real: 'double precision[]',
  bytes: 'bytea[]',
} as const;

const made = new Map<string, string>();

/** One row a time. */
export function sqliteInsert(table: TableName, anew: boolean): string {
  return once(`sqlite ${table} ${anew}`, () => {
    const names = Object.keys(tables[table].columns);
    return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ${anew ? '' : otherwise(table)}`;
  });
}

/**
 * All rows at once: a parameter is the list of one column's values. Bytes come as one piece, all rows' behind each other, and lists of where
 * each begins and how long it is: in a list they would be hexadecimal text, twice as long and slow to read.
 */
export function postgresInsert(table: TableName, anew: boolean): string {
  return once(`postgres ${table} ${anew}`, () => {
    const lists: string[] = [];
    const given: string[] = [];
    const taken: string[] = [];
    let next = 1;
    for (const [name, { type }] of Object.entries<Table['columns'][string]>(tables[table].columns)) {
      if (type === 'bytes') {
        lists.push(`$${next++}::int[]`, `$${next++}::int[]`);
        given.push(`${name}_from`, `${name}_length`);
        taken.push(`substring($${next++}::bytea FROM ${name}_from FOR ${name}_length)`);
      } else {
        lists.push(`$${next++}::${ARRAYS[type]}`);
        given.push(name);
        taken.push(name);
      }
    }
    const names = Object.keys(tables[table].columns).join(', ');
    return `INSERT INTO ${table} (${names}) SELECT ${taken.join(', ')} FROM unnest(${lists.join(', ')}) AS given (${given.join(', ')})
      ${anew ? '' : otherwise(table)}`;
  });
}

/** What {@link postgresInsert} is given. @param text as the database keeps it. */
export function postgresInsertValues(
  table: TableName,
  rows: readonly (readonly unknown[])[],
  storable: (value: unknown) => unknown,
): unknown[] {
  return Object.values<Table['columns'][string]>(tables[table].columns).flatMap(({ type }, i): unknown[] => {
    const values = rows.map((row) => row[i]);
    if (type === 'text') return [values.map(storable)];
    if (type !== 'bytes') return [values];
    const places: number[] = [];
    const lengths: (number | null)[] = [];
    const pieces: Uint8Array[] = [];
    let at = 1;
    for (const value of values as (Uint8Array | null)[]) {
      places.push(at);
      lengths.push(value?.length ?? null);
      if (value === null) continue;
      pieces.push(value);
      at += value.length;
    }
    return [places, lengths, Buffer.concat(pieces)];
  });
}

/** The rows with each key once: the last, as if they came one after the other. */
export function lastByKey(
  table: TableName,
  rows: readonly (readonly unknown[])[],
): readonly (readonly unknown[])[] {
  const { columns, key }: Table = tables[table];
  const names = Object.keys(columns);
  const places = key.map((name) => names.indexOf(name));
  const last = new Map(rows.map((row) => [JSON.stringify(places.map((place) => row[place])), row]));
  return last.size === rows.length ? rows : [...last.values()];
}

/** An upsert, since REPLACE would delete and add the row and its index entries. */
function otherwise(table: TableName): string {
  const { columns, key }: Table = tables[table];
  const rest = Object.keys(columns).filter((name) => !key.includes(name));
  const what =
    rest.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${rest.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  return `ON CONFLICT (${key.join(', ')}) DO ${what}`;
}

function once(key: string, make: () => string): string {
  let text = made.get(key);
  if (text === undefined) made.set(key, (text = make()));
  return text;
}
