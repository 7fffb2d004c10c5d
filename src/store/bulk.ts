import { tables, type Table, type TableName } from './tables.ts';

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

/** All rows at once: a parameter is the list of one column's values. */
export function postgresInsert(table: TableName, anew: boolean): string {
  return once(`postgres ${table} ${anew}`, () => {
    const columns = Object.entries<Table['columns'][string]>(tables[table].columns);
    const names = columns.map(([name]) => name).join(', ');
    const lists = columns.map(([, { type }], i) => `$${i + 1}::${ARRAYS[type]}`).join(', ');
    return `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${lists}) ${anew ? '' : otherwise(table)}`;
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
