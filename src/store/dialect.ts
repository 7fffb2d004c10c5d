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
import type { Schema } from './tables.ts';

/** How the two databases differ where an operation must know. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  /** Compiles queries; runs none. */
  readonly db: Kysely<Schema>;
  /** Whether `column` is one of `values`, of which there may be many: one parameter, one text however long the list. */
  readonly among: (column: string, values: readonly string[]) => Expression<SqlBool>;
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
};
