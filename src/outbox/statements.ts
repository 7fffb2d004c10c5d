import type { Dialect } from './database.ts';

/** Of rows that are read at a time; one is read whatever its size. */
const MOST_BYTES_AT_A_TIME = 8 * 1024 ** 2;
const NAME = /^(?:[a-z_][a-z0-9_]{0,39}\.)?[a-z_][a-z0-9_]{0,39}$/;

/** What is done to an outbox, as text for either database. `$1`, `$2`, … are its values. */
export interface Statements {
  readonly schema: string;
  /** type, data, content type, key, dedupe, subject, due at (epoch ms) */
  readonly insert: string;
  /** How many at most. Those of a key of which an earlier one waits are left out. */
  readonly next: string;
  /** Of ids, as a JSON list. */
  readonly remove: string;
  /** id, ms, error */
  readonly defer: string;
  /** holder, ms. Gives a row where the holder has it now. */
  readonly lease: string;
  /** holder */
  readonly release: string;
}

interface Words {
  readonly now: string;
  readonly bytes: string;
  readonly id: string;
  readonly length: string;
  readonly ids: string;
}

const WORDS: Readonly<Record<Dialect, Words>> = {
  postgres: {
    now: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    bytes: 'bytea',
    id: 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    length: 'octet_length(data)',
    ids: 'SELECT value::bigint FROM json_array_elements_text($1::json)',
  },
  sqlite: {
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    bytes: 'blob',
    // Never gives a number twice, so that no row is taken for one that has gone.
    id: 'integer PRIMARY KEY AUTOINCREMENT',
    length: 'length(data)',
    ids: 'SELECT value FROM json_each($1)',
  },
};

/** Throws TypeError where `table` is no name. */
export function statements(table: string, dialect: Dialect): Statements {
  if (!NAME.test(table))
    throw new TypeError(
      `An outbox's table is named by lower-case letters, digits and _, with a schema before a '.' or without: not ${JSON.stringify(table)}.`,
    );
  const words = WORDS[dialect];
  const relay = `${table}_relay`;
  const index = `${table.split('.').at(-1)!}_waiting`;
  const texts: Statements = {
    schema: `CREATE TABLE IF NOT EXISTS ${table} (
  id ${words.id},
  type text NOT NULL,
  data ${words.bytes} NOT NULL,
  content_type text NOT NULL,
  event_key text,
  dedupe text NOT NULL,
  subject text,
  due_ms bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  retry_ms bigint NOT NULL DEFAULT 0,
  last_error text
);
CREATE INDEX IF NOT EXISTS ${index} ON ${table} (event_key, id) WHERE retry_ms > 0;
CREATE TABLE IF NOT EXISTS ${relay} (
  one integer PRIMARY KEY CHECK (one = 1),
  holder text NOT NULL,
  until_ms bigint NOT NULL
);
`,
    insert: `INSERT INTO ${table} (type, data, content_type, event_key, dedupe, subject, due_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    // The order is said of the table's number: as text, 10 would come before 9.
    next: `SELECT CAST(id AS text) AS row_id, type, data, content_type, event_key, dedupe, subject, CAST(due_ms AS text) AS due, attempts
FROM (
  SELECT *, sum(${words.length}) OVER (ORDER BY id) - ${words.length} AS bytes_before FROM (
    SELECT * FROM ${table} o WHERE o.retry_ms <= ${words.now} AND NOT EXISTS (
      SELECT 1 FROM ${table} e WHERE e.event_key = o.event_key AND e.id < o.id AND e.retry_ms > 0 AND e.retry_ms > ${words.now}
    ) ORDER BY o.id LIMIT $1
  ) AS ready
) AS sized WHERE bytes_before < ${MOST_BYTES_AT_A_TIME} ORDER BY id`,
    remove: `DELETE FROM ${table} WHERE id IN (${words.ids})`,
    defer: `UPDATE ${table} SET attempts = attempts + 1, retry_ms = ${words.now} + $2, last_error = $3 WHERE id = CAST($1 AS bigint)`,
    lease: `INSERT INTO ${relay} AS held (one, holder, until_ms) VALUES (1, $1, ${words.now} + $2)
ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
WHERE held.holder = excluded.holder OR held.until_ms < ${words.now} RETURNING one`,
    release: `DELETE FROM ${relay} WHERE holder = $1`,
  };
  if (dialect === 'postgres') return texts;
  const numbered = (text: string): string => text.replaceAll(/\$(\d)/g, '?$1');
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, numbered(text as string)]),
  ) as unknown as Statements;
}
