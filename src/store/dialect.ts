import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Expression,
  type SqlBool,
} from 'kysely';
import { ARRAYS } from './bulk.ts';
import type { ColumnType } from './table.ts';
import type { Schema } from './tables.ts';

/** How the two databases differ where an operation must know. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** Compiles queries; runs none. */
  readonly db: Kysely<Schema>;
  /** Whether `column` is one of `values`, of which there may be many: one parameter, one text however long the list. */
  readonly among: (column: string, values: readonly string[]) => Expression<SqlBool>;
  /** Rows of a caller's as something to select from, in raw SQL: one text however many they are. */
  readonly given: (
    columns: Readonly<Record<string, ColumnType>>,
    rows: readonly (readonly unknown[])[],
  ) => Given;
}

interface Given {
  /** For `FROM`: what it is called there. Its parameters are `$1` and so on. */
  readonly as: (name: string) => string;
  readonly parameters: readonly unknown[];
  /** The number of the first parameter behind those. */
  readonly next: number;
}

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  db: new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  among: (column, values) =>
    sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(values)}))`,
  given: (columns, rows) => ({
    as: (name) =>
      `(SELECT ${Object.entries(columns)
        .map(
          ([column, type], i) => `${type === 'bytes' ? `unhex(value->>${i})` : `value->>${i}`} AS ${column}`,
        )
        .join(', ')} FROM json_each($1)) AS ${name}`,
    parameters: [
      JSON.stringify(
        Object.values(columns).includes('bytes')
          ? rows.map((row) => row.map((value) => (value instanceof Uint8Array ? hexOf(value) : value)))
          : rows,
      ),
    ],
    next: 2,
  }),
};

export const postgresDialect: Dialect = {
  name: 'postgres',
  db: new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
  among: (column, values) => sql<SqlBool>`${sql.ref(column)} = any(${sql.val(values)}::text[])`,
  given: (columns, rows) => {
    const types = Object.values(columns);
    const lists = types.map((type, i) => `$${i + 1}::${ARRAYS[type]}`).join(', ');
    return {
      as: (name) => `unnest(${lists}) AS ${name} (${Object.keys(columns).join(', ')})`,
      parameters: types.map((_, i) => rows.map((row) => storable(row[i]))),
      next: types.length + 1,
    };
  },
};

/** Postgres keeps no NUL in texts. What a client sent must not keep a batch from being stored for ever. */
export function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
